// Programs that are started with their standard streams closed, as by a careless service manager.
#include <fmt/core.h>

#include <csignal>
#include <set>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

constexpr const char* k_closed = "exec \"$0\" \"$@\" 0<&- 1>&- 2>&-";

std::map<std::string, std::string> environment_of(const Rig& rig) {
  return {{"HERMES_HOME", rig.home().dir.string()}, {"HERMES_SHIM", TEST_SHIM}, {"PATH", "/bin"}};
}

Program start_closed(const Rig& rig, const std::string& program, std::vector<std::string> words) {
  words.insert(words.begin(), {"-c", k_closed, program});
  return Program("/bin/sh", words, environment_of(rig), "/dev/null", "/dev/null");
}

std::set<std::string> standard_files_of(pid_t pid) {
  std::set<std::string> files;
  for (const int number : {0, 1, 2}) {
    std::error_code closed;
    files.insert(fs::read_symlink(fmt::format("/proc/{}/fd/{}", pid, number), closed).string());
  }
  return files;
}

}  // namespace

TEST_CASE("a dispatcher whose standard streams are closed writes its messages into no other file",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  Program dispatcher = start_closed(rig, TEST_DISPATCHER, {"--verbose"});
  const std::string id = board.add("cat; echo out; echo err >&2");
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(standard_files_of(dispatcher.pid()) == std::set<std::string>{"/dev/null"});
  CHECK(text_of(rig.home().dispatcher_lock()) == fmt::format("{}\n", dispatcher.pid()));
  CHECK(board.log(id) == "out\nerr\n");
  dispatcher.signal(SIGTERM);
  CHECK(dispatcher.wait() == 0);
}

TEST_CASE("a command whose standard streams are closed does its work and leaves the board sound",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  // What it did could not be said, and that is its status.
  CHECK(start_closed(rig, Rig::hermes(), {"kanban", "create", "unseen"}).wait() == 1);
  CHECK(board.count(Status::ready) == 1);
  CHECK(start_closed(rig, Rig::hermes(), {"kanban", "create", ""}).wait() == 1);
  CHECK(start_closed(rig, Rig::hermes(), {"kanban", "create", "a", "--body-file", "-"}).wait() ==
        1);
  CHECK(board.count(Status::ready) == 1);
  CHECK(rig.run_hermes({"kanban", "doctor"}).status == 0);
}

}  // namespace hermes::daemon::test
