#include "kernel/home/child.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <csignal>

#include <unistd.h>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace hermes;
using hermes::test::TempDir;
using home::ChildEnd;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

home::ChildCommand shell(const std::string& script, const std::string& input = "") {
  return {.argv = {"sh", "-c", script},
          .environment = {"PATH=/usr/bin:/bin", "COLOUR=red"},
          .input = input,
          .directory = {},
          .out_bytes = 1000,
          .err_bytes = 10};
}

ChildEnd run(const home::ChildCommand& command, milliseconds limit = seconds{20},
             int cancel_fd = -1) {
  const auto end = home::run_child(command, std::chrono::steady_clock::now() + limit, cancel_fd);
  REQUIRE(end);
  return *end;
}

// A zombie that its new parent has not reaped yet is dead.
bool is_alive(const std::string& pid_file) {
  const auto pid = read_file(pid_file, 100);
  const auto stat = pid ? read_file("/proc/" + std::string(trim(*pid)) + "/stat", 4096) : pid;
  return stat && stat->find(") Z ") == std::string::npos;
}

}  // namespace

TEST_CASE("a child is given its input, its environment and nothing else, and tells how it ended") {
  const ChildEnd end = run(
      shell("cat; echo \" $COLOUR$HOME\"; echo abcdefghijkl >&2; exit 3", std::string(900, 'x')));
  CHECK(end.kind == ChildEnd::Kind::exited);
  CHECK(end.code == 3);
  CHECK(end.out == std::string(900, 'x') + " red\n");
  CHECK(end.err == "defghijkl\n");  // the end of what it said
  CHECK(run(shell("cat")).out.empty());
  CHECK(run(shell("ls /proc/self/fd | wc -l")).out == "4\n");  // ls has one for the directory
  home::ChildCommand elsewhere = shell("pwd");
  elsewhere.directory = "/usr";
  CHECK(run(elsewhere).out == "/usr\n");
}

TEST_CASE("a child that cannot be started, or is killed, is told apart from one that fails") {
  home::ChildCommand missing = shell("");
  missing.argv = {"/nowhere/at/all"};
  const ChildEnd end = run(missing);
  CHECK(end.kind == ChildEnd::Kind::not_started);
  CHECK(end.code == ENOENT);
  const ChildEnd killed = run(shell("kill -KILL $$"));
  CHECK(killed.kind == ChildEnd::Kind::signaled);
  CHECK(killed.code == SIGKILL);
}

TEST_CASE("a child is ended with all that it has started when its time is over") {
  const TempDir dir;
  const std::string pid_file = (dir / "pid").string();
  home::ChildCommand command =
      shell("trap '' TERM; sleep 100 & echo $! > " + pid_file + "; echo said; wait; wait");
  const ChildEnd end = run(command, milliseconds{300});
  CHECK(end.kind == ChildEnd::Kind::timed_out);
  CHECK(end.out == "said\n");
  CHECK(test::wait_until([&] { return !is_alive(pid_file); }));
}

TEST_CASE("a child is ended when somebody asks for it") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  writing.reset();  // an end of file is readable too
  CHECK(run(shell("sleep 100"), seconds{20}, reading.get()).kind == ChildEnd::Kind::cancelled);
}

TEST_CASE("output beyond the bound is dropped, or ends the child") {
  const ChildEnd cut = run(shell("head -c 100000 /dev/zero"));
  CHECK(cut.kind == ChildEnd::Kind::exited);
  CHECK(cut.out.size() == 1000);
  home::ChildCommand endless = shell("yes");
  endless.end_when_full = true;
  const ChildEnd full = run(endless);
  CHECK(full.kind == ChildEnd::Kind::too_much_output);
  CHECK(full.out.size() == 1000);
  // Without the bound its time still ends it.
  CHECK(run(shell("yes"), milliseconds{300}).kind == ChildEnd::Kind::timed_out);
}

TEST_CASE("what a child leaves behind does not keep us, and is killed when that is asked for") {
  const TempDir dir;
  const std::string pid_file = (dir / "pid").string();
  home::ChildCommand command = shell("sleep 100 & echo $! > " + pid_file);
  command.end_remains = true;
  CHECK(run(command).kind == ChildEnd::Kind::exited);
  CHECK(test::wait_until([&] { return !is_alive(pid_file); }));
}
