#include <catch2/catch.hpp>

#include "kernel/base/text.hpp"
#include "mcp/client.hpp"

namespace hermes::test {

namespace {

int error_code(const Json& response) {
  INFO(response.dump());
  REQUIRE(response.contains("error"));
  REQUIRE(!response["error"]["message"].get<std::string>().empty());
  return response["error"]["code"];
}

Json stateless_meta(const std::string& version = "2026-07-28") {
  return {{"io.modelcontextprotocol/protocolVersion", version},
          {"io.modelcontextprotocol/clientInfo", {{"name", "t"}, {"version", "1"}}},
          {"io.modelcontextprotocol/clientCapabilities", Json::object()}};
}

}  // namespace

TEST_CASE("a handshake agrees on a revision that both know, else on the newest with one", "[mcp]") {
  const Hermes hermes;
  for (const auto& [asked, agreed] : std::vector<std::pair<std::string, std::string>>{
           {"2025-11-25", "2025-11-25"},
           {"2025-06-18", "2025-06-18"},
           {"2024-11-05", "2025-11-25"},
           {"2026-07-28", "2025-11-25"},  // which has no handshake
           {"tomorrow", "2025-11-25"}}) {
    McpClient client(hermes);
    const Json result = client.initialize(asked);
    CHECK(result["protocolVersion"] == agreed);
    CHECK(result["serverInfo"]["name"] == "hermes");
    CHECK(result["capabilities"].contains("tools"));
    CHECK(!result["instructions"].get<std::string>().empty());
    CHECK(!client.request("ping")["result"].contains("resultType"));
  }
}

TEST_CASE("before the handshake only ping is answered", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  CHECK(client.request("ping")["result"] == Json::object());
  for (const std::string method : {"tools/list", "tools/call", "resources/list", "prompts/list"}) {
    CHECK(error_code(client.request(method)) == -32600);
  }
  CHECK(error_code(client.request("initialize")) == -32602);  // without a revision
  client.initialize();
  CHECK(client.request("tools/list").contains("result"));
  CHECK(error_code(client.request("initialize", {{"protocolVersion", "2025-11-25"}})) == -32600);
}

TEST_CASE("a request of the stateless revision needs no handshake and says what it is", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  const Json found = client.request("server/discover", {{"_meta", stateless_meta()}})["result"];
  CHECK(found["resultType"] == "complete");
  CHECK(found["supportedVersions"][0] == "2026-07-28");
  CHECK(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "hermes");
  for (const std::string method :
       {"tools/list", "prompts/list", "resources/list", "resources/templates/list"}) {
    const Json result = client.request(method, {{"_meta", stateless_meta()}})["result"];
    INFO(method << ": " << result.dump());
    CHECK(result["resultType"] == "complete");
    CHECK(result["cacheScope"] == "private");
    CHECK(result["ttlMs"].is_number_integer());
  }
  const Json made = client.request("tools/call", {{"_meta", stateless_meta()},
                                                  {"name", "kanban_create"},
                                                  {"arguments", {{"title", "one"}}}})["result"];
  CHECK(made["resultType"] == "complete");
  CHECK(made["structuredContent"]["status"] == "ready");

  const Json other = client.request("tools/list", {{"_meta", stateless_meta("1900-01-01")}});
  CHECK(error_code(other) == -32022);
  CHECK(other["error"]["data"]["requested"] == "1900-01-01");
  CHECK(other["error"]["data"]["supported"][0] == "2026-07-28");
  Json without = stateless_meta();
  without.erase("io.modelcontextprotocol/clientCapabilities");
  CHECK(error_code(client.request("tools/list", {{"_meta", without}})) == -32602);
  CHECK(error_code(client.request("server/discover")) == -32602);
  // Its ping is gone, and what was said before gives no later request a session.
  CHECK(error_code(client.request("ping", {{"_meta", stateless_meta()}})) == -32601);
  CHECK(error_code(client.request("tools/list")) == -32600);
}

TEST_CASE("null params and arguments are none, and a revision of a handshake may be repeated",
          "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  CHECK(client.request("tools/list", nullptr).contains("result"));
  CHECK(client.request("tools/list", {{"_meta", stateless_meta("2025-11-25")}})["result"]["tools"]
            .size() == 11);
  CHECK(client.request("tools/call", {{"name", "kanban_list"},
                                      {"arguments", nullptr}})["result"]["isError"] == false);
  CHECK(client.request("prompts/get",
                       {{"name", "work-task"}, {"arguments", nullptr}})["error"]["message"] ==
        "`task_id` must be the id of a task");
}

TEST_CASE("what does not exist is answered with what may have been meant", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const auto said = [](const Json& response) {
    return response["error"]["message"].get<std::string>();
  };
  CHECK(said(client.request("tools/cal")) ==
        "there is no method 'tools/cal', did you mean tools/call?");
  CHECK(said(client.request("tools/call", {{"name", "kanban_lst"}}))
            .starts_with("there is no tool 'kanban_lst', did you mean kanban_list"));
}

TEST_CASE("bad frames are answered with the code that fits, and the session goes on", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes);
  client.initialize();
  using std::string_literals::operator""s;
  std::string many;  // more values than are taken
  for (int i = 0; i < 500'000; ++i) {
    many += ",0";
  }
  const std::vector<std::pair<std::string, int>> frames = {
      {"{", -32700},
      {"nonsense", -32700},
      {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x", -32700},
      {"\xff\xfe", -32700},
      {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\"}", -32700},
      {"{\"jsonrpc\":\"2.0\",\"id\":1,\0\"method\":\"ping\"}"s, -32700},
      {std::string(100'000, '['), -32700},
      {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":" + std::string(300, '[') +
           std::string(300, ']') + "}",
       -32700},
      {"[]", -32600},
      {R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", -32600},
      {"7", -32600},
      {"null", -32600},
      {"{}", -32600},
      {R"({"jsonrpc":"1.0","id":1,"method":"ping"})", -32600},
      {R"({"id":1,"method":"ping"})", -32600},
      {R"({"jsonrpc":"2.0","id":1})", -32600},
      {R"({"jsonrpc":"2.0","id":1,"method":7})", -32600},
      {R"({"jsonrpc":"2.0","id":null,"method":"ping"})", -32600},
      {R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})", -32600},
      {R"({"jsonrpc":"2.0","method":"ping","id":")" + std::string(1025, 'x') + "\"}", -32600},
      {R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[0)" + many + "]}}", -32600},
      {R"({"jsonrpc":"2.0","id":{},"method":"ping"})", -32600},
      {R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]})", -32602},
      {R"({"jsonrpc":"2.0","id":1,"method":"tools/call"})", -32602},
      {R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}})", -32602},
      {R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}})", -32602},
      {R"({"jsonrpc":"2.0","id":1,"method":"nonsense"})", -32601},
      {R"({"jsonrpc":"2.0","id":1,"method":"notifications/initialized"})", -32601},
  };
  for (const auto& [frame, code] : frames) {
    INFO(printable(clip(frame, 200)));
    client.send_bytes(frame + "\n");
    const Json response = client.receive();
    CHECK(error_code(response) == code);
    CHECK((!response.contains("id") || response["id"] == 1));
  }
  CHECK(client.request("ping").contains("result"));
}

