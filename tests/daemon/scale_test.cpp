// Numbers at which limits, tables and descriptors show their leaks.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr long k_memory_slack_kb = 512 * 1024;  // AddressSanitizer keeps what was freed for a while
#else
constexpr long k_memory_slack_kb = 4096;
#endif

void add_many(BoardHand& board, int number, const std::string& script,
              const std::vector<std::string>& parents = {}) {
  const auto added = board.change([&](board::Change& c) -> Result<int> {
    for (int i = 0; i < number; ++i) {
      TRY(board::create(c,
                        {.title = "short", .body = script, .assignee = "sh", .parents = parents}));
    }
    return number;
  });
  REQUIRE(added);
}

bool all_done(BoardHand& board, std::int64_t number) {
  return wait_until([&] { return board.count(Status::done) == number; }, 2 * k_patience);
}

}  // namespace

TEST_CASE("1000 short workers leave no zombie, and the dispatcher as small as it was", "[daemon]") {
  Rig rig("[dispatcher]\nmax_in_progress = 8\n");
  BoardHand& board = rig.board();
  add_many(board, 200, "exit 0");
  rig.start();
  REQUIRE(all_done(board, 200));
  const pid_t pid = rig.dispatcher().pid();
  const auto at_rest = [&] {
    const ChildCount children = children_of(pid);
    return children.living == 0 && children.zombies == 0;
  };
  REQUIRE(wait_until(at_rest, k_patience));
  const int files = open_files_of(pid);
  const long memory = resident_kb(pid);
  add_many(board, 800, "exit 0");
  REQUIRE(all_done(board, 1000));
  CHECK(wait_until(at_rest, k_patience));
  CHECK(wait_until([&] { return open_files_of(pid) <= files; }));
  // A leak of 5 KiB per worker would show; the margin is for the allocator's pages.
  CHECK(resident_kb(pid) < memory + k_memory_slack_kb);
  CHECK(rig.wait_until_alone());
}

TEST_CASE("a cap of 1 holds for 36 ready tasks of as many profiles as there are", "[daemon]") {
  Rig rig("[dispatcher]\nmax_in_progress = 1\n");
  BoardHand& board = rig.board();
  const std::string text = text_of(rig.home().profile("sh"));
  // The lock is taken by one at a time, or somebody says so.
  const std::string lock = rig.path("lock").string();
  const std::string script =
      fmt::format("exec 9>>'{}'; flock -n 9 || echo two at once >> '{}'; sleep 0.01", lock,
                  rig.path("doubts").string());
  for (int i = 0; i < 36; ++i) {
    const std::string profile = fmt::format("p{}", i % 6);
    rig.write_profile(profile, text);
    board.create({.title = "a", .body = script, .assignee = profile});
  }
  rig.start();
  REQUIRE(wait_until([&] { return board.count(Status::done) >= 6; }, k_patience));
  rig.kill_dispatcher();  // whoever comes next counts what still runs
  rig.start();
  REQUIRE(all_done(board, 36));
  CHECK_FALSE(fs::exists(rig.path("doubts")));
}

TEST_CASE("work in a home whose path has blanks, quotes and a link in it goes on as anywhere",
          "[daemon]") {
  const hermes::test::TempDir directory;
  const fs::path real = directory / "a home of \"O'Neil\" $HOME %s Zürich";
  REQUIRE(fs::create_directory(real));
  fs::create_directory_symlink(real, directory / "link to it");
  const home::Home home{directory / "link to it" / fs::path("h ome")};
  REQUIRE(home::create_home(home));
  fs::create_directories(home.profile("sh").parent_path());
  write_text(home.profile("sh"),
             "command = [\"/bin/sh\", \"-c\", \"{body}\"]\nverdict = \"exit-code\"\n");
  BoardHand board(home, "default");
  const std::string id = board.create({.title = "a", .body = "pwd; echo kept > file; exit 0"});
  std::map<std::string, std::string> environment{{"HERMES_HOME", home.dir.string()},
                                                 {"HERMES_SHIM", TEST_SHIM},
                                                 {"HERMES_DISPATCHER", TEST_DISPATCHER},
                                                 {"PATH", "/usr/bin:/bin"}};
  Program dispatcher(TEST_DISPATCHER, {}, environment, directory / "out", directory / "err");
  REQUIRE(board.wait_for(id, Status::done));
  REQUIRE(board.wait_until_gone(id));
  CHECK(board.log(id).find("O'Neil") != std::string::npos);
  CHECK(text_of(board.paths().workspace(id) / "file") == "kept\n");
  // The same home by its other name is the same home: one dispatcher, one board.
  environment["HERMES_HOME"] = (real / "h ome").string();
  Program second(TEST_DISPATCHER, {}, environment, directory / "out", directory / "second");
  CHECK(second.wait() == 3);
  Program list(Rig::hermes(), {"kanban", "list", "--json"}, environment, directory / "list",
               directory / "list-err");
  CHECK(list.wait() == 0);
  CHECK(text_of(directory / "list").find(id) != std::string::npos);
  dispatcher.signal(SIGTERM);
  CHECK(dispatcher.wait() == 0);
  board.check_invariants();
  board.close();
  std::error_code none;
  if (const auto memory = fs::read_symlink(home.run(), none);
      memory.string().starts_with("/dev/shm/hermes-")) {
    fs::remove_all(memory, none);
  }
}

TEST_CASE("a board with two names is served once", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  fs::create_directory_symlink("default", rig.home().boards() / "alias");
  rig.start();
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  CHECK_FALSE(rig.dispatcher().ended());
  CHECK(rig.run_hermes({"kanban", "--board", "alias", "list"}).status == 0);
}

TEST_CASE("a task that fails before it can start comes to rest, and so does one that always does",
          "[daemon]") {
  Rig rig("[dispatcher]\nfailure_limit = 3\n[retry]\nbase = \"1ms\"\nfactor = 1\n");
  BoardHand& board = rig.board();
  rig.write_profile("lost", "command = [\"/no/such/program\"]\n");
  rig.write_profile("silent", "command = [\"/bin/true\"]\n");
  const std::string no_directory = board.create({.title = "a",
                                                 .body = "exit 0",
                                                 .workspace_kind = WorkspaceKind::dir,
                                                 .workspace_path = "/no/such/directory"});
  const std::string no_command = board.create({.title = "b", .assignee = "lost"});
  const std::string fails = board.add("exit 9");
  const std::string killed = board.add("kill -KILL $$");
  const std::string silent = board.create({.title = "c", .assignee = "silent"});
  rig.start();
  for (const std::string& id : {no_directory, no_command, fails, killed, silent}) {
    CAPTURE(id);
    REQUIRE(board.wait_for(id, Status::blocked));
    REQUIRE(board.wait_until_gone(id));
    CHECK(board.runs(id).size() == 3);
    CHECK(board.task(id).block_source == BlockSource::breaker);
  }
  // Neither a restart nor a parent that is done brings them back.
  rig.kill_dispatcher();
  rig.start();
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  CHECK(board.count(Status::blocked) == 5);
}

}  // namespace hermes::daemon::test
