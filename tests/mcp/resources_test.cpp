#include <catch2/catch.hpp>

#include "mcp/client.hpp"

namespace hermes::test {

namespace {

std::vector<std::string> uris(McpClient& client) {
  std::vector<std::string> out;
  const Json resources = client.request("resources/list")["result"]["resources"];
  for (const Json& resource : resources) {
    out.push_back(resource["uri"]);
  }
  return out;
}

Json read(McpClient& client, const std::string& uri) {
  const Json response = client.request("resources/read", {{"uri", uri}});
  INFO(response.dump());
  REQUIRE(response.contains("result"));
  REQUIRE(response["result"]["contents"][0]["uri"] == uri);
  return response["result"]["contents"][0];
}

int code_of_reading(McpClient& client, const std::string& uri) {
  const Json response = client.request("resources/read", {{"uri", uri}});
  INFO(uri << ": " << response.dump());
  REQUIRE(response.contains("error"));
  return response["error"]["code"];
}

}  // namespace

TEST_CASE("an orchestrator reads boards, tasks and what their workers are given", "[mcp]") {
  const Hermes hermes;
  hermes.add_board("second");
  const std::string id = hermes.create({"a task", "--body", "do it"});
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const std::string board = "hermes://board/default";
  const auto listed = uris(client);
  for (const std::string& uri :
       {board, std::string("hermes://board/second"), board + "/task/" + id}) {
    CHECK(std::ranges::find(listed, uri) != listed.end());
  }
  const Json picture = Json::parse(read(client, board)["text"].get<std::string>());
  CHECK(picture["by_status"]["ready"] == 1);
  CHECK(picture["open_tasks"][0]["id"] == id);
  CHECK(picture["truncated"] == false);
  const Json task = Json::parse(read(client, board + "/task/" + id)["text"].get<std::string>());
  CHECK(task["task"]["body"] == "do it");
  const Json context = read(client, board + "/task/" + id + "/context");
  CHECK(context["mimeType"] == "text/markdown");
  CHECK(context["text"] == hermes.kanban({"context", id}).out);
  CHECK(client.request("resources/templates/list")["result"]["resourceTemplates"].size() == 3);
}

TEST_CASE("what is no resource is not found, and nothing is made", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  for (const std::string uri :
       {"hermes://board/nosuch", "hermes://board/", "hermes://board/default/", "file:///etc/passwd",
        "hermes://board/default/task/t_00000000", "hermes://board/default/task/",
        "hermes://board/default/task/x/y", "hermes://board/default/tasks/x",
        "hermes://board/../default", "hermes://board/default/task/../x/context", ""}) {
    CHECK(code_of_reading(client, uri) == -32002);
  }
  const Json far = client.request("resources/read", {{"uri", std::string(100'000, 'x')}});
  CHECK(far["error"].dump().size() < 2000);
  CHECK(client.request("resources/read")["error"]["code"] == -32602);
  CHECK(!std::filesystem::exists(hermes.home() / "boards" / "nosuch"));
}

TEST_CASE("a worker reads its own board alone", "[mcp]") {
  const McpWorker worker;
  worker.hermes.add_board("second");
  McpClient client(worker.hermes);
  client.initialize();
  CHECK(uris(client) ==
        std::vector<std::string>{"hermes://board/default/task/" + worker.own,
                                 "hermes://board/default/task/" + worker.own + "/context",
                                 "hermes://board/default"});
  read(client, "hermes://board/default/task/" + worker.foreign);
  CHECK(code_of_reading(client, "hermes://board/second") == -32002);
}

TEST_CASE("the list of resources and the picture of a board are bounded", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  for (int i = 0; i < 205; ++i) {
    client.ask_tool("kanban_create", {{"title", "t"}});
  }
  CHECK(uris(client).size() == 51);
  const Json picture =
      Json::parse(read(client, "hermes://board/default")["text"].get<std::string>());
  CHECK(picture["count"] == 200);
  CHECK(picture["truncated"] == true);
}

TEST_CASE("prompts hold the task, and what to do with it", "[mcp]") {
  const McpWorker worker;
  McpClient client(worker.hermes);
  client.initialize();
  CHECK(client.request("prompts/list")["result"]["prompts"].size() == 2);
  const auto is_held = [](const Json& result, const std::string& id, const std::string& body) {
    const std::string text = result["messages"][0]["content"]["text"];
    return text.find(id) != std::string::npos && text.find(body) != std::string::npos &&
           text.find("kanban_") != std::string::npos;
  };
  CHECK(is_held(client.request("prompts/get", {{"name", "work-task"}})["result"], worker.own,
                "do it"));
  CHECK(client.request("prompts/get", {{"name", "triage-card"}})["error"]["message"]
            .get<std::string>()
            .find("is running") != std::string::npos);
  CHECK(client.request("prompts/get", {{"name", "other"}})["error"]["code"] == -32602);
  CHECK(client.request("prompts/get",
                       {{"name", "work-task"},
                        {"arguments", {{"task_id", "t_nosuch"}}}})["error"]["code"] == -32602);

  const Hermes hermes;
  McpClient person(hermes, {"--orchestrator"});
  person.initialize();
  CHECK(person.request("prompts/get", {{"name", "work-task"}})["error"]["code"] == -32602);
  hermes.add_board("second");
  const std::string idea = person.ask_tool(
      "kanban_create",
      {{"title", "t"}, {"body", "an idea"}, {"triage", true}, {"board", "second"}})["task_id"];
  const auto card = [&](const Json& arguments) {
    return person.request("prompts/get", {{"name", "triage-card"}, {"arguments", arguments}});
  };
  CHECK(is_held(card({{"task_id", idea}, {"board", "second"}})["result"], idea, "an idea"));
  CHECK(card({{"task_id", idea}}).contains("error"));
  CHECK(card({{"task_id", idea}, {"board", 7}}).contains("error"));
}

}  // namespace hermes::test
