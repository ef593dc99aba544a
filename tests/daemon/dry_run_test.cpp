// What a dispatcher would do, asked without one and beside one.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

using nlohmann::json;

json dry_run(Rig& rig, std::vector<std::string> flags = {}) {
  flags.insert(flags.begin(), {"kanban", "dispatch", "--dry-run", "--json"});
  const Ran ran = rig.run_hermes(flags);
  CAPTURE(ran.err);
  REQUIRE(ran.status == 0);
  return json::parse(ran.out);
}

}  // namespace

TEST_CASE("a dry run tells what a pass would do and writes nothing", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string high = board.create({.title = "a", .body = "exit 0", .priority = 1});
  board.add("exit 0");  // lower
  const std::string lane = board.create({.title = "c", .assignee = "somebody"});
  const std::string due = board.create({.title = "d",
                                        .body = "exit 0",
                                        .scheduled = true,
                                        .wake_at = wall_clock_now() - Millis{1000}});
  const auto events = board.read([](db::Reader& tx) { return board::last_event(tx); });
  const json one = dry_run(rig, {"--max", "1"});
  CHECK(one["dry_run"] == true);
  REQUIRE(one["spawned"].size() == 1);
  CHECK(one["spawned"][0] == json({{"task_id", high},
                                   {"assignee", "sh"},
                                   {"workspace", board.paths().workspace(high).string()}}));
  CHECK(one["woken"] == json({due}));
  CHECK(one["skipped_nonspawnable"] == json({lane}));
  for (const char* key : {"reclaimed", "promoted"}) {
    CHECK(one[key] == 0);
  }
  for (const char* key : {"crashed", "timed_out", "stale", "auto_blocked", "skipped_unassigned",
                          "skipped_per_profile_capped", "auto_assigned_default"}) {
    CHECK(one[key] == json::array());
  }
  CHECK(dry_run(rig)["spawned"].size() == 2);
  const Ran text = rig.run_hermes({"kanban", "dispatch", "--dry-run"});
  CHECK(text.out.starts_with("Dry run: nothing was changed.\n"));
  CHECK(text.out.find("Reclaimed:    0\n") != std::string::npos);
  CHECK(text.out.find("Spawned:      2\n  - " + high + "  ->  sh  @ ") != std::string::npos);
  CHECK(board.read([](db::Reader& tx) { return board::last_event(tx); }) == events);
  CHECK_FALSE(fs::exists(board.paths().workspace(high)));
  CHECK_FALSE(fs::exists(rig.home().run() / "dispatcher.lock"));
  // And a pass does just that.
  const Ran once = rig.run_hermes({"kanban", "dispatch", "--json"});
  const json did = json::parse(once.out);
  CHECK(did["dry_run"] == false);
  CHECK(did["woken"] == json({due}));
  CHECK(did["spawned"].size() == 3);
  REQUIRE(rig.wait_until_alone());
}

TEST_CASE("a dry run tells of workers that have ended, with no dispatcher and beside one",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string good = board.add(rig.waits_for("go"));
  const std::string bad =
      board.create({.title = "bad", .body = rig.waits_for("go") + "; exit 3", .failure_limit = 1});
  const std::string child = board.add("exit 0", {good});
  const Ran once = rig.run_hermes({"kanban", "dispatch"});
  REQUIRE(once.status == 0);
  rig.open("go");
  REQUIRE(rig.wait_until_alone());
  const json told = dry_run(rig);
  CHECK(told["completed"] == json({good}));
  CHECK(told["failed"] == json({bad}));
  CHECK(told["auto_blocked"] == json({bad}));
  CHECK(told["promoted"] == 1);
  CHECK(board.task(good).status == Status::running);
  rig.start();
  REQUIRE(board.wait_for(child, Status::done));
  const std::string held = board.add(rig.waits_for("never"));
  REQUIRE(board.wait_until_works(held));
  CHECK(dry_run(rig)["spawned"].empty());  // exit status 0: the running dispatcher is no obstacle
  CHECK(board.task(held).status == Status::running);
}

}  // namespace hermes::daemon::test
