#include <catch2/catch.hpp>

#include "mcp/client.hpp"

namespace hermes::test {

namespace {

using Names = std::vector<std::string>;

const Names k_of_workers = {"kanban_create", "kanban_show",        "kanban_complete",
                            "kanban_block",  "kanban_heartbeat",   "kanban_comment",
                            "kanban_attach", "kanban_attachments", "kanban_link"};

Names sorted(Names names) {
  std::ranges::sort(names);
  return names;
}

// Said in a refusal, which never tells a worker how to pass for nobody's worker.
bool is_said(const std::string& refusal, const std::string& text) {
  INFO(refusal);
  CHECK(refusal.find("unset") == std::string::npos);
  return refusal.find(text) != std::string::npos;
}

// What a call of a tool that is not offered comes to.
int code_of_call(McpClient& client, const std::string& tool) {
  const Json response =
      client.request("tools/call", {{"name", tool}, {"arguments", Json::object()}});
  INFO(response.dump());
  REQUIRE(response.contains("error"));
  return response["error"]["code"];
}

}  // namespace

TEST_CASE("a plain session is offered nothing, and can call nothing", "[mcp]") {
  const Hermes hermes;
  const std::string id = hermes.create({"t"});
  const std::int64_t before = hermes.last_event();
  McpClient client(hermes);
  client.initialize();
  CHECK(client.tool_names().empty());
  CHECK(client.request("resources/list")["result"]["resources"].empty());
  CHECK(client.request("resources/templates/list")["result"]["resourceTemplates"].empty());
  CHECK(client.request("prompts/list")["result"]["prompts"].empty());
  for (const std::string tool : {"kanban_show", "kanban_create", "kanban_list", "kanban_unblock"}) {
    CHECK(code_of_call(client, tool) == -32602);
  }
  CHECK(client.request("resources/read", {{"uri", "hermes://board/default"}}).contains("error"));
  CHECK(client.request("prompts/get", {{"name", "work-task"}, {"arguments", {{"task_id", id}}}})
            .contains("error"));
  CHECK(hermes.last_event() == before);
}

TEST_CASE("a worker is offered what its task needs, whatever flag is given", "[mcp]") {
  const McpWorker worker;
  for (const Names& flags : {Names{}, Names{"--orchestrator"}}) {
    McpClient client(worker.hermes, flags);
    client.initialize();
    CHECK(sorted(client.tool_names()) == sorted(k_of_workers));
    CHECK(code_of_call(client, "kanban_list") == -32602);
    CHECK(code_of_call(client, "kanban_unblock") == -32602);
    CHECK(code_of_call(client, "kanban_archive") == -32602);
    CHECK(code_of_call(client, "archive") == -32602);
  }
}

TEST_CASE("an orchestrator has the tools of workers, and list and unblock", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  Names expected = k_of_workers;
  expected.insert(expected.end(), {"kanban_list", "kanban_unblock"});
  CHECK(sorted(client.tool_names()) == sorted(expected));
  CHECK(code_of_call(client, "kanban_reclaim") == -32602);
}

TEST_CASE("a worker changes its own task alone, and speaks in its own name", "[mcp]") {
  const McpWorker worker;
  McpClient client(worker.hermes);
  client.initialize();
  const std::int64_t before = worker.hermes.last_event();
  const auto refused = [&](const std::string& tool, Json arguments) {
    arguments["task_id"] = worker.foreign;
    const std::string said = client.refusal(tool, std::move(arguments));
    CHECK(is_said(said, "may change only its own task"));
  };
  refused("kanban_complete", {{"summary", "x"}});
  refused("kanban_block", {{"reason", "x"}});
  refused("kanban_heartbeat", Json::object());
  refused("kanban_attach", {{"filename", "a"}, {"content_base64", ""}});
  CHECK(client.refusal("kanban_comment", {{"body", "x"}, {"author", "boss"}}).find("author") !=
        std::string::npos);
  CHECK(client.refusal("kanban_create", {{"title", "x"}, {"created_by", "boss"}})
            .find("created_by") != std::string::npos);
  CHECK(worker.hermes.last_event() == before);

  CHECK(client.ask_tool("kanban_comment",
                        {{"task_id", worker.foreign}, {"body", "look"}})["author"] == "robot");
  const std::string made = client.ask_tool("kanban_create", {{"title", "next"}})["task_id"];
  CHECK(client.ask_tool("kanban_show", {{"task_id", made}})["task"]["created_by"] == "robot");
  CHECK(client.ask_tool("kanban_link",
                        {{"parent_id", worker.own}, {"child_id", made}})["existing"] == false);
}

TEST_CASE("a worker needs not name its task", "[mcp]") {
  const McpWorker worker;
  McpClient client(worker.hermes);
  client.initialize();
  const Json shown = client.ask_tool("kanban_show");
  CHECK(shown["task"]["id"] == worker.own);
  CHECK(shown["worker_context"].get<std::string>().find("do it") != std::string::npos);
  CHECK(client.ask_tool("kanban_heartbeat", {{"note", "half"}})["task_id"] == worker.own);
  CHECK(client.ask_tool("kanban_comment", {{"body", "hm"}})["task_id"] == worker.own);
  client.ask_tool("kanban_attach", {{"filename", "a.txt"}, {"content_base64", "aGk="}});
  CHECK(client.ask_tool("kanban_attachments")["attachments"][0]["filename"] == "a.txt");
  const Json done = client.ask_tool("kanban_complete", {{"summary", "made"}});
  CHECK(done["task_id"] == worker.own);
  CHECK(done["status"] == "done");
  // Over on another board its id means nothing.
  worker.hermes.add_board("other");
  CHECK(client.refusal("kanban_show", {{"board", "other"}}).find("task_id") != std::string::npos);
  for (const std::string tool : {"kanban_show", "kanban_attachments"}) {
    CHECK(is_said(client.refusal(tool, {{"board", "other"}, {"task_id", "t_00000000"}}),
                  "a worker reads its own board, 'default'"));
  }
}

TEST_CASE("a worker that was replaced is refused by every tool that changes its task", "[mcp]") {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"HERMES_KANBAN_RUN_TOKEN", "0123456789abcdef0123456789abcdef"},
           {"HERMES_KANBAN_RUN_TOKEN", ""},
           {"HERMES_KANBAN_RUN_ID", "4711"},
           {"HERMES_KANBAN_RUN_ID", "x"}}) {
    INFO(name << "=" << value);
    const std::string rule =
        value.empty() || value == "x" ? name + " is not set" : "no longer yours";
    McpWorker worker;
    worker.hermes.set(name, value);
    McpClient client(worker.hermes);
    client.initialize();
    const std::int64_t before = worker.hermes.last_event();
    const auto refused = [&](const std::string& tool, Json arguments) {
      const std::string said = client.refusal(tool, std::move(arguments));
      CHECK(is_said(said, rule));
    };
    refused("kanban_complete", {{"summary", "made"}});
    refused("kanban_block", {{"reason", "stuck"}});
    refused("kanban_heartbeat", Json::object());
    refused("kanban_attach", {{"filename", "a"}, {"content_base64", "aGk="}});
    CHECK(worker.hermes.last_event() == before);
  }
}

