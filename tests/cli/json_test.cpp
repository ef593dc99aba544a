#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <set>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

std::set<std::string> keys(const Json& object) {
  std::set<std::string> out;
  for (const auto& [key, ignored] : object.items()) {
    out.insert(key);
  }
  return out;
}

const std::set<std::string> k_task_keys{"id",
                                        "title",
                                        "body",
                                        "assignee",
                                        "status",
                                        "priority",
                                        "tenant",
                                        "workspace_kind",
                                        "workspace_path",
                                        "branch_name",
                                        "project_id",
                                        "created_by",
                                        "created_at",
                                        "started_at",
                                        "completed_at",
                                        "result",
                                        "skills",
                                        "max_retries",
                                        "session_id",
                                        "workflow_template_id",
                                        "current_step_key",
                                        "provider_override",
                                        "model_override"};

}  // namespace

TEST_CASE("with --json every verb prints JSON and nothing else on standard output", "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a", "--assignee", "shell"});
  const std::string b = hermes.create({"b", "--triage"});
  const std::string c = hermes.create({"c"});
  const std::vector<std::vector<std::string>> rows{
      {"kanban", "list"},
      {"kanban", "show", a},
      {"kanban", "runs", a},
      {"kanban", "why", a},
      {"kanban", "stats"},
      {"kanban", "context", a},
      {"kanban", "doctor"},
      {"kanban", "comment", a, "x"},
      {"kanban", "link", b, c},
      {"kanban", "unlink", b, c},
      {"kanban", "claim", c},
      {"kanban", "heartbeat", c},
      {"kanban", "reclaim", c},
      {"kanban", "promote", b},
      {"kanban", "block", b, "why"},
      {"kanban", "unblock", b},
      {"kanban", "complete", b},
      {"kanban", "archive", b},
      {"kanban", "attachments", a},
      {"kanban", "gc"},
      {"kanban", "repair"},
      {"kanban", "boards", "list", "--all"},
      {"kanban", "boards", "rename", "default", "x"},
      {"kanban", "boards", "set-default-workdir", "default"},
      {"version"},
      {"init"},
  };
  for (std::vector<std::string> words : rows) {
    INFO(words.front() << " " << words.back());
    words.emplace_back("--json");
    const Ran ran = hermes.run(words);
    CHECK(ran.status == 0);
    CHECK(Json::accept(ran.out));
    CHECK(ran.err.empty());
  }
}

TEST_CASE("a task object has the 23 keys that scripts know, in whole seconds", "[cli]") {
  const Hermes hermes;
  const Ran ran = hermes.kanban({"create", "a", "--json", "--skill", "x", "--skill", "y",
                                 "--max-retries", "3", "--max-runtime", "1.5h"});
  const Json task = Json::parse(ran.out);
  for (const std::string& key : k_task_keys) {
    CHECK(task.contains(key));
  }
  CHECK(task["assignee"].is_null());
  CHECK(task["tenant"].is_null());
  CHECK(task["project_id"].is_null());
  CHECK(task["skills"] == Json({"x", "y"}));
  CHECK(task["max_retries"] == 3);
  CHECK(task["max_runtime_ms"] == 5'400'000);
  CHECK(task["created_at"].get<std::int64_t>() == task["created_at_ms"].get<std::int64_t>() / 1000);
  CHECK(task["existing"] == false);
  CHECK(ran.err.empty());
}

TEST_CASE("show has the predecessor's keys", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes
              .kanban({"complete", id, "--summary", "first\nsecond", "--metadata",
                       R"({"n": [1, "ä"]})"})
              .status == 0);
  const Json whole = Json::parse(hermes.kanban({"show", id, "--json"}).out);
  CHECK(keys(whole) == std::set<std::string>{"task", "diagnostics", "latest_summary", "parents",
                                             "children", "attachments", "comments", "events",
                                             "planning", "runs"});
  CHECK(whole["latest_summary"] == "first\nsecond");
  CHECK(whole["runs"][0]["metadata"] == Json::parse(R"({"n": [1, "ä"]})"));
  CHECK(whole["runs"][0]["status"] == "done");
  CHECK(whole["events"][0]["payload"].is_object());
  const Json filtered = Json::parse(
      hermes.kanban({"show", id, "--json", "--state-type", "outcome", "--state-name", "crashed"})
          .out);
  CHECK(filtered["runs"].empty());
}

TEST_CASE("stats leave out zero counts and archived tasks", "[cli]") {
  const Hermes hermes;
  hermes.create({"a", "--assignee", "Shell"});
  REQUIRE(hermes.kanban({"archive", hermes.create({"b"})}).status == 0);
  const Json stats = Json::parse(hermes.kanban({"stats", "--json"}).out);
  CHECK(stats["by_status"] == Json({{"ready", 1}}));
  CHECK(stats["by_assignee"] == Json({{"shell", {{"ready", 1}}}}));
  CHECK(stats["oldest_ready_age_seconds"].is_number_integer());
  CHECK(stats["now"].is_number_integer());
}

}  // namespace hermes::test
