// What becomes of workers that fail, each in its way, and of tasks that cannot be started.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

bool has(const std::vector<std::string>& kinds, const std::string& kind) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

// Fails until its first attempt lies behind it: a scratch workspace is kept between attempts.
std::string once(const std::string& first) {
  return "[ -e tried ] && exit 0; touch tried; " + first;
}

}  // namespace

TEST_CASE("a failing task is held for two seconds, tried again, and blocked at the limit",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.add("echo no luck; exit 4");
  rig.start({"--failure-limit", "2"});
  REQUIRE(wait_until([&] { return board.task(id).failures == 1; }, k_patience));
  const Task held = board.task(id);
  CHECK(held.status == Status::ready);
  CHECK(held.hold_reason == HoldReason::backoff);
  REQUIRE(held.held_until);
  REQUIRE(board.wait_for(id, Status::blocked));
  const auto runs = board.runs(id);
  REQUIRE(runs.size() == 2);
  CHECK(*held.held_until - *runs[0].ended_at == Millis{2000});
  CHECK(runs[1].started_at >= *held.held_until);
  CHECK(runs[1].started_at - *held.held_until < Millis{20'000});
  const Task task = board.task(id);
  CHECK(task.failures == 2);
  CHECK(task.block_source == BlockSource::breaker);
  CHECK(task.block_reason == "exit code 4; last output: no luck");
  CHECK(board.kinds(id) == std::vector<std::string>{"created", "claimed", "spawned", "failed",
                                                    "claimed", "spawned", "gave_up"});
}

TEST_CASE("a worker that kills itself has crashed, with its signal", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id =
      board.create({.title = "bang", .body = "echo last words; kill -SEGV $$", .failure_limit = 1});
  rig.start();
  REQUIRE(board.wait_for(id, Status::blocked));
  const Run run = board.last_run(id);
  CHECK(run.outcome == Outcome::crashed);
  CHECK(run.exit_kind == ExitKind::signaled);
  CHECK(run.exit_code == 11);
  CHECK(run.error->find("signal 11") != std::string::npos);
  CHECK(run.error->find("last words") != std::string::npos);
  CHECK(run.max_rss_kb.value_or(0) > 100);
  CHECK(run.cpu_ms.has_value());
}

TEST_CASE("a command that does not exist is a spawn failure with its name, counted", "[daemon]") {
  Rig rig;
  const auto command = GENERATE(std::string("/no/such/program"), std::string("no-such-program"));
  rig.write_profile("lost", fmt::format("command = [\"{}\", \"x\"]\n", command));
  BoardHand& board = rig.board();
  const std::string id = board.create({.title = "a", .assignee = "lost"});
  const std::string other = board.add("exit 0");
  rig.start({"--failure-limit", "1"});
  REQUIRE(board.wait_for(id, Status::blocked));
  const Run run = board.last_run(id);
  CHECK(run.outcome == Outcome::spawn_failed);
  CHECK(run.exit_kind == ExitKind::exec_failed);
  CHECK(run.error->find("No such file or directory") != std::string::npos);
  CHECK(run.error->find(command) != std::string::npos);
  CHECK(board.task(id).failures == 1);
  REQUIRE(board.wait_for(other, Status::done));
}

TEST_CASE("a workspace that is not there is a spawn failure, and the task is not stuck",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const fs::path missing = rig.path("not made yet");
  const std::string id = board.create({.title = "a",
                                       .body = "exit 0",
                                       .workspace_kind = WorkspaceKind::dir,
                                       .workspace_path = missing.string()});
  rig.start();
  REQUIRE(wait_until([&] { return board.task(id).failures == 1; }, k_patience));
  const Run run = board.runs(id).front();
  CHECK(run.outcome == Outcome::spawn_failed);
  CHECK(run.gone_at);
  CHECK(run.error->find(missing.string()) != std::string::npos);
  CHECK(board.task(id).status == Status::ready);
  fs::create_directory(missing);
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.runs(id).size() == 2);
}

TEST_CASE("a body too long for an argument is that task's spawn failure and nobody else's",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id =
      board.create({.title = "long", .body = ": " + std::string(1024 * 1024 - 2, 'x')});
  const std::string other = board.add("exit 0");
  rig.start({"--failure-limit", "1"});
  REQUIRE(board.wait_for(id, Status::blocked));
  const Run run = board.last_run(id);
  CHECK(run.outcome == Outcome::spawn_failed);
  CHECK(run.error->find("too long") != std::string::npos);
  CHECK(run.error->find("{context_file}") != std::string::npos);
  REQUIRE(board.wait_for(other, Status::done));
  CHECK(rig.said().find("starts are held") == std::string::npos);
  CHECK_FALSE(rig.dispatcher().ended());
}

TEST_CASE("exit 75 is a rate limit: held for the cool-down, not counted", "[daemon]") {
  Rig rig("[dispatcher]\nrate_limit_cooldown = \"1s\"\nfailure_limit = 1\n");
  BoardHand& board = rig.board();
  const std::string id = board.add(once("exit 75"));
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  const auto runs = board.runs(id);
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].outcome == Outcome::rate_limited);
  CHECK(runs[1].started_at - *runs[0].ended_at >= Millis{1000});
  CHECK(board.task(id).failures == 0);
}

