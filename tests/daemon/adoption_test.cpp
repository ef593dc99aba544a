// Dispatchers that come and go while workers run.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

// `number` workers that run until "go" is opened; the i-th ends with code i % 3.
struct Crew {
  Rig rig{"[dispatcher]\nmax_in_progress = 50\nfailure_limit = 1\n"};
  BoardHand& board = rig.board();
  std::vector<std::string> ids;
  std::vector<pid_t> members;

  explicit Crew(int number) {
    for (int i = 0; i < number; ++i) {
      ids.push_back(board.add(
          fmt::format("echo $$ >> pids; {}; echo done; exit {}", rig.waits_for("go"), i % 3)));
    }
    rig.start();
    for (const std::string& id : ids) {
      REQUIRE(board.wait_until_works(id));
      members.push_back(static_cast<pid_t>(*board.last_run(id).worker_pid));
      members.push_back(static_cast<pid_t>(*board.last_run(id).shim_pid));
    }
  }

  void check_untouched() {
    CHECK(std::ranges::all_of(members, lives));
    CHECK(board.count(Status::running) == static_cast<std::int64_t>(ids.size()));
  }

  // Every end is recorded, each worker ran once, and in the process that was seen.
  void check_ends() {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const int code = static_cast<int>(i % 3);
      REQUIRE(board.wait_for(ids[i], code == 0 ? Status::done : Status::blocked));
      REQUIRE(board.runs(ids[i]).size() == 1);
      const Run run = board.last_run(ids[i]);
      CHECK(run.exit_code == code);
      CHECK(run.outcome == (code == 0 ? Outcome::completed : Outcome::failed));
      CHECK(run.gone_at);
      CHECK(text_of(board.paths().workspace(ids[i]) / "pids") ==
            fmt::format("{}\n", members[2 * i]));
    }
    CHECK(rig.wait_until_alone());
  }
};

// As if a dispatcher of another machine or another boot had started `id`.
Run start_elsewhere(BoardHand& board, const std::string& id, const HostIdentity& host, Millis ttl,
                    pid_t pid) {
  const auto run = board.change([&](board::Change& c) -> Result<Run> {
    TRY_ASSIGN(Run claimed, board::claim(c, id,
                                         {.holder_kind = HolderKind::dispatcher,
                                          .profile = "sh",
                                          .host = host,
                                          .holder = host.machine + "/x/1/1",
                                          .ttl = ttl}));
    board::record_shim(c, claimed, pid, static_cast<std::int64_t>(*process_start(pid)));
    return claimed;
  });
  REQUIRE(run);
  return *run;
}

}  // namespace

TEST_CASE("workers outlive a killed dispatcher, and the next one records their ends", "[daemon]") {
  Crew crew(20);
  crew.rig.kill_dispatcher();
  crew.check_untouched();
  SECTION("they end under the next one") {
    crew.rig.start();
    const std::string later = crew.board.add("exit 0");
    REQUIRE(crew.board.wait_for(later, Status::done));  // it has looked at the board
    crew.check_untouched();
    crew.rig.open("go");
  }
  SECTION("they end while none is there") {
    crew.rig.open("go");
    REQUIRE(crew.rig.wait_until_alone());
    CHECK(crew.board.count(Status::running) == 20);
    crew.rig.start();
  }
  crew.check_ends();
  const auto end = crew.board.read([](db::Reader& tx) { return board::last_dispatcher_end(tx); });
  REQUIRE(end);
  CHECK(end->reason.find("did not end in order") != std::string::npos);
}

