// What happens between two system calls, and what the disk does: both made to happen by a library
// that is loaded into the program under test (preload_faults.c).
#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <csignal>
#include <functional>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

constexpr int k_more_than_there_are = 1000;

void preload(Rig& rig) {
  rig.set("LD_PRELOAD", TEST_PRELOAD);
  rig.set("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0");
}

long number_of(const std::vector<std::string>& lines, const std::string& text) {
  return std::ranges::count_if(
      lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

// A dispatcher that is killed at its `step`-th durable step, unless `over` comes first; then one
// that is not. False when the first got through alive.
bool killed_at(Rig& rig, int step, const std::function<bool()>& over) {
  rig.set("HERMES_TEST_DIE_AT", std::to_string(step));
  rig.launch();
  REQUIRE(wait_until([&] { return rig.dispatcher().ended() || over(); }, k_patience));
  const bool killed = rig.dispatcher().ended();
  rig.set("HERMES_TEST_DIE_AT", "");
  if (killed) {
    CHECK(rig.dispatcher().wait() == 128 + SIGKILL);
    rig.launch();
  }
  return killed;
}

void check_is_over(Rig& rig, const std::string& id) {
  BoardHand& board = rig.board();
  REQUIRE(board.wait_for(id, Status::done));
  REQUIRE(board.wait_until_gone(id));
  CHECK(board.task(id).failures == 0);
  rig.kill_dispatcher();
  REQUIRE(rig.wait_until_alone());
  board.check_invariants();
}

// Records of runs that are over do not pile up.
void check_leaves_no_record(Rig& rig) {
  rig.start();
  std::error_code none;
  CHECK(wait_until([&] { return fs::is_empty(rig.home().run() / "default", none); }, k_patience));
}

bool last_is_gone(BoardHand& board, const std::string& id, std::size_t number) {
  const auto runs = board.runs(id);
  return runs.size() >= number && runs.back().gone_at;
}

// Killed while it starts a task and finishes it.
bool starts_although_killed_at(Rig& rig, int step) {
  BoardHand& board = rig.board();
  const fs::path trace = rig.path("trace");
  const std::string id =
      board.add(fmt::format("echo $HERMES_KANBAN_RUN_ID >> '{}'", trace.string()));
  const bool killed = killed_at(rig, step, [&] { return last_is_gone(board, id, 1); });
  CAPTURE(step, rig.said());
  check_is_over(rig, id);
  // A worker that had its gate opened has run, once, and its run says so; the others were aborted.
  const auto worked = lines_of(trace);
  for (const Run& run : board.runs(id)) {
    const bool completed = run.outcome == Outcome::completed;
    CHECK((completed || run.outcome == Outcome::aborted));
    CHECK(std::ranges::count(worked, std::to_string(run.id)) == (completed ? 1 : 0));
  }
  return killed;
}

// Killed while it adopts a worker that it must stop, stops it, and starts the task again.
bool stops_although_killed_at(Rig& rig, int step) {
  BoardHand& board = rig.board();
  const std::string trace = rig.path("stops").string();
  fs::remove(trace);
  const std::string id =
      board.add(fmt::format("trap \"echo stopped >> '{0}'; exit 0\" TERM; echo started >> '{0}';"
                            " [ $(wc -l < '{0}') -gt 1 ] || while :; do sleep 0.02; done",
                            trace));
  rig.start();
  REQUIRE(wait_until([&] { return lines_of(trace).size() == 1; }, k_patience));
  rig.kill_dispatcher();
  REQUIRE(board.change([&](board::Change& c) { return board::reclaim(c, id, std::nullopt); }));
  const bool killed = killed_at(rig, step, [&] { return last_is_gone(board, id, 2); });
  CAPTURE(step, rig.said());
  check_is_over(rig, id);
  // The first has ended before the second one began, and both ran once.
  CHECK(lines_of(trace) == std::vector<std::string>{"started", "stopped", "started"});
  const auto runs = board.runs(id);
  CHECK(runs.front().outcome == Outcome::reclaimed);
  CHECK(runs.back().outcome == Outcome::completed);
  for (const Run& run : runs) {
    CHECK(run.gone_at);
    CHECK((&run == &runs.front() || &run == &runs.back() || run.outcome == Outcome::aborted));
  }
  return killed;
}

}  // namespace

TEST_CASE("a dispatcher killed before any step of a start or an end leaves no task stuck",
          "[daemon]") {
  Rig rig("[retry]\nbase = 0\nmax = 0\n");
  preload(rig);
  int step = 1;
  while (step < k_more_than_there_are && starts_although_killed_at(rig, step)) {
    ++step;
  }
  CHECK(step > 40);
  check_leaves_no_record(rig);
}

TEST_CASE("a dispatcher killed before any step of an adoption or a stop stops what it must, once",
          "[daemon]") {
  Rig rig("[retry]\nbase = 0\nmax = 0\n");
  preload(rig);
  int step = 1;
  while (step < k_more_than_there_are && stops_although_killed_at(rig, step)) {
    ++step;
  }
  CHECK(step > 40);
  check_leaves_no_record(rig);
}

TEST_CASE("an input or output error holds one board off and is told once, until the disk is back",
          "[daemon]") {
  Rig rig;
  preload(rig);
  rig.set("HERMES_TEST_EIO", rig.path("broken").string());
  BoardHand& board = rig.board();
  BoardHand& other = rig.board("other");
  const std::string before = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_until_works(before));
  rig.open("broken");
  const std::string during = board.add("exit 0");
  REQUIRE(rig.wait_until_said("board default cannot be served for now"));
  rig.open("go");
  REQUIRE(other.wait_for(other.add("exit 0"), Status::done));
  CHECK(rig.said().find("I/O error on ") != std::string::npos);
  CHECK(rig.said().find("damaged") == std::string::npos);
  CHECK(rig.run_hermes({"kanban", "why", during}).err.find("damaged") == std::string::npos);
  const pid_t pid = rig.dispatcher().pid();
  const int files = open_files_of(pid);
  const auto used = cpu_time_of(pid);
  const auto hold_off = std::chrono::steady_clock::now() + std::chrono::milliseconds{1200};
  wait_until([&] { return std::chrono::steady_clock::now() > hold_off; });
  CHECK(cpu_time_of(pid) - used < std::chrono::milliseconds{300});  // no storm of attempts
  CHECK(open_files_of(pid) <= files + 1);
  CHECK(board.task(during).status == Status::ready);
  fs::remove(rig.path("broken"));
  REQUIRE(board.wait_for(before, Status::done));
  REQUIRE(board.wait_for(during, Status::done));
  CHECK(number_of(lines_of(rig.path("err-1")), "cannot be served") <= 2);
  CHECK(rig.said().find("board default is served again") != std::string::npos);
}

