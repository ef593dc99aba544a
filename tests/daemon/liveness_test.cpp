// Who counts as alive, and for how long.
#include <fmt/core.h>

#include <algorithm>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

TEST_CASE("a silent worker outlives the term of its lease", "[daemon]") {
  Rig rig("[dispatcher]\nclaim_ttl = \"1s\"\ninterval = \"1s\"\nheartbeat_gap = \"1s\"\n");
  BoardHand& board = rig.board();
  const std::string id = board.add("sleep 2.5; exit 0");
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.runs(id).size() == 1);
  CHECK(board.kinds(id) == std::vector<std::string>{"created", "claimed", "spawned", "completed"});
}

TEST_CASE("a worker that has stopped giving signs of life is stopped, one that gives them is not",
          "[daemon]") {
  Rig rig("[dispatcher]\nstale_timeout = \"1s\"\nheartbeat_gap = \"4s\"\ninterval = \"1s\"\n");
  rig.write_profile("agent", "command = [\"/bin/sh\", \"-c\", \"{body}\"]\n");
  BoardHand& board = rig.board();
  const auto create = [&](const std::string& script) {
    return board.create({.title = "a", .body = script, .assignee = "agent", .failure_limit = 1});
  };
  const std::string wedged = create("sleep 600 & wait");
  // Its heartbeats are its own: the one before it, long ago, does not count against it. It lives
  // longer than the gap that it may leave, which is one that a busy machine does not make.
  const std::string speaks =
      create(fmt::format("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do '{0}' kanban "
                         "heartbeat $HERMES_KANBAN_TASK; sleep "
                         "0.3; done; '{0}' kanban complete $HERMES_KANBAN_TASK",
                         Rig::hermes()));
  rig.start();
  REQUIRE(board.wait_for(wedged, Status::blocked));
  REQUIRE(board.wait_until_gone(wedged));
  CHECK(board.last_run(wedged).outcome == Outcome::stale);
  CHECK(board.task(wedged).failures == 1);
  CHECK_FALSE(lives(static_cast<pid_t>(*board.last_run(wedged).shim_pid)));
  REQUIRE(board.wait_for(speaks, Status::done));
  CHECK(board.runs(speaks).size() == 1);
}

TEST_CASE("15 processes that look at the board all the time do not keep work from starting",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  rig.start();
  std::vector<Program> watchers;
  for (int i = 0; i < 15; ++i) {
    watchers.emplace_back(
        "/bin/sh",
        std::vector<std::string>{"-c", "while :; do \"$0\" kanban list; \"$0\" kanban stats; done",
                                 Rig::hermes()},
        std::map<std::string, std::string>{{"HERMES_HOME", rig.home().dir.string()},
                                           {"PATH", "/usr/bin:/bin"}},
        "/dev/null", rig.path("complaints"));
  }
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(board.add("exit 0"));
  }
  for (const std::string& id : ids) {
    REQUIRE(board.wait_for(id, Status::done));
  }
  watchers.clear();
  CHECK(text_of(rig.path("complaints")).empty());
  // Nobody but us, the watchers and the workers: the board says when each was made and begun.
  std::vector<Millis> waits;
  for (const std::string& id : ids) {
    waits.push_back(board.last_run(id).started_at - board.task(id).created_at);
  }
  CHECK(*std::ranges::max_element(waits) < Millis{10'000});
}

TEST_CASE("an idle dispatcher that serves many tasks that wait writes nothing", "[daemon]") {
  Rig rig("[dispatcher]\ninterval = \"1s\"\nmax_in_progress = 1\n");
  BoardHand& board = rig.board();
  const std::string working = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_until_works(working));
  for (int i = 0; i < 20; ++i) {
    board.add("exit 0");
    board.create({.title = "elsewhere", .assignee = "nobody-here"});
  }
  const auto last = [&] {
    return board.read([](db::Reader& tx) { return board::last_event(tx); });
  };
  const auto before = last();
  const auto two_looks = std::chrono::steady_clock::now() + std::chrono::milliseconds{2200};
  wait_until([&] { return std::chrono::steady_clock::now() > two_looks; });
  CHECK(last() == before);
  rig.open("go");
  REQUIRE(wait_until([&] { return board.count(Status::done) == 21; }, k_patience));
}

TEST_CASE("inspect shows the process of a run, and its arguments only when asked", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id =
      board.create({.title = "t", .body = ": a-secret; sleep 100 & " + rig.waits_for("go")});
  rig.start();
  REQUIRE(board.wait_until_works(id));
  const auto look = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"kanban", "inspect", id, "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = rig.run_hermes(words);
    INFO(ran.err);
    REQUIRE(ran.status == 0);
    return ran.out;
  };
  const std::string seen = look({});
  CHECK(seen.find("\"pid\": " + std::to_string(*board.last_run(id).worker_pid)) !=
        std::string::npos);
  CHECK(seen.find("\"rss_bytes\"") != std::string::npos);
  CHECK(seen.find(board.paths().workspaces().string()) != std::string::npos);
  CHECK(seen.find("a-secret") == std::string::npos);
  CHECK(look({"--argv"}).find("a-secret") != std::string::npos);
  // A PID with another start time is another process.
  board.sql("UPDATE runs SET worker_start = worker_start + 1");
  CHECK(look({}).find("\"process\": null") != std::string::npos);
  board.sql("UPDATE runs SET worker_start = worker_start - 1");
  rig.open("go");
  REQUIRE(board.wait_until_gone(id));
  CHECK(look({}).find("\"exit_kind\": \"exited\"") != std::string::npos);
}

}  // namespace hermes::daemon::test