TEST_CASE("SIGTERM and SIGINT end a dispatcher within a second, and its workers go on",
          "[daemon]") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  Crew crew(6);
  const auto before = std::chrono::steady_clock::now();
  crew.rig.dispatcher().signal(signal);
  CHECK(crew.rig.dispatcher().wait() == 0);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{1});
  crew.check_untouched();
  const auto end = crew.board.read([](db::Reader& tx) { return board::last_dispatcher_end(tx); });
  REQUIRE(end);
  CHECK(end->reason.find(signal == SIGTERM ? "SIGTERM" : "SIGINT") != std::string::npos);
  CHECK(wall_clock_now() - end->at < Millis{60'000});
  CHECK(crew.rig.said().find("6 workers go on") != std::string::npos);
  crew.rig.start();
  crew.rig.open("go");
  crew.check_ends();
}

TEST_CASE("SIGHUP reads the settings again and ends nothing", "[daemon]") {
  Crew crew(1);
  crew.rig.dispatcher().signal(SIGHUP);
  REQUIRE(crew.board.wait_for(crew.board.add("exit 0"), Status::done));
  CHECK_FALSE(crew.rig.dispatcher().ended());
  crew.rig.open("go");
  crew.check_ends();
}

TEST_CASE("a killed supervisor is found lost by the next dispatcher", "[daemon]") {
  Crew crew(3);
  crew.rig.kill_dispatcher();
  ::kill(crew.members[1], SIGKILL);
  REQUIRE(wait_until([&] { return !lives(crew.members[1]); }));
  crew.rig.start();
  REQUIRE(crew.board.wait_for(crew.ids[0], Status::blocked));
  CHECK_FALSE(lives(crew.members[0]));
  CHECK(crew.board.last_run(crew.ids[0]).exit_kind == ExitKind::shim_lost);
  CHECK(lives(crew.members[2]));
  crew.rig.open("go");
  REQUIRE(crew.board.wait_for(crew.ids[1], Status::blocked));
  REQUIRE(crew.board.wait_for(crew.ids[2], Status::blocked));
  CHECK(crew.rig.wait_until_alone());
}

TEST_CASE("a run of another boot is aborted, uncounted, whatever its PIDs are now", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  Program bystander("/usr/bin/sleep", {"600"}, {}, "/dev/null", "/dev/null");
  const std::string id = board.add("exit 0");
  start_elsewhere(board, id, {this_host().machine, "an-earlier-boot"}, Millis{900'000},
                  bystander.pid());
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  const auto runs = board.runs(id);
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].outcome == Outcome::aborted);
  CHECK(runs[0].exit_kind == ExitKind::host_restarted);
  CHECK(runs[0].error->find("restarted") != std::string::npos);
  CHECK_FALSE(bystander.ended());
  const auto kinds = board.kinds(id);
  CHECK(std::ranges::find(kinds, "aborted") != kinds.end());
}

TEST_CASE("a run of another machine is neither adopted nor stopped, and released after its lease",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  Program bystander("/usr/bin/sleep", {"600"}, {}, "/dev/null", "/dev/null");
  const std::string id = board.add("exit 0");
  const Run foreign = start_elsewhere(board, id, {"another-machine", this_host().boot},
                                      Millis{2000}, bystander.pid());
  rig.start();
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  CHECK(board.task(id).status == Status::running);  // though its PID is alive here
  REQUIRE(board.wait_for(id, Status::done));
  const auto runs = board.runs(id);
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].outcome == Outcome::aborted);
  CHECK(*runs[0].ended_at - foreign.started_at >= Millis{2000});
  CHECK(runs[0].error->find("another-machine") != std::string::npos);
  CHECK_FALSE(bystander.ended());
  CHECK(board.task(id).failures == 0);
}

TEST_CASE("without its control record a live run is never taken for one that did not start",
          "[daemon]") {
  Rig rig("[dispatcher]\nfailure_limit = 1\n");
  BoardHand& board = rig.board();
  // A second worker of the task at the same time would find the lock taken.
  const std::string id =
      board.add(fmt::format("flock -n 9 || echo twice >> '{0}'; echo up; {1}; exit 0",
                            rig.path("trace").string(), rig.waits_for("go")));
  board.sql("UPDATE tasks SET body = 'exec 9>>lock; ' || body WHERE id = '" + id + "'");
  rig.start();
  REQUIRE(wait_until([&] { return board.log(id) == "up\n"; }, k_patience));
  const Run run = board.last_run(id);
  const auto shim = static_cast<pid_t>(*run.shim_pid);
  const bool restart = GENERATE(false, true);
  if (restart) {
    rig.kill_dispatcher();
  }
  REQUIRE(fs::remove(rig.home().record("default", run.id)));
  if (restart) {
    rig.start();
  }
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  const bool open = !board.runs(id).front().gone_at;
  CHECK(open == lives(shim));  // what is said to be gone is gone
  rig.open("go");
  REQUIRE(board.wait_until_gone(id));
  CHECK(wait_until([&] { return !lives(shim); }));
  CHECK_FALSE(fs::exists(rig.path("trace")));
  // Its exit is unknown; that it had been started is not.
  CHECK(board.runs(id).front().outcome == Outcome::crashed);
  CHECK(board.task(id).status == Status::blocked);
}

}  // namespace hermes::daemon::test
