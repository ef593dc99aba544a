// What a real dispatcher does with tasks that sleep and tasks that are reviewed.
#include <fmt/core.h>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

// Well below the dispatcher's safety net of 60 s: nothing here is found by looking now and then.
constexpr Millis k_well_below_interval{20'000};

Instant woken_at(BoardHand& board, const std::string& id) {
  for (const Event& event : board.read([&](db::Reader& tx) { return board::events_of(tx, id); })) {
    if (event.kind == "woken") {
      return event.at;
    }
  }
  return {0};
}

}  // namespace

TEST_CASE("promote starts a task that is held at once", "[daemon]") {
  Rig rig("[retry]\nbase = \"1h\"\nmax = \"1h\"\n");
  BoardHand& board = rig.board();
  const std::string id = board.add("[ -e '" + rig.path("mended").string() + "' ]");
  rig.start();
  REQUIRE(wait_until([&] { return board.task(id).failures == 1; }, k_patience));
  CHECK(rig.run_hermes({"kanban", "why", id}).out.find("`promote` tries it now") !=
        std::string::npos);
  rig.open("mended");
  REQUIRE(rig.run_hermes({"kanban", "promote", id}).status == 0);
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.runs(id).size() == 2);
}

TEST_CASE("a scheduled task is woken at its time and runs, one without a time sleeps on",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  rig.start();
  const Instant wake_at = wall_clock_now() + Millis{1500};
  const std::string id =
      board.create({.title = "a", .body = "echo awake", .scheduled = true, .wake_at = wake_at});
  const std::string sleeper = board.create({.title = "b", .body = "exit 0", .scheduled = true});
  REQUIRE(board.wait_for(id, Status::done));
  const Instant woken = woken_at(board, id);
  CHECK(woken >= wake_at);
  CHECK(woken - wake_at < k_well_below_interval);
  CHECK(board.last_run(id).started_at >= wake_at);
  CHECK(board.log(id) == "awake\n");
  CHECK(board.task(sleeper).status == Status::scheduled);
}

TEST_CASE("a time that passed while no dispatcher ran wakes the task with the next one",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.create({.title = "a",
                                       .body = "exit 0",
                                       .scheduled = true,
                                       .wake_at = wall_clock_now() - Millis{60'000}});
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
}

TEST_CASE("a running worker that is scheduled away is stopped, and starts again when woken",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_until_works(id));
  const Ran ran = rig.run_hermes({"kanban", "schedule", id, "not now", "--in", "1h"});
  INFO(ran.err);
  CHECK(ran.status == 0);
  CHECK(board.task(id).status == Status::scheduled);
  const Run first = board.last_run(id);
  CHECK(first.outcome == Outcome::scheduled);
  CHECK(first.gone_at);  // the verb waited for it
  CHECK(rig.wait_until_alone());
  rig.open("go");
  CHECK(rig.run_hermes({"kanban", "unblock", id}).status == 0);
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.runs(id).size() >= 2);
}

TEST_CASE("a worker's work goes to the reviewer's profile, back once, and is approved",
          "[daemon]") {
  Rig rig("[dispatcher]\nreviewer = \"judge\"\nverdict_grace = \"1s\"\n");
  rig.write_profile("judge",
                    "command = [\"/bin/sh\", \"-c\", \"\"\"\n"
                    "hermes=" +
                        Rig::hermes() +
                        "\n"
                        "if [ -e " +
                        rig.path("seen").string() +
                        " ]; then exit 0; fi\n"
                        "touch " +
                        rig.path("seen").string() +
                        "\n"
                        "$hermes kanban request-changes $HERMES_KANBAN_TASK once more\n"
                        "\"\"\"]\nverdict = \"exit-code\"\n");
  BoardHand& board = rig.board();
  const std::string id =
      board.add(Rig::hermes() + " kanban request-review $HERMES_KANBAN_TASK look at it");
  const std::string child = board.add("exit 0", {id});
  rig.start();
  REQUIRE(board.wait_for(child, Status::done));
  std::vector<std::string> told;
  for (const Run& run : board.runs(id)) {
    told.push_back(run.profile + " " + std::string(to_word(*run.outcome)));
  }
  CHECK(told ==
        std::vector<std::string>{"sh review", "judge review", "sh review", "judge completed"});
  CHECK(board.task(id).assignee == "sh");
}

TEST_CASE("without a reviewer no dispatcher touches what waits for a review", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.add(Rig::hermes() + " kanban request-review $HERMES_KANBAN_TASK");
  rig.start();
  REQUIRE(board.wait_for(id, Status::review));
  REQUIRE(board.wait_until_gone(id));
  const std::string after = board.add("exit 0");  // several passes later
  REQUIRE(board.wait_for(after, Status::done));
  CHECK(board.task(id).status == Status::review);
  CHECK(board.runs(id).size() == 1);
}

}  // namespace hermes::daemon::test
