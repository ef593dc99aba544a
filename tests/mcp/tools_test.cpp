#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "mcp/client.hpp"

namespace hermes::test {

namespace {

Json tool_named(McpClient& client, const std::string& name) {
  const Json tools = client.request("tools/list")["result"]["tools"];
  for (const Json& tool : tools) {
    if (tool["name"] == name) {
      return tool;
    }
  }
  return nullptr;
}

}  // namespace

TEST_CASE("the schema of a tool is that of its verb", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const Json list = tool_named(client, "kanban_list");
  CHECK(list["inputSchema"]["additionalProperties"] == false);
  CHECK(list["inputSchema"]["properties"]["limit"]["minimum"] == 1);
  CHECK(list["inputSchema"]["properties"]["limit"]["maximum"] == 200);
  CHECK(list["inputSchema"]["properties"]["status"]["enum"].size() == 9);
  CHECK(list["annotations"]["readOnlyHint"] == true);
  CHECK(!list["inputSchema"].contains("required"));
  const Json create = tool_named(client, "kanban_create");
  CHECK(create["inputSchema"]["required"] == Json::array({"title"}));
  CHECK(create["inputSchema"]["properties"]["parents"]["type"] == "array");
  CHECK(create["inputSchema"]["properties"]["triage"]["type"] == "boolean");
  CHECK(create["annotations"]["readOnlyHint"] == false);
  CHECK(tool_named(client, "kanban_complete")["inputSchema"]["properties"]["metadata"]["type"] ==
        "object");
  CHECK(tool_named(client, "kanban_block")["inputSchema"]["required"] ==
        Json::array({"task_id", "reason"}));
  const Json tools = client.request("tools/list")["result"]["tools"];
  for (const Json& tool : tools) {
    INFO(tool.dump());
    CHECK(tool["outputSchema"]["type"] == "object");
    CHECK(tool["annotations"]["openWorldHint"] == false);
    CHECK(tool["description"].get<std::string>().size() > 40);
    for (const auto& [name, schema] : tool["inputSchema"]["properties"].items()) {
      CHECK(!schema["description"].get<std::string>().empty());
    }
  }

  const McpWorker worker;
  McpClient inside(worker.hermes);
  inside.initialize();
  CHECK(tool_named(inside, "kanban_block")["inputSchema"]["required"] == Json::array({"reason"}));
}

TEST_CASE("files that an agent names count from its workspace, wherever its server runs", "[mcp]") {
  McpWorker worker;
  const std::string scratch = (worker.hermes.board() / "workspaces" / worker.own).string();
  worker.hermes.set("HERMES_KANBAN_WORKSPACE", scratch);
  std::filesystem::create_directories(scratch);
  std::ofstream(std::filesystem::path(scratch) / "report.md") << "all of it";
  McpClient client(worker.hermes);
  client.initialize();
  const Json done =
      client.ask_tool("kanban_complete", {{"summary", "s"}, {"artifacts", {"report.md"}}});
  REQUIRE(done["artifacts"].size() == 1);
  CHECK(done["artifacts"][0].get<std::string>().find("/attachments/") != std::string::npos);
}

TEST_CASE("wrong arguments are refused so that a model can mend them", "[mcp]") {
  const Hermes hermes;
  const std::string id = hermes.create({"t"});
  const std::int64_t before = hermes.last_event();
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  struct Wrong {
    std::string tool;
    Json arguments;
    std::string said;
  };
  for (const Wrong& wrong : std::vector<Wrong>{
           {"kanban_create", Json::object(), "title is missing"},
           {"kanban_create", {{"title", 7}}, "title must be a string"},
           {"kanban_create", {{"title", "x"}, {"titel", "y"}}, "did you mean title"},
           {"kanban_create", {{"title", "x"}, {"parents", "t_1"}}, "parents must be a list"},
           {"kanban_create", {{"title", "x"}, {"parents", {7}}}, "parents must be a string"},
           {"kanban_create", {{"title", "x"}, {"parents", {"t_00000000"}}}, "t_00000000"},
           {"kanban_create", {{"title", "x"}, {"triage", "yes"}}, "true or false"},
           {"kanban_create", {{"title", "x"}, {"priority", 1.5}}, "whole number"},
           {"kanban_create", {{"title", "x"}, {"priority", 1e30}}, "priority"},
           {"kanban_create", {{"title", "x"}, {"max_runtime", "soon"}}, "max_runtime"},
           {"kanban_create", {{"title", "x"}, {"initial_status", "done"}}, "running, blocked"},
           {"kanban_create", {{"title", "  "}}, "title"},
           {"kanban_create", {{"title", std::string("a\0b", 3)}}, "the title"},
           {"kanban_create", {{"title", "x"}, {"board", 7}}, "board must be a string"},
           {"kanban_create", {{"title", "x"}, {"assignee", " "}}, "assignee is blank"},
           {"kanban_create", {{"title", "x"}, {"goal_max_turns", 3}}, "make it a goal"},
           {"kanban_create", {{"title", "x"}, {"skills", {"a,b"}}}, "contains a comma"},
           {"kanban_create", {{"title", "x"}, {"at", 4102444800}, {"in", "1h"}}, "both given"},
           {"kanban_create", {{"title", "x"}, {"workspace", "moon"}}, "workspace 'moon'"},
           {"kanban_create", {{"title", "x"}, {"workspace", "dir"}}, "names no path"},
           {"kanban_create", {{"title", "x"}, {"branch", "b"}}, "needs worktree"},
           {"kanban_create", {{"title", "x"}, {"board", "nosuch"}}, "no board 'nosuch'"},
           {"kanban_complete", {{"task_id", id}, {"artifacts", {""}}}, "artifact is empty"},
           {"kanban_complete",
            {{"task_id", id}, {"created_cards", {"t_00000000"}}},
            "no such task"},
           {"kanban_link", {{"parent_id", id}, {"child_id", "t_00000000"}}, "t_00000000"},
           {"kanban_list", {{"limit", 0}}, "from 1 to 200"},
           {"kanban_list", {{"limit", 201}}, "from 1 to 200"},
           {"kanban_list", {{"limit", "many"}}, "whole number"},
           {"kanban_list", {{"status", "finished"}}, "must be one of"},
           {"kanban_show", Json::object(), "task_id is missing"},
           {"kanban_show", {{"task_id", "t_nosuch"}}, "t_nosuch"},
           {"kanban_block", {{"task_id", id}}, "reason is missing"},
           {"kanban_complete", {{"task_id", id}, {"metadata", "{}"}}, "metadata must be an object"},
           {"kanban_complete", {{"task_id", id}, {"artifacts", "a"}}, "artifacts must be a list"},
           {"kanban_attach",
            {{"task_id", id}, {"filename", "a"}, {"content_base64", "a"}},
            "content_base64"},
           {"kanban_link", {{"parent_id", id}, {"child_id", id}}, id},
           {"kanban_unblock", {{"task_id", id}}, "ready"},
       }) {
    INFO(wrong.tool << " " << wrong.arguments.dump());
    const std::string text = client.refusal(wrong.tool, wrong.arguments);
    INFO(text);
    CHECK(text.find(wrong.said) != std::string::npos);
    CHECK(text.find("--") == std::string::npos);  // that is how people give them
  }
  CHECK(hermes.last_event() == before);
}

TEST_CASE("a list is bounded and says how to see more", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  for (int i = 0; i < 60; ++i) {
    client.ask_tool("kanban_create", {{"title", "t"}, {"body", std::string(100, 'b')}});
  }
  const Json first = client.ask_tool("kanban_list");
  CHECK(first["count"] == 50);
  CHECK(first["tasks"].size() == 50);
  CHECK(first["limit"] == 50);
  CHECK(first["truncated"] == true);
  CHECK(first["next_limit"] == 100);
  CHECK(!first["tasks"][0].contains("body"));
  const Json all = client.ask_tool("kanban_list", {{"limit", first["next_limit"]}});
  CHECK(all["count"] == 60);
  CHECK(all["truncated"] == false);
  CHECK(all["next_limit"].is_null());
  CHECK(client.ask_tool("kanban_list", {{"limit", 60.0}, {"assignee", nullptr}})["truncated"] ==
        false);
}

TEST_CASE("what a task shows is bounded, the newest kept", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const std::string id = client.ask_tool("kanban_create", {{"title", "t"}})["task_id"];
  for (int i = 0; i < 55; ++i) {
    client.ask_tool("kanban_comment", {{"task_id", id}, {"body", "comment " + std::to_string(i)}});
  }
  client.ask_tool("kanban_comment", {{"task_id", id}, {"body", std::string(60'000, 'x')}});
  const Json shown = client.ask_tool("kanban_show", {{"task_id", id}});
  CHECK(shown["comments"].size() == 50);
  CHECK(shown["left_out"]["comments"] == 6);
  CHECK(shown["comments"][0]["body"] == "comment 6");
  CHECK(shown["comments"][49]["body"].get<std::string>().size() < 9000);
}

TEST_CASE("an answer stays small, however much a task has", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  Json many = Json::object();  // nearly as much as metadata may be, in small leaves
  for (int i = 0; i < 10'000; ++i) {
    many["key" + std::to_string(i)] = i;
  }
  const std::string parent = client.ask_tool(
      "kanban_create", {{"title", "t"}, {"body", std::string(900'000, 'b')}})["task_id"];
  for (int i = 0; i < 210; ++i) {
    const std::string child = client.ask_tool(
        "kanban_create", {{"title", std::string(900, 'c')}, {"parents", {parent}}})["task_id"];
    if (i < 60) {
      client.ask_tool("kanban_block", {{"task_id", child}, {"reason", std::string(60'000, 'r')}});
    }
  }
  client.ask_tool("kanban_complete", {{"task_id", parent},
                                      {"result", std::string(60'000, 's')},
                                      {"summary", std::string(60'000, 's')},
                                      {"metadata", std::move(many)}});
  const Json shown = client.ask_tool("kanban_show", {{"task_id", parent}});
  CHECK(shown.dump().size() < 250'000);
  CHECK(shown["children"].size() == 200);
  CHECK(shown["left_out"]["children"] == 10);
  CHECK(shown["left_out"]["parents"] == 0);
  CHECK(shown["task"]["body"].get<std::string>().find("more bytes") != std::string::npos);
  CHECK(shown["task"]["result"].get<std::string>().size() < 9000);
  CHECK(shown["latest_summary"].get<std::string>().size() < 9000);
  CHECK(shown["runs"][0]["metadata"].dump().size() < 10'000);
  CHECK(shown["notes"][0] ==
        "the body is cut; `hermes kanban show " + parent + "` prints all of it");

  const Json blocked = client.ask_tool("kanban_list", {{"status", "blocked"}, {"limit", 200}});
  CHECK(blocked["count"] == 60);
  CHECK(blocked.dump().size() < 100'000);
  const Json read = client.request("resources/read", {{"uri", "hermes://board/default"}});
  CHECK(read["result"]["contents"][0]["text"].get<std::string>().size() < 300'000);
}

TEST_CASE("a task lives from its creation to its end over tools alone", "[mcp]") {
  const Hermes hermes;
  McpClient person(hermes, {"--orchestrator"});
  person.initialize();
  const std::string parent = person.ask_tool("kanban_create", {{"title", "first"}})["task_id"];
  const Json child = person.ask_tool(
      "kanban_create", {{"title", "second"}, {"parents", {parent}}, {"idempotency_key", "k"}});
  CHECK(child["status"] == "todo");
  CHECK(
      person.ask_tool("kanban_create", {{"title", "again"}, {"idempotency_key", "k"}})["task_id"] ==
      child["task_id"]);
  CHECK(person.ask_tool("kanban_block", {{"task_id", parent},
                                         {"reason", "a question"},
                                         {"kind", "needs_input"}})["status"] == "blocked");
  CHECK(person.ask_tool("kanban_unblock", {{"task_id", parent}})["status"] == "ready");
  const Json done = person.ask_tool(
      "kanban_complete", {{"task_id", parent}, {"summary", "made"}, {"metadata", {{"n", 1}}}});
  CHECK(done["status"] == "done");
  CHECK(person.refusal("kanban_complete", {{"task_id", parent}}).find("done") != std::string::npos);
  const Json shown = person.ask_tool("kanban_show", {{"task_id", child["task_id"]}});
  CHECK(shown["task"]["status"] == "ready");
  CHECK(shown["worker_context"].get<std::string>().find("made") != std::string::npos);
}

TEST_CASE("an attached file is kept byte for byte under a safe name", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const std::string id = client.ask_tool("kanban_create", {{"title", "t"}})["task_id"];
  const Json kept = client.ask_tool(
      "kanban_attach",
      {{"task_id", id}, {"filename", "../../etc/passwd"}, {"content_base64", "AP/+Cg=="}});
  CHECK(kept["filename"] == "passwd");
  CHECK(kept["size"] == 4);
  const Json listed = client.ask_tool("kanban_attachments", {{"task_id", id}});
  CHECK(listed["count"] == 1);
  const std::filesystem::path path = listed["attachments"][0]["stored_path"];
  CHECK(path.parent_path() == hermes.board() / "attachments" / id);
  const Ran read = hermes.run_program({"od", "-An", "-tx1", path.string()});
  CHECK(read.out.find("00 ff fe 0a") != std::string::npos);
}

TEST_CASE("texts of any script come back as they were over MCP", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const std::string title = "\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\x89 \"quoted\" \\ -- --help {x}";
  const std::string id = client.ask_tool("kanban_create", {{"title", title}})["task_id"];
  CHECK(client.ask_tool("kanban_show", {{"task_id", id}})["task"]["title"] == title);
}

}  // namespace hermes::test
