// Verdicts from inside, and people who take a task away from its worker.
#include <fmt/core.h>

#include <algorithm>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

const std::string k_explicit =
    "command = [\"/bin/sh\", \"-c\", \"{body}\"]\nverdict = \"explicit\"\n"
    "env_pass = [\"HERMES\"]\n";

// A worker with a child that left its session. It tells when it is up; a second attempt ends at
// once.
const std::string k_family =
    "[ -e tried ] && exit 0; touch tried; setsid sh -c 'sleep 600 & wait' & sleep 600 & echo up; "
    "wait";

struct Family {
  Rig rig;
  BoardHand& board = rig.board();
  std::string id = board.create({.title = "family", .body = k_family});
  std::vector<pid_t> members;

  explicit Family(const std::string& config = "") : rig(config) {
    rig.start();
    REQUIRE(wait_until([this] { return board.log(id) == "up\n"; }, k_patience));
    REQUIRE(wait_until([this] { return rig.worker_processes().size() == 5; }, k_patience));
    members = rig.worker_processes();
  }
  bool all_gone() const { return std::ranges::none_of(members, lives); }
};

}  // namespace

TEST_CASE(
    "a worker's verdict stands at once, and the process that goes on is stopped after a grace",
    "[daemon]") {
  Rig rig("[dispatcher]\nverdict_grace = \"700ms\"\n");
  rig.write_profile("speaks", k_explicit);
  rig.set("HERMES", Rig::hermes());
  BoardHand& board = rig.board();
  const std::string id =
      board.create({.title = "a",
                    .body = "\"$HERMES\" kanban complete \"$HERMES_KANBAN_TASK\" --summary 'all "
                            "well' --metadata '{\"n\": 1}' || exit 9; setsid sleep 600 & sleep 600",
                    .assignee = "speaks"});
  const std::string child = board.add("exit 0", {id});
  rig.start();
  REQUIRE(board.wait_for(child, Status::done));
  const Task task = board.task(id);
  CHECK(task.status == Status::done);
  REQUIRE(board.wait_until_gone(id));
  REQUIRE(board.runs(id).size() == 1);
  const Run run = board.last_run(id);
  CHECK(run.outcome == Outcome::completed);
  CHECK(run.summary == "all well");
  CHECK(run.metadata == "{\"n\": 1}");
  CHECK(*run.gone_at - *run.ended_at >= Millis{700});
  CHECK(*run.gone_at - *run.ended_at < Millis{20'000});
  CHECK(run.exit_kind == ExitKind::signaled);
  CHECK(rig.wait_until_alone());
}

TEST_CASE("a worker that blocks its task and ends is not an exit without a verdict", "[daemon]") {
  Rig rig;
  rig.write_profile("speaks", k_explicit);
  rig.set("HERMES", Rig::hermes());
  BoardHand& board = rig.board();
  const std::string id =
      board.create({.title = "a",
                    .body = "\"$HERMES\" kanban block \"$HERMES_KANBAN_TASK\" 'which colour?' "
                            "--kind needs_input",
                    .assignee = "speaks"});
  rig.start();
  REQUIRE(board.wait_for(id, Status::blocked));
  REQUIRE(board.wait_until_gone(id));
  INFO(board.log(id));
  CHECK(board.runs(id).size() == 1);
  CHECK(board.last_run(id).outcome == Outcome::blocked);
  CHECK(board.task(id).block_source == BlockSource::worker);
  CHECK(board.task(id).violations == 0);
}

TEST_CASE("a worker whose run was superseded is refused, and nothing changes", "[daemon]") {
  Rig rig;
  rig.write_profile("speaks", k_explicit);
  BoardHand& board = rig.board();
  const std::string id =
      board.create({.title = "a", .body = rig.waits_for("go"), .assignee = "speaks"});
  rig.start();
  REQUIRE(board.wait_until_works(id));
  const Run first = board.last_run(id);
  REQUIRE(board.change([&](board::Change& c) { return board::reclaim(c, id, std::nullopt); }));
  REQUIRE(wait_until([&] { return board.runs(id).size() == 2; }, k_patience));
  const auto events = board.kinds(id).size();
  const std::map<std::string, std::string> worker{
      {"HERMES_KANBAN_BOARD", "default"},
      {"HERMES_KANBAN_TASK", id},
      {"HERMES_KANBAN_RUN_ID", std::to_string(first.id)},
      {"HERMES_KANBAN_RUN_TOKEN", first.token}};
  for (const std::string verb : {"complete", "block", "heartbeat"}) {
    const Ran ran = rig.run_hermes({"kanban", verb, id}, worker);
    INFO(verb << ": " << ran.err);
    CHECK(ran.status == 1);
    CHECK(ran.err.find("no longer yours") != std::string::npos);
  }
  CHECK(board.task(id).status == Status::running);
  CHECK(board.kinds(id).size() <= events + 1);  // `spawned` of the second run
  rig.open("go");
}

TEST_CASE("reclaim stops a worker with everything it started, and the task is worked on again",
          "[daemon]") {
  Family family;
  const bool by_command = GENERATE(false, true);
  if (by_command) {
    const Ran ran = family.rig.run_hermes({"kanban", "reclaim", family.id});
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(ran.err.empty());
    CHECK(family.all_gone());  // the command has waited for it
  } else {
    REQUIRE(family.board.change(
        [&](board::Change& c) { return board::reclaim(c, family.id, "wrong branch"); }));
  }
  REQUIRE(family.board.wait_for(family.id, Status::done));
  CHECK(family.all_gone());
  const auto runs = family.board.runs(family.id);
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].outcome == Outcome::reclaimed);
  CHECK(runs[0].stop_kind == StopKind::reclaim);
  CHECK(*runs[0].gone_at <= runs[1].started_at);
  CHECK(family.board.task(family.id).failures == 0);
}

