// How many run at once, and what that costs the dispatcher.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <algorithm>

#include "daemon/rig.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/home/dispatcher_lock.hpp"

namespace hermes::daemon::test {

namespace {

// Appends a line at its start and its end; a line of this length is appended whole.
std::string traced(const Rig& rig, const std::string& script) {
  return fmt::format("echo + >> '{0}'; {1}; echo - >> '{0}'", rig.path("trace").string(), script);
}

int most_at_once(const Rig& rig) {
  int now = 0;
  int most = 0;
  for (const std::string& line : lines_of(rig.path("trace"))) {
    now += line == "+" ? 1 : -1;
    most = std::max(most, now);
  }
  return most;
}

bool all_done(BoardHand& board, std::int64_t number) {
  return wait_until([&] { return board.count(Status::done) == number; }, k_patience);
}

}  // namespace

TEST_CASE("the flag --max bounds the workers of all boards together", "[daemon]") {
  Rig rig("[dispatcher]\nmax_in_progress = 100\n");
  for (int i = 0; i < 6; ++i) {
    rig.board().add(traced(rig, "sleep 0.1"));
    rig.board("other").add(traced(rig, "sleep 0.1"));
  }
  rig.start({"--max", "3"});
  REQUIRE(all_done(rig.board(), 6));
  REQUIRE(all_done(rig.board("other"), 6));
  CHECK(most_at_once(rig) == 3);
}

TEST_CASE("a profile's own cap holds while others fill the rest", "[daemon]") {
  Rig rig;
  rig.write_profile("single",
                    "command = [\"/bin/sh\", \"-c\", \"{body}\"]\nverdict = \"exit-code\"\n"
                    "max_in_progress = 1\n");
  BoardHand& board = rig.board();
  for (int i = 0; i < 4; ++i) {
    board.create(
        {.title = "one at a time", .body = traced(rig, "sleep 0.05"), .assignee = "single"});
  }
  const std::string other = board.add(rig.waits_for("go"));
  const std::string another = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_for(other, Status::running));
  REQUIRE(board.wait_for(another, Status::running));
  REQUIRE(all_done(board, 4));
  CHECK(most_at_once(rig) == 1);
  rig.open("go");
  REQUIRE(all_done(board, 6));
}

TEST_CASE("a cap holds also while a board with a worker cannot be looked at", "[daemon]") {
  Rig rig("[dispatcher]\nmax_in_progress = 1\n");
  BoardHand& busy = rig.board("third");
  const std::string working = busy.add(traced(rig, rig.waits_for("go")));
  rig.start();
  REQUIRE(busy.wait_until_works(working));
  rig.kill_dispatcher();
  Fd gate(::open(busy.paths().lock().c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(gate.get(), LOCK_EX) == 0);
  BoardHand& other = rig.board();
  const std::string waits = other.add(traced(rig, "exit 0"));
  rig.launch({"--verbose"});
  const auto often = [&] {
    return std::ranges::count_if(lines_of(rig.path("err-2")), [](const std::string& line) {
      return line.find("board third is busy, postponed") != std::string::npos;
    });
  };
  REQUIRE(wait_until([&] { return often() >= 3; }, k_patience));
  CHECK(other.task(waits).status == Status::ready);
  gate.reset();
  rig.open("go");
  REQUIRE(busy.wait_for(working, Status::done));
  REQUIRE(other.wait_for(waits, Status::done));
  CHECK(most_at_once(rig) == 1);
}

TEST_CASE("a task that is nobody's starts for the default assignee, and for nobody without one",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const auto created = board.change(
      [&](board::Change& c) { return board::create(c, {.title = "anybody", .body = "exit 0"}); });
  REQUIRE(created);
  const std::string id = created->task.id;
  rig.start();
  // By the time that a later task is done the earlier one has been looked at.
  REQUIRE(board.wait_for(board.create({.title = "mine", .body = "exit 0", .assignee = " SH"}),
                         Status::done));
  CHECK(board.task(id).status == Status::ready);
  CHECK(board.runs(id).empty());
  rig.write_config("[dispatcher]\ndefault_assignee = \"sh\"\n");
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.task(id).assignee == "sh");
  CHECK(std::ranges::count(board.kinds(id), "assigned") == 1);
}

TEST_CASE("a full home is a warning with the cap, a free slot that nobody takes is critical",
          "[daemon]") {
  Rig rig("[dispatcher]\nmax_in_progress = 100\n");
  BoardHand& board = rig.board();
  const auto diagnostics_of_a_long_wait = [&] {
    board.sql("UPDATE tasks SET ready_since = ready_since - 86400000 WHERE status = 'ready'");
    return rig.run_hermes({"kanban", "diagnostics"}).out;
  };
  const std::string first = board.add(rig.waits_for("go"));
  {  // somebody is there as the dispatcher, and starts nothing
    REQUIRE(make_directory(rig.home().run()));
    const auto idle = home::take_dispatcher_lock(rig.home(), home::LockPurpose::serve);
    REQUIRE(idle);
    CHECK(diagnostics_of_a_long_wait().find("[critical] stranded_in_ready") != std::string::npos);
  }
  rig.start({"--max", "1"});
  REQUIRE(board.wait_for(first, Status::running));
  board.add(rig.waits_for("go"));
  const std::string last = board.add(rig.waits_for("go"));
  const std::string full = diagnostics_of_a_long_wait();
  INFO(full);
  CHECK(full.find("stranded_in_ready") == std::string::npos);
  CHECK(full.find("[error]") == std::string::npos);
  CHECK(full.find(
            "[warning] slots_full: 2 tasks wait for a slot, the longest for 24.0 h: 1 workers are "
            "running, the limit (max_in_progress) is 1") != std::string::npos);
  const std::string shown = rig.run_hermes({"kanban", "show", last}).out;
  CHECK(shown.find("[warning] slots_full: 1 task waits for a slot") != std::string::npos);
  rig.open("go");
  REQUIRE(all_done(board, 3));
}