TEST_CASE("a board that is held off is served soon again although the clock was set back",
          "[daemon]") {
  Rig rig;
  preload(rig);
  rig.set("HERMES_TEST_EIO", rig.path("broken").string());
  rig.set("HERMES_TEST_CLOCK", rig.path("earlier").string());
  BoardHand& board = rig.board();
  rig.start();
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  rig.open("broken");
  const std::string id = board.add("exit 0");
  REQUIRE(rig.wait_until_said("board default cannot be served for now"));
  rig.open("earlier");
  fs::remove(rig.path("broken"));
  CHECK(rig.wait_until_said("board default is served again"));
  CHECK(board.wait_for(id, Status::done));
}

TEST_CASE("nobody closes a descriptor twice, whatever becomes of workers, boards and dispatchers",
          "[daemon]") {
  Rig rig("[retry]\nbase = 0\n");
  preload(rig);
  const std::string closes = rig.path("closes").string();
  rig.set("HERMES_TEST_CLOSES", closes);
  {  // it would be seen: this program closes twice what it has opened once
    Program closer("/usr/bin/perl",
                   {"-e",
                    "use POSIX; $a = POSIX::open('/'); POSIX::close($a); POSIX::open('/');"
                    "POSIX::close($a)"},
                   {{"LD_PRELOAD", TEST_PRELOAD}, {"HERMES_TEST_CLOSES", closes + "-of-perl"}},
                   rig.path("out"), rig.path("perl"));
    CHECK(closer.wait() == 0);
    CHECK_FALSE(lines_of(closes + "-of-perl").empty());
  }
  BoardHand& board = rig.board();
  const std::string wanted = board.add(rig.waits_for("go"));
  const std::string killed = board.add("kill -9 $PPID; sleep 600");  // its supervisor
  const std::string lost = board.create(
      {.title = "a", .workspace_kind = WorkspaceKind::dir, .workspace_path = "/no/such/place"});
  rig.start();
  REQUIRE(board.wait_until_works(wanted));
  rig.kill_dispatcher();
  rig.start();
  CHECK(rig.run_hermes({"kanban", "reclaim", wanted}).status == 0);
  REQUIRE(rig.board("other").wait_for(rig.board("other").add("exit 0"), Status::done));
  CHECK(rig.run_hermes({"kanban", "show", wanted}).status == 0);
  CHECK(rig.run_hermes({"kanban", "attach", wanted, rig.path("err-1").string()}).status == 0);
  CHECK(
      rig.run_hermes({"kanban", "boards", "export", "other", rig.path("bundle").string()}).status ==
      0);
  CHECK(rig.run_hermes({"kanban", "show", "t_00000000"}).status == 1);
  rig.board("other").close();
  fs::remove_all(rig.board("other").paths().dir);
  rig.give_up("other");
  rig.open("go");
  REQUIRE(board.wait_for(wanted, Status::done));
  REQUIRE(wait_until([&] { return !board.runs(lost).empty(); }, k_patience));
  REQUIRE(
      wait_until([&] { return !board.runs(killed).empty() && board.runs(killed).front().gone_at; },
                 k_patience));
  CHECK(rig.run_hermes({"kanban", "archive", "--force", killed}).status == 0);
  CHECK(rig.stop() == 0);
  CHECK(lines_of(closes).empty());
}

