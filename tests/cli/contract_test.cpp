// What scripts have learnt to rely on. A key that goes away or changes its type breaks them, so a
// change here is a change of the interface.
#include <catch2/catch.hpp>

#include <map>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

// "?" after a type: may be null.
const std::map<std::string, std::string> k_task{{"id", "string"},
                                                {"title", "string"},
                                                {"body", "string?"},
                                                {"assignee", "string?"},
                                                {"status", "string"},
                                                {"priority", "number"},
                                                {"tenant", "string?"},
                                                {"workspace_kind", "string"},
                                                {"workspace_path", "string?"},
                                                {"branch_name", "string?"},
                                                {"project_id", "string?"},
                                                {"created_by", "string?"},
                                                {"created_at", "number"},
                                                {"started_at", "number?"},
                                                {"completed_at", "number?"},
                                                {"result", "string?"},
                                                {"skills", "array"},
                                                {"max_retries", "number?"},
                                                {"session_id", "string?"},
                                                {"workflow_template_id", "string?"},
                                                {"current_step_key", "string?"},
                                                {"provider_override", "string?"},
                                                {"model_override", "string?"},
                                                // of this product
                                                {"lane", "string"},
                                                {"idempotency_key", "string?"},
                                                {"failures", "number"},
                                                {"violations", "number"},
                                                {"last_failure_kind", "string?"},
                                                {"last_failure", "string?"},
                                                {"block_source", "string?"},
                                                {"block_kind", "string?"},
                                                {"block_reason", "string?"},
                                                {"hold_reason", "string?"},
                                                {"held_until_ms", "number?"},
                                                {"wake_at_ms", "number?"},
                                                {"ready_since_ms", "number?"},
                                                {"created_at_ms", "number"},
                                                {"updated_at_ms", "number"},
                                                {"completed_at_ms", "number?"},
                                                {"max_runtime_ms", "number?"},
                                                {"goal_mode", "boolean"},
                                                {"goal_max_turns", "number?"},
                                                {"current_run_id", "number?"}};

void check_task(Json task) {
  task.erase("existing");  // of create alone
  for (const auto& [key, value] : task.items()) {
    CAPTURE(key);
    CHECK(k_task.contains(key));
  }
  for (const auto& [key, type] : k_task) {
    CAPTURE(key, task.dump());
    REQUIRE(task.contains(key));
    CHECK((task[key].type_name() + std::string("?") == type || task[key].type_name() == type ||
           (task[key].is_null() && type.ends_with("?"))));
  }
}

Json json(const Hermes& hermes, std::vector<std::string> words) {
  words.emplace_back("--json");
  const Ran ran = hermes.kanban(words);
  CAPTURE(words, ran.err);
  REQUIRE(ran.status == 0);
  return Json::parse(ran.out);
}

}  // namespace

TEST_CASE("a task object has the same keys and types wherever it is printed", "[cli]") {
  const Hermes hermes;
  check_task(json(hermes, {"create", "bare"}));
  const Json full =
      json(hermes, {"create",        "full",    "--body",        "b",  "--assignee",        "ann",
                    "--tenant",      "acme",    "--skill",       "s",  "--priority",        "3",
                    "--max-retries", "2",       "--max-runtime", "1m", "--idempotency-key", "k",
                    "--workspace",   "dir:/tmp"});
  check_task(full);
  const std::string id = full["id"];
  CHECK(full["assignee"] == "ann");  // one name has one spelling, whoever writes it
  CHECK(json(hermes, {"list", "--assignee", "ANN"}).size() == 1);
  REQUIRE(hermes.kanban({"block", id, "why?", "--kind", "needs_input"}).status == 0);
  check_task(json(hermes, {"show", id})["task"]);
  REQUIRE(hermes.kanban({"unblock", id}).status == 0);
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  check_task(json(hermes, {"show", id})["task"]);
  REQUIRE(hermes.kanban({"complete", id, "--result", "r"}).status == 0);
  for (const Json& task : json(hermes, {"list"})) {
    check_task(task);
  }
  // Every event has its number, so that a reader can go on where it was.
  std::int64_t last = 0;
  const Json whole = json(hermes, {"show", id});  // named: a part of a temporary would dangle
  for (const Json& event : whole["events"]) {
    CHECK(event["seq"].get<std::int64_t>() > last);
    last = event["seq"];
  }
}

}  // namespace hermes::test
