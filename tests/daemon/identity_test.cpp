// Whether a row of the board still means the process it once meant.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

// A run of this boot whose shim and worker had `pid`, which since belongs to another process.
std::string add_stale_run(BoardHand& board, pid_t pid) {
  const std::string id = board.add("exit 0");
  const auto start = static_cast<std::int64_t>(*process_start(pid)) - 1;
  const auto run = board.change([&](board::Change& c) -> Result<Run> {
    TRY_ASSIGN(Run claimed, board::claim(c, id,
                                         {.holder_kind = HolderKind::dispatcher,
                                          .profile = "sh",
                                          .host = this_host(),
                                          .holder = "an earlier dispatcher",
                                          .ttl = Millis{900'000}}));
    board::record_shim(c, claimed, pid, start);
    board::record_worker(c, claimed.id, pid, start);
    return claimed;
  });
  REQUIRE(run);
  return id;
}

}  // namespace

TEST_CASE("a process that has got the PID of a run's worker is never signalled", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  Program bystander("/usr/bin/sleep", {"600"}, {}, "/dev/null", "/dev/null");
  REQUIRE(wait_until([&] { return process_start(bystander.pid()).has_value(); }));
  const std::string id = add_stale_run(board, bystander.pid());
  SECTION("by a dispatcher that finds the row") { rig.start(); }
  SECTION("by a reclaim, which stops the run's process") {
    rig.start();
    const Ran ran = rig.run_hermes({"kanban", "reclaim", id});
    CHECK((ran.status == 0 || ran.err.find("running") != std::string::npos));
  }
  SECTION("by a reclaim without a dispatcher") {
    CHECK(rig.run_hermes({"kanban", "reclaim", id}).status == 0);
    rig.start();
  }
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.runs(id).size() == 2);
  CHECK(board.runs(id).front().gone_at);
  CHECK_FALSE(bystander.ended());
  CHECK(lives(bystander.pid()));
}

TEST_CASE("workers stay ours when the host changes its name", "[daemon]") {
  if (::geteuid() != 0) {
    WARN("not tried: a host name of one's own takes root");
    return;
  }
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.add(rig.waits_for("go") + "; exit 0");
  rig.start();
  REQUIRE(board.wait_until_works(id));
  rig.kill_dispatcher();
  Program renamed(
      "/usr/bin/unshare",
      {"--uts", "/bin/sh", "-c", "hostname another-name && exec \"$0\"", TEST_DISPATCHER},
      {{"HERMES_HOME", rig.home().dir.string()},
       {"HERMES_SHIM", TEST_SHIM},
       {"PATH", "/usr/bin:/bin"}},
      rig.path("out"), rig.path("renamed"));
  const std::string later = board.add("hostname");
  if (!wait_until([&] { return renamed.ended() || board.task(later).status == Status::done; }) ||
      text_of(rig.path("renamed")).find("unshare") != std::string::npos) {
    WARN("no namespaces here: " << text_of(rig.path("renamed")));
    return;
  }
  CHECK(board.log(later) == "another-name\n");
  CHECK(board.task(id).status == Status::running);
  rig.open("go");
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.runs(id).size() == 1);
  CHECK(board.last_run(id).outcome == Outcome::completed);
  renamed.signal(SIGTERM);
  CHECK(renamed.wait() == 0);
}

TEST_CASE("commands answer at once after the dispatcher was killed, and say that none runs",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string working = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_until_works(working));
  rig.kill_dispatcher();
  const auto began = std::chrono::steady_clock::now();
  const Ran created = rig.run_hermes({"kanban", "create", "next", "--assignee", "sh"});
  CHECK(created.status == 0);
  CHECK(created.err.find("no dispatcher is running") != std::string::npos);
  CHECK(rig.run_hermes({"kanban", "list"}).status == 0);
  CHECK(rig.run_hermes({"kanban", "comment", working, "still there?"}).status == 0);
  CHECK(rig.run_hermes({"kanban", "why", working}).status == 0);
  // Far below any time-out of ours: nothing waits for a lock of the dead.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds{5});
  rig.start();
  rig.open("go");
  REQUIRE(board.wait_for(working, Status::done));
}

TEST_CASE("a board that was removed and made anew under its name is served", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board("other");
  rig.start();
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  board.close();
  fs::remove_all(board.paths().dir);
  REQUIRE(home::create_board(rig.home(), "other", wall_clock_now()));
  CHECK(board.count(Status::done) == 0);
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  CHECK(rig.stop() == 0);
}

TEST_CASE("a dispatcher that was replaced changes nothing more, and ends", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string working = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_until_works(working));
  std::string waiting;
  bool taken_over = false;
  SECTION("on the board") {
    taken_over = true;
    const auto replaced = board.change([&](board::Change& c) -> Result<board::Created> {
      board::take_over(c, "another");
      return board::create(c, {.title = "a", .body = "exit 0", .assignee = "sh"});
    });
    REQUIRE(replaced);
    waiting = replaced->task.id;
  }
  SECTION("in its home") {
    fs::remove(rig.home().dispatcher_lock());
    waiting = board.add("exit 0");
  }
  CHECK(rig.dispatcher().wait() == 3);
  CHECK(rig.said().find("another dispatcher serves this home now") != std::string::npos);
  if (taken_over) {
    CHECK(board.kinds(waiting) == std::vector<std::string>{"created"});
  }
  CHECK(board.task(working).status == Status::running);  // its worker lives on
  rig.start();
  REQUIRE(board.wait_for(waiting, Status::done));
  rig.open("go");
  REQUIRE(board.wait_for(working, Status::done));
  CHECK(board.runs(working).size() == 1);
}

TEST_CASE("reaping does not depend on any board", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  std::vector<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    ids.push_back(board.add(rig.waits_for("go")));
  }
  rig.start();
  for (const std::string& id : ids) {
    REQUIRE(board.wait_until_works(id));
  }
  const pid_t pid = rig.dispatcher().pid();
  CHECK(children_of(pid).living == 8);
  board.close();
  rig.give_up("default");
  const std::string garbage(64 * 1024, '\xA5');
  for (const char* suffix : {"-wal", "-shm"}) {
    fs::remove(board.paths().database().string() + suffix);
  }
  write_text(board.paths().database(), garbage);
  rig.open("go");
  CHECK(wait_until([&] {
    const ChildCount children = children_of(pid);
    return children.living == 0 && children.zombies == 0;
  }));
  CHECK(rig.wait_until_said("board default cannot be served"));
  CHECK_FALSE(rig.dispatcher().ended());
  CHECK(text_of(board.paths().database()) == garbage);
  CHECK(rig.stop() == 0);
}

}  // namespace hermes::daemon::test