TEST_CASE("a worker whose run was taken away while it is served is refused from then on", "[mcp]") {
  McpWorker worker;
  McpClient client(worker.hermes);
  client.initialize();
  client.ask_tool("kanban_heartbeat");
  for (const std::string name : {"HERMES_KANBAN_TASK", "HERMES_KANBAN_RUN_ID",
                                 "HERMES_KANBAN_RUN_TOKEN", "HERMES_KANBAN_BOARD"}) {
    worker.hermes.unset(name);
  }
  REQUIRE(worker.hermes.kanban({"reclaim", worker.own}).status == 0);
  REQUIRE(worker.hermes.kanban({"claim", worker.own, "--as", "second"}).status == 0);
  const std::int64_t before = worker.hermes.last_event();
  const auto refused = [&](const std::string& tool, Json arguments) {
    const std::string said = client.refusal(tool, std::move(arguments));
    CHECK(is_said(said, "no longer yours"));
  };
  refused("kanban_complete", {{"summary", "late"}});
  refused("kanban_heartbeat", Json::object());
  refused("kanban_comment", {{"body", "late"}});
  refused("kanban_create", {{"title", "late"}});
  CHECK(worker.hermes.last_event() == before);
}

TEST_CASE("a worker whose board was lost on the way is told which variable is", "[mcp]") {
  McpWorker worker;
  worker.hermes.add_board("second");
  worker.hermes.unset("HERMES_KANBAN_BOARD");
  McpClient client(worker.hermes);
  client.initialize();
  const std::int64_t before = worker.hermes.last_event();
  for (const auto& [tool, arguments] : std::vector<std::pair<std::string, Json>>{
           {"kanban_show", Json::object()},
           {"kanban_attachments", Json::object()},
           {"kanban_heartbeat", {{"task_id", worker.own}}},
           {"kanban_comment", {{"task_id", worker.own}, {"body", "x"}}}}) {
    CHECK(is_said(client.refusal(tool, arguments), "HERMES_KANBAN_BOARD"));
  }
  CHECK(worker.hermes.last_event() == before);
}