TEST_CASE("archive --force and complete --force stop a worker with everything it started",
          "[daemon]") {
  const std::string verb = GENERATE("archive", "complete");
  const bool dispatcher_lives = GENERATE(true, false);
  Family family;
  if (!dispatcher_lives) {
    REQUIRE(family.rig.stop() == 0);
    CHECK(std::ranges::all_of(family.members, lives));
  }
  const Ran ran = family.rig.run_hermes({"kanban", verb, family.id, "--force"});
  INFO(ran.out << ran.err);
  CHECK(ran.status == 0);
  CHECK(family.board.wait_until_gone(family.id));
  CHECK(family.all_gone());
  const bool archived = verb == "archive";
  CHECK(family.board.task(family.id).status == (archived ? Status::archived : Status::done));
  REQUIRE(family.board.runs(family.id).size() == 1);
  const Run run = family.board.last_run(family.id);
  CHECK(run.outcome == (archived ? Outcome::reclaimed : Outcome::completed));
  CHECK(run.stop_kind == (archived ? StopKind::archive : StopKind::force));
}

TEST_CASE(
    "a finishing pass carries out a stop that nobody is there to carry out, and starts nothing",
    "[daemon]") {
  Family family;
  family.rig.kill_dispatcher();
  const std::string waiting = family.board.add("exit 0");
  REQUIRE(family.board.change(
      [&](board::Change& c) { return board::reclaim(c, family.id, std::nullopt); }));
  const Ran ran = family.rig.run_dispatcher({"--finish"});
  INFO(ran.err);
  CHECK(ran.status == 0);
  CHECK(family.all_gone());
  CHECK(family.board.task(family.id).status == Status::ready);
  CHECK(family.board.last_run(family.id).outcome == Outcome::reclaimed);
  CHECK(family.board.runs(waiting).empty());
}

TEST_CASE("a worker that ignores SIGTERM is killed after the stop grace", "[daemon]") {
  Rig rig("[dispatcher]\nstop_grace = \"400ms\"\n");
  BoardHand& board = rig.board();
  const std::string id =
      board.add("[ -e tried ] && exit 0; touch tried; trap '' TERM; echo up; sleep 600");
  rig.start();
  REQUIRE(wait_until([&] { return board.log(id) == "up\n"; }, k_patience));
  REQUIRE(board.change([&](board::Change& c) { return board::reclaim(c, id, std::nullopt); }));
  REQUIRE(board.wait_for(id, Status::done));
  const Run run = board.runs(id).front();
  CHECK(run.exit_code == 9);
  CHECK(*run.gone_at - *run.stop_at >= Millis{400});
}

}  // namespace hermes::daemon::test