TEST_CASE("what asks for no answer gets none", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  client.notify("notifications/nonsense");
  client.notify("tools/call", {{"name", "kanban_create"}, {"arguments", {{"title", "x"}}}});
  client.notify("notifications/cancelled", {{"requestId", "never"}});
  client.notify("notifications/cancelled");
  client.send({{"jsonrpc", "2.0"}, {"id", 5}, {"result", Json::object()}});
  client.send_bytes("\n  \r\n\n");
  CHECK(client.request("ping").contains("result"));
  CHECK(client.ask_tool("kanban_list")["count"] == 0);
}

TEST_CASE("ids come back as they were, strings and large numbers too", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes);
  for (const Json& id : {Json("a\u00e9\"\\"), Json(0), Json(-3), Json(9007199254740993),
                         Json(18446744073709551615ULL), Json("")}) {
    client.send({{"jsonrpc", "2.0"}, {"id", id}, {"method", "ping"}});
    CHECK(client.receive()["id"] == id);
  }
}

TEST_CASE("a message may end with carriage return, and the last one with nothing", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes);
  client.send_bytes("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n");
  CHECK(client.receive()["id"] == 1);
  client.send_bytes(R"({"jsonrpc":"2.0","id":2,"method":"ping"})");
  client.close_input();
  CHECK(client.receive()["id"] == 2);
  CHECK(client.wait() == 0);
}

TEST_CASE("a message beyond 40 MiB is refused and skipped, one below is read", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const std::string mebibyte(1024 * 1024, 'x');
  client.send_bytes(R"({"jsonrpc":"2.0","id":77,"method":"ping","params":{"x":")");
  for (int i = 0; i < 41; ++i) {
    REQUIRE(client.send_bytes(mebibyte));
  }
  client.send_bytes("\"}}\n");
  const Json response = client.receive();
  CHECK(error_code(response) == -32600);
  CHECK(!response.contains("id"));
  const std::string id = client.ask_tool("kanban_create", {{"title", "t"}})["task_id"];
  // 25 MiB of file as base64.
  std::string content;
  for (int i = 0; i < 25 * 1024 * 1024 / 3; ++i) {
    content += "AAAA";
  }
  CHECK(client.ask_tool(
            "kanban_attach",
            {{"task_id", id}, {"filename", "large.bin"}, {"content_base64", content}})["size"] ==
        25 * 1024 * 1024 / 3 * 3);
  CHECK(client
            .refusal("kanban_attach", {{"task_id", id},
                                       {"filename", "too_large.bin"},
                                       {"content_base64", content + "AAAA"}})
            .find("26214") != std::string::npos);
}

}  // namespace hermes::test