TEST_CASE("doctor names the SQLite that is loaded, not the one that it was built with",
          "[daemon]") {
  Rig rig;
  preload(rig);
  CHECK(rig.run_hermes({"doctor"}).out.find("from-elsewhere") == std::string::npos);
  rig.set("HERMES_TEST_SQLITE", "from-elsewhere");
  const std::string said = rig.run_hermes({"doctor", "--json"}).out;
  INFO(said);
  CHECK(said.find("from-elsewhere") != std::string::npos);
  CHECK(said.find(SQLITE_VERSION) == std::string::npos);
}

TEST_CASE("a home on a network filesystem is refused by every program", "[daemon]") {
  const auto [magic, name] = GENERATE(table<std::string, std::string>({{"0x6969", "nfs"},
                                                                       {"0xff534d42", "smb"},
                                                                       {"0x517b", "smb"},
                                                                       {"0x01021997", "9p"},
                                                                       {"0x00c36400", "ceph"}}));
  Rig rig;
  preload(rig);
  const std::string id = rig.board().add("exit 0");
  rig.set("HERMES_TEST_FS", magic);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"kanban", "list"}, {"kanban", "create", "x"}, {"init"}}) {
    const Ran ran = rig.run_hermes(words);
    CAPTURE(words, ran.out, ran.err);
    CHECK(ran.status == 1);
    CHECK(ran.err.find("network filesystem (" + name + ")") != std::string::npos);
  }
  CHECK(rig.run_hermes({"doctor"}).out.find("network filesystem (" + name + ")") !=
        std::string::npos);
  rig.launch();
  REQUIRE(rig.wait_until_said("network filesystem (" + name + ")"));
  CHECK(rig.board().task(id).status == Status::ready);
}

TEST_CASE("a command that meets an input or output error acknowledges nothing and says what it was",
          "[daemon]") {
  Rig rig;
  preload(rig);
  rig.set("HERMES_TEST_EIO", rig.path("broken").string());
  BoardHand& board = rig.board();
  rig.open("broken");
  const Ran ran = rig.run_hermes({"kanban", "create", "never"});
  CHECK(ran.status == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err.find("I/O error") != std::string::npos);
  CHECK(ran.err.find("damaged") == std::string::npos);
  fs::remove(rig.path("broken"));
  CHECK(board.count(Status::ready) == 0);
  CHECK(rig.run_hermes({"kanban", "create", "now"}).status == 0);
}

}  // namespace hermes::daemon::test
