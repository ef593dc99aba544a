// What a worker may put in the way of its supervisor and of the dispatcher: it runs as their user,
// and knows the names of our files.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

constexpr const char* k_small_logs = "[log]\nrotate_bytes = 65536\n";
constexpr const char* k_at_once = "[retry]\nbase = 0\nmax = 0\n";

bool stays_as_it_was(const fs::path& path) { return text_of(path) == "precious"; }

// What a cut of the log has left: a file of its own, with what the worker wrote.
bool is_own_older_part(const fs::path& path) {
  return fs::is_regular_file(fs::symlink_status(path)) && fs::hard_link_count(path) == 1 &&
         text_of(path).find("y\ny\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a FIFO in the place of the next log fails that start and holds nobody up", "[daemon]") {
  Rig rig(k_at_once);
  BoardHand& board = rig.board();
  const std::string logs = board.paths().logs().string();
  const std::string id = board.create(
      {.title = "a",
       .body =
           fmt::format("for n in 2 3; do mkfifo {}/$HERMES_KANBAN_TASK.$n.log; done; exit 1", logs),
       .assignee = "sh",
       .failure_limit = 3});
  rig.start();
  REQUIRE(board.wait_for(id, Status::blocked));
  const auto runs = board.runs(id);
  REQUIRE(runs.size() == 3);
  CHECK(runs[1].outcome == Outcome::spawn_failed);
  CHECK(runs[1].error.value_or("").find("is not a regular file") != std::string::npos);
  // The dispatcher serves on.
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  CHECK(rig.stop() == 0);
}

TEST_CASE("a link in the place of a log, or of its older part, leads nothing astray", "[daemon]") {
  Rig rig(std::string(k_small_logs) + k_at_once);
  BoardHand& board = rig.board();
  const fs::path precious = rig.path("precious");
  write_text(precious, "precious");
  const std::string log = board.paths().logs().string() + "/$HERMES_KANBAN_TASK";
  const std::string much = "yes | head -c 300000; sleep 0.3; exit 1";
  std::string trap;
  bool is_cut = true;  // and so has an older part, made where the trap lies
  SECTION("the next log") {
    is_cut = false;
    trap = fmt::format("ln -s {} {}.2.log; exit 1", precious.string(), log);
  }
  SECTION("the older part, a link") {
    trap = fmt::format("ln -s {} {}.1.log.1; {}", precious.string(), log, much);
  }
  SECTION("what becomes the older part, a link") {
    trap = fmt::format("ln -s {} {}.1.log.1.tmp; {}", precious.string(), log, much);
  }
  SECTION("what becomes the older part, a second name of a file") {
    trap = fmt::format("ln {} {}.1.log.1.tmp; {}", precious.string(), log, much);
  }
  const std::string id =
      board.create({.title = "a", .body = trap, .assignee = "sh", .failure_limit = is_cut ? 1 : 2});
  rig.start();
  REQUIRE(board.wait_for(id, Status::blocked));
  REQUIRE(board.wait_until_gone(id));
  CHECK(stays_as_it_was(precious));
  CHECK(is_own_older_part(board.paths().older_log(id, 1)) == is_cut);
}

TEST_CASE("a FIFO in the place of a log's older part does not stop the supervisor", "[daemon]") {
  Rig rig(k_small_logs);
  BoardHand& board = rig.board();
  const std::string id = board.add(
      fmt::format("mkfifo {}/$HERMES_KANBAN_TASK.1.log.1.tmp; yes | head -c 300000; exit 0",
                  board.paths().logs().string()));
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  REQUIRE(board.wait_until_gone(id));
  CHECK(is_own_older_part(board.paths().older_log(id, 1)));
}

TEST_CASE("a control record or a lock that was replaced by a FIFO holds nobody up", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  rig.give_up("default");
  const std::string id = board.add(rig.waits_for("go"));
  rig.start();
  REQUIRE(board.wait_until_works(id));
  rig.kill_dispatcher();
  const fs::path record = rig.home().record("default", board.last_run(id).id);
  for (const fs::path& path : {record, rig.home().dispatcher_lock()}) {
    fs::remove(path);
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  }
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"kanban", "list"}, {"dispatcher", "status"}, {"kanban", "dispatch", "--dry-run"}}) {
    CAPTURE(words);
    CHECK(rig.run_hermes(words).status >= 0);  // it ended
  }
  rig.open("go");
}

TEST_CASE("a link in the place of a board's run directory keeps its files when the board goes",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board("other");
  rig.start();
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  const fs::path elsewhere = rig.path("elsewhere");
  fs::create_directory(elsewhere);
  for (const char* name : {"1", "12", "12.context", "photo.jpg"}) {
    write_text(elsewhere / name, "precious");
  }
  fs::remove_all(rig.home().records("other"));
  fs::create_directory_symlink(elsewhere, rig.home().records("other"));
  CHECK(rig.stop() == 0);
  rig.start();  // which clears up what is left of earlier runs
  CHECK(rig.stop() == 0);
  board.close();
  rig.give_up("other");
  const Ran ran = rig.run_hermes({"kanban", "boards", "rm", "other"});
  INFO(ran.err);
  CHECK(ran.status == 0);
  for (const char* name : {"1", "12", "12.context", "photo.jpg"}) {
    CHECK(stays_as_it_was(elsewhere / name));
  }
}

TEST_CASE("a workspace that a worker has replaced by a link is left alone, with what it leads to",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const fs::path elsewhere = rig.path("elsewhere");
  fs::create_directory(elsewhere);
  write_text(elsewhere / "file", "precious");
  const std::string replaced = board.add(fmt::format(
      "cd ..; mv $HERMES_KANBAN_WORKSPACE {0}/moved; ln -s {0}/elsewhere $HERMES_KANBAN_WORKSPACE",
      rig.path("").string()));
  const std::string inside = board.add(fmt::format(
      "ln -s {0}/elsewhere link; ln {0}/elsewhere/file name; mkdir -p deep; ln -s ../.. deep/up",
      rig.path("").string()));
  rig.start();
  for (const std::string& id : {replaced, inside}) {
    REQUIRE(board.wait_for(id, Status::done));
    REQUIRE(board.wait_until_gone(id));
    CHECK(rig.run_hermes({"kanban", "archive", id}).status == 0);
  }
  CHECK(rig.run_hermes({"kanban", "gc"}).status == 0);
  CHECK_FALSE(fs::exists(board.paths().workspace(inside)));
  CHECK(fs::is_symlink(board.paths().workspace(replaced)));
  CHECK(fs::exists(rig.path("moved")));
  CHECK(rig.run_hermes({"kanban", "archive", "--rm", replaced}).status == 0);
  CHECK(stays_as_it_was(elsewhere / "file"));
}

}  // namespace hermes::daemon::test
