// Goal mode, with scripts in place of an agent and of a judge.
#include <catch2/catch.hpp>

#include <fstream>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;
using Catch::Matchers::Contains;

namespace hermes::test {

namespace {

// A worker by hand, whose `hermes` scripts can call by $HERMES.
struct GoalWorker {
  Hermes hermes;
  std::string task = hermes.create({"a goal"});

  GoalWorker() {
    const Json claim = json_of(hermes.kanban({"claim", task, "--as", "robot", "--json"}));
    hermes.set("HERMES_KANBAN_BOARD", "default");
    hermes.set("HERMES_KANBAN_TASK", task);
    hermes.set("HERMES_KANBAN_RUN_ID", claim["run_id"].dump());
    hermes.set("HERMES_KANBAN_RUN_TOKEN", claim["token"].get<std::string>());
    hermes.set("HERMES_PROFILE", "robot");
    hermes.set("HERMES", HERMES_BINARY);
    hermes.set("DIR", hermes.dir().string());
  }
  Ran goal(const std::string& judge, const std::string& agent,
           const std::vector<std::string>& flags = {}) const {
    std::vector<std::string> words{"goal", "--judge", judge};
    words.insert(words.end(), flags.begin(), flags.end());
    words.insert(words.end(), {"--", "bash", "-c", agent});
    return hermes.kanban(words);
  }
  Json shown() const { return json_of(hermes.kanban({"show", task, "--json"})); }
  std::string status() const { return shown()["task"]["status"]; }
};

constexpr const char* k_count = "echo x >>\"$DIR/turns\"";
constexpr const char* k_third =
    "[ $(wc -l <\"$DIR/turns\") -ge 3 ] || { echo only $(wc -l "
    "<\"$DIR/turns\"); exit 1; }";

}  // namespace

TEST_CASE("an agent is run again until the judge agrees, and is told what the judge said",
          "[cli]") {
  const GoalWorker worker;
  const Ran ran = worker.goal(k_third, std::string(k_count) +
                                           "; echo \"turn $HERMES_KANBAN_GOAL_TURN: "
                                           "$HERMES_KANBAN_GOAL_FEEDBACK\"");
  INFO(ran.err);
  CHECK(ran.status == 0);
  CHECK_THAT(ran.out, Contains("turn 2: only 1") && Contains("turn 3: only 2"));
  CHECK_THAT(ran.out, Contains("The goal is reached after turn 3"));
  CHECK(worker.status() == "done");
}

TEST_CASE("when the turns are over the task is blocked with what the judge said last", "[cli]") {
  const GoalWorker worker;
  const Ran ran = worker.goal("echo not good; exit 1", k_count, {"--max-turns", "2"});
  CHECK(ran.status == 0);
  CHECK(worker.status() == "blocked");
  CHECK_THAT(worker.shown()["task"].dump(), Contains("not reached after 2 turns: not good"));
}

TEST_CASE("the agent's own complete and block pass the same judge", "[cli]") {
  const GoalWorker worker;
  const Ran ran = worker.goal(
      k_third, std::string(k_count) +
                   "; \"$HERMES\" kanban complete \"$HERMES_KANBAN_TASK\" --summary mine; echo "
                   "complete $?; \"$HERMES\" kanban block \"$HERMES_KANBAN_TASK\" out; echo block "
                   "$?; true");
  INFO(ran.out << ran.err);
  CHECK_THAT(ran.out, Contains("complete 1\nblock 1"));
  CHECK_THAT(ran.err, Contains("the judge of this goal does not agree to complete: only 1"));
  CHECK_THAT(ran.err, Contains("does not agree to block"));
  CHECK(worker.status() == "done");
  CHECK(worker.shown()["runs"][0]["summary"] == "mine");  // the judge let it pass in turn 3
}

TEST_CASE("a broken judge approves nothing", "[cli]") {
  for (const std::string judge : {"exit 2", "/no/such/judge", "kill -9 $$"}) {
    const GoalWorker worker;
    const Ran ran = worker.goal(
        judge, "\"$HERMES\" kanban complete \"$HERMES_KANBAN_TASK\" --summary mine; true");
    INFO(judge << ran.out << ran.err);
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, Contains("the judge "));
    CHECK(worker.status() == "running");
  }
}

TEST_CASE("an agent that cannot go on is no turn: later is later, three failures are one",
          "[cli]") {
  const GoalWorker worker;
  CHECK(worker.goal("exit 1", "exit 75").status == 75);
  CHECK(worker.goal("exit 1", std::string(k_count) + "; exit 9").status == 9);
  std::ifstream turns(worker.hermes.dir() / "turns");
  CHECK(std::count(std::istreambuf_iterator<char>(turns), {}, '\n') == 3);
  CHECK(worker.status() == "running");
  Hermes outside;
  CHECK(outside.kanban({"goal", "--judge", "true", "--", "true"}).status == 2);
}

}  // namespace hermes::test