TEST_CASE("no second has more starts than start_rate, and the rest follows", "[daemon]") {
  Rig rig("[dispatcher]\nstart_rate = 3\n");
  BoardHand& board = rig.board();
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) {
    ids.push_back(board.add("exit 0"));
  }
  rig.start();
  REQUIRE(all_done(board, 10));
  std::map<std::int64_t, int> starts;
  for (const std::string& id : ids) {
    ++starts[board.last_run(id).started_at.seconds()];
  }
  CHECK(starts.size() >= 4);
  CHECK(std::ranges::all_of(starts, [](const auto& second) { return second.second <= 3; }));
}

TEST_CASE("an edit of config.toml is taken over at once, a bad one keeps the old values",
          "[daemon]") {
  Rig rig("[dispatcher]\nmax_in_progress = 1\n");
  BoardHand& board = rig.board();
  for (int i = 0; i < 8; ++i) {
    board.add(rig.waits_for("go"));
  }
  rig.start();
  const auto running = [&](std::int64_t number) {
    return wait_until([&] { return board.count(Status::running) == number; }, k_patience);
  };
  REQUIRE(running(1));
  rig.write_config("[dispatcher]\nmax_in_progress = 3\n");
  REQUIRE(running(3));
  rig.write_config("[dispatcher]\nmax_in_progress = 8\nmax_in_progres = 8\n");
  REQUIRE(rig.wait_until_said("keeps its old values"));
  CHECK(rig.said().find("config.toml:3") != std::string::npos);
  const std::string later = board.add("exit 0");  // a reason to look again
  REQUIRE(board.wait_for(later, Status::ready));
  CHECK(board.count(Status::running) == 3);
  rig.write_config("[dispatcher]\nmax_in_progress = 4\n");
  REQUIRE(running(4));
  rig.open("go");
  REQUIRE(all_done(board, 9));
}

TEST_CASE("a profile written or mended while the dispatcher runs is taken over", "[daemon]") {
  Rig rig;
  rig.write_profile("broken", "command = 3\n");
  BoardHand& board = rig.board();
  const std::string mended = board.create({.title = "a", .body = "exit 0", .assignee = "broken"});
  const std::string added = board.create({.title = "b", .body = "exit 0", .assignee = "later"});
  rig.start();
  REQUIRE(rig.wait_until_said("profile 'broken' cannot be used"));
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  CHECK(board.task(mended).status == Status::ready);
  CHECK(board.task(added).status == Status::ready);
  const std::string text = text_of(rig.home().profile("sh"));
  rig.write_profile("later", text);
  REQUIRE(board.wait_for(added, Status::done));
  rig.write_profile("broken", text);
  REQUIRE(board.wait_for(mended, Status::done));
}

TEST_CASE("300 workers leave no zombie and no descriptor behind", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const auto add_many = [&](int number) {
    const auto added = board.change([&](board::Change& c) -> Result<int> {
      for (int i = 0; i < number; ++i) {
        TRY(board::create(c, {.title = "short", .body = "exit 0", .assignee = "sh"}));
      }
      return number;
    });
    REQUIRE(added);
  };
  add_many(20);
  rig.start();
  REQUIRE(all_done(board, 20));
  const pid_t pid = rig.dispatcher().pid();
  REQUIRE(wait_until([&] { return children_of(pid).living == 0; }));
  const int files = open_files_of(pid);
  add_many(280);
  REQUIRE(all_done(board, 300));
  CHECK(wait_until([&] {
    const ChildCount children = children_of(pid);
    return children.living == 0 && children.zombies == 0;
  }));
  CHECK(wait_until([&] { return open_files_of(pid) <= files; }));  // a gate is open for a moment
  CHECK(rig.wait_until_alone());
  std::error_code none;
  CHECK(fs::is_empty(rig.home().run() / "default", none));
}

TEST_CASE("a dispatcher with nothing to do uses no processor time", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  board.create(
      {.title = "in the year 9999", .scheduled = true, .wake_at = Instant{253'402'300'799'000}});
  const std::string running = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_until_works(running));
  const pid_t pid = rig.dispatcher().pid();
  // A board that has been quiet for a second is tidied; afterwards there is nothing left to do.
  REQUIRE(wait_until([&] { return fs::file_size(board.paths().dir / "board.db-wal") == 0; }));
  const auto before = cpu_time_of(pid);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds{1500};
  wait_until([&] { return std::chrono::steady_clock::now() >= deadline; });
  CHECK(cpu_time_of(pid) - before <= std::chrono::milliseconds{20});
  rig.open("go");
  REQUIRE(board.wait_for(running, Status::done));
}

}  // namespace hermes::daemon::test