TEST_CASE("a worker does not end without a word", "[mcp]") {
  const McpWorker worker;
  McpClient client(worker.hermes);
  client.initialize();
  const std::int64_t before = worker.hermes.last_event();
  CHECK(is_said(client.refusal("kanban_complete"), "summary and result are missing"));
  CHECK(is_said(client.refusal("kanban_complete", {{"summary", " "}, {"metadata", {{"n", 1}}}}),
                "summary and result are missing"));
  CHECK(is_said(client.refusal("kanban_block", {{"reason", " \n"}}), "reason is missing"));
  CHECK(worker.hermes.last_event() == before);
  CHECK(client.ask_tool("kanban_complete", {{"result", "made"}})["status"] == "done");
}

TEST_CASE("what a worker gives beyond the bounds is refused with the bound", "[mcp]") {
  const McpWorker worker;
  McpClient client(worker.hermes);
  client.initialize();
  const std::int64_t before = worker.hermes.last_event();
  const auto text = [](std::size_t bytes) { return std::string(bytes + 1, 'x'); };
  CHECK(is_said(client.refusal("kanban_comment", {{"body", text(64 * 1024)}}), "65536"));
  CHECK(is_said(client.refusal("kanban_create", {{"title", "t"}, {"body", text(1024 * 1024)}}),
                "1048576"));
  CHECK(is_said(client.refusal("kanban_complete",
                               {{"summary", "s"}, {"metadata", {{"a", text(256 * 1024)}}}}),
                "262144"));
  CHECK(is_said(
      client.refusal("kanban_create", {{"title", "t"}, {"parents", Json(1001, worker.own)}}),
      "1000"));
  CHECK(worker.hermes.last_event() == before);
}

TEST_CASE("a board that is not there is an error and is never made", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  for (const std::string board : {"nosuch", "No Such", "../default", "a/b", ""}) {
    INFO(board);
    client.refusal("kanban_list", {{"board", board}});
    client.refusal("kanban_create", {{"title", "x"}, {"board", board}});
  }
  CHECK(!std::filesystem::exists(hermes.home() / "boards" / "nosuch"));
  hermes.add_board("second");
  client.ask_tool("kanban_create", {{"title", "there"}, {"board", "second"}});
  CHECK(client.ask_tool("kanban_list", {{"board", "second"}})["count"] == 1);
  CHECK(client.ask_tool("kanban_list")["count"] == 0);
}

TEST_CASE("a session stays on the board that it began with, whoever switches boards", "[mcp]") {
  const Hermes hermes;
  hermes.add_board("second");
  McpClient before(hermes, {"--orchestrator"});
  before.initialize();
  REQUIRE(hermes.kanban({"boards", "switch", "second"}).status == 0);
  before.ask_tool("kanban_create", {{"title", "of the first"}});
  McpClient after(hermes, {"--orchestrator"});
  after.initialize();
  after.ask_tool("kanban_create", {{"title", "of the second"}});
  for (McpClient* client : {&before, &after}) {
    CHECK(client->ask_tool("kanban_list")["count"] == 1);
    CHECK(client->ask_tool("kanban_list", {{"board", "default"}})["tasks"][0]["title"] ==
          "of the first");
    CHECK(client->ask_tool("kanban_list", {{"board", "second"}})["tasks"][0]["title"] ==
          "of the second");
  }
  REQUIRE(hermes.kanban({"boards", "switch", "default"}).status == 0);
  REQUIRE(hermes.kanban({"boards", "rm", "second"}).status == 0);
  CHECK(is_said(after.refusal("kanban_list"), "began with, 'second', is gone"));
  CHECK(after.ask_tool("kanban_list", {{"board", "default"}})["count"] == 1);
  const Json listed = after.request("resources/list")["result"]["resources"];
  REQUIRE(listed.size() == 1);
  CHECK(listed[0]["uri"] == "hermes://board/default");
}

TEST_CASE("a session that began before there was a board stays on the first that there is",
          "[mcp]") {
  const Hermes hermes(false);
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  client.refusal("kanban_list");
  REQUIRE(hermes.run({"init"}).status == 0);
  client.ask_tool("kanban_create", {{"title", "of the first"}});
  hermes.add_board("second");
  REQUIRE(hermes.kanban({"boards", "switch", "second"}).status == 0);
  CHECK(client.ask_tool("kanban_list")["count"] == 1);
}

}  // namespace hermes::test