TEST_CASE("a worker is stopped at its maximum runtime, the task's own before the profile's",
          "[daemon]") {
  Rig rig;
  rig.write_profile("short",
                    "command = [\"/bin/sh\", \"-c\", \"{body}\"]\nverdict = \"exit-code\"\n"
                    "max_runtime = \"400ms\"\n");
  BoardHand& board = rig.board();
  const std::string script = "echo working; sleep 600 & wait";
  const std::string by_task =
      board.create({.title = "a", .body = script, .max_runtime = Millis{300}, .failure_limit = 1});
  const std::string by_profile =
      board.create({.title = "b", .body = script, .assignee = "short", .failure_limit = 1});
  const std::string in_time = board.create(
      {.title = "c", .body = "sleep 0.6", .assignee = "short", .max_runtime = Millis{60'000}});
  rig.start();
  for (const std::string& id : {by_task, by_profile}) {
    REQUIRE(board.wait_for(id, Status::blocked));
    const Run run = board.last_run(id);
    CHECK(run.outcome == Outcome::timed_out);
    CHECK(run.exit_kind == ExitKind::timed_out);
    CHECK(*run.ended_at - run.started_at >= (id == by_task ? Millis{300} : Millis{400}));
    CHECK(has(board.kinds(id), "gave_up"));
  }
  REQUIRE(board.wait_for(in_time, Status::done));
  CHECK(rig.wait_until_alone());
}

TEST_CASE("a retry has its whole runtime, however long the runs before it took", "[daemon]") {
  Rig rig("[retry]\nbase = 0\n");
  BoardHand& board = rig.board();
  // Three runs take longer together than one may, and one far less.
  const std::string id =
      board.create({.title = "a",
                    .body = fmt::format("sleep 2; echo >> '{0}'; [ $(wc -l < '{0}') -ge 3 ]",
                                        rig.path("tries").string()),
                    .max_runtime = Millis{5500}});
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.runs(id).size() == 3);
  for (const Run& run : board.runs(id)) {
    CHECK(run.outcome != Outcome::timed_out);
  }
}

TEST_CASE("an exit without the verdict that is due is asked for three times, then given up",
          "[daemon]") {
  Rig rig;
  rig.write_profile("speaks",
                    "command = [\"/bin/sh\", \"-c\", \"{body}\"]\nverdict = \"explicit\"\n");
  BoardHand& board = rig.board();
  const std::string silent = board.create({.title = "a", .body = "echo bye", .assignee = "speaks"});
  const std::string fails =
      board.create({.title = "b", .body = "exit 3", .assignee = "speaks", .failure_limit = 1});
  rig.start();
  REQUIRE(board.wait_for(silent, Status::blocked));
  const auto runs = board.runs(silent);
  REQUIRE(runs.size() == 3);
  for (const Run& run : runs) {
    CHECK(run.outcome == Outcome::protocol_violation);
    CHECK(run.exit_code == 0);
    CHECK(run.error->find("without a verdict") != std::string::npos);
    CHECK(run.error->find("bye") != std::string::npos);
  }
  const Task task = board.task(silent);
  CHECK(task.violations == 3);
  CHECK(task.failures == 0);
  CHECK(task.block_source == BlockSource::breaker);
  REQUIRE(board.wait_for(fails, Status::blocked));
  CHECK(board.last_run(fails).outcome == Outcome::crashed);
}

TEST_CASE("a killed supervisor takes its worker and all descendants along, and it counts",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.add(once("setsid sleep 600 & sleep 600 & echo up; wait"));
  rig.start();
  REQUIRE(wait_until([&] { return board.log(id) == "up\n"; }, k_patience));
  REQUIRE(wait_until([&] { return rig.worker_processes().size() == 4; }, k_patience));
  const auto before = rig.worker_processes();  // shim, shell, two sleeps
  ::kill(static_cast<pid_t>(*board.last_run(id).shim_pid), SIGKILL);
  REQUIRE(wait_until([&] { return board.task(id).failures == 1; }, k_patience));
  CHECK(std::ranges::none_of(before, lives));
  const Run run = board.runs(id).front();
  CHECK(run.outcome == Outcome::crashed);
  CHECK(run.exit_kind == ExitKind::shim_lost);
  REQUIRE(board.wait_for(id, Status::done));
}

TEST_CASE("a claim that ends for want of a heartbeat is counted and the task goes on", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.add("exit 0");
  const auto claimed = board.change([&](board::Change& c) {
    return board::claim(
        c, id,
        {.profile = "bob", .host = this_host(), .holder = "bob's script", .ttl = Millis{1200}});
  });
  REQUIRE(claimed);
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  const auto runs = board.runs(id);
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].outcome == Outcome::stale);
  CHECK(*runs[0].ended_at - runs[0].started_at >= Millis{1200});
  CHECK(*runs[0].ended_at - runs[0].started_at < Millis{20'000});
  CHECK(runs[1].started_at - *runs[0].ended_at >= Millis{2000});  // counted, so held
  CHECK(has(board.kinds(id), "stale"));
}

TEST_CASE("a scheduled task is woken when its time has come", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.add("exit 0");
  const Instant at = wall_clock_now() + Millis{1000};
  REQUIRE(board.change([&](board::Change& c) -> Result<int> {
    board::append_event(c, id, std::nullopt, EventKind::scheduled,
                        R"({"from": "ready", "to": "scheduled"})");
    return c.tx.execute(
        "UPDATE tasks SET status = 'scheduled', wake_at = $1, ready_since = NULL,"
        " eligible_at = NULL WHERE id = $2",
        at, id);
  }));
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.last_run(id).started_at >= at);
  CHECK(board.last_run(id).started_at - at < Millis{20'000});
  CHECK(has(board.kinds(id), "woken"));
}

}  // namespace hermes::daemon::test
