#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>

#include "kernel/base/words.hpp"
#include "support/wait.hpp"
#include "workers/rig.hpp"

using namespace hermes;
using namespace hermes::workers;
using namespace hermes::workers::test;
using hermes::test::wait_until;

namespace {

// A tmpfs of 64 KiB that can be filled; none when we may not mount.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& at)
      : at_(at),
        mounted_(fs::create_directory(at) &&
                 ::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=64k") == 0) {}
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(at_.c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  // True when not one more byte can be stored.
  bool fill() const {
    const Fd file(::open((at_ / "filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    const std::string page(4096, 'x');
    while (::write(file.get(), page.data(), page.size()) > 0) {
    }
    return errno == ENOSPC;
  }

 private:
  fs::path at_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("the exit code of a worker is recorded", "[workers]") {
  const Rig rig;
  for (const int code : {0, 1, 7, 75, 127, 255}) {
    const Exit exit = rig.run({"sh", "-c", "exit " + std::to_string(code)});
    CHECK(to_word(exit.kind) == "exited");
    CHECK(exit.code == code);
    CHECK(exit.stage.empty());
    CHECK_FALSE(exit.stop_requested);
  }
}

TEST_CASE("an orphan that ends before its worker does not lend it its exit", "[workers]") {
  const Rig rig;
  for (const std::string end : {"exit 7", "kill -9 $$"}) {
    // The subshell leaves at once: what it has started is the supervisor's, who alone can reap it.
    const Exit exit =
        rig.run({"sh", "-c",
                 "( sh -c 'sleep 0.05; " + end +
                     "' & echo $! > orphan )\n"
                     "while [ -d /proc/$(cat orphan) ]; do sleep 0.02; done; exit 5"});
    CHECK(to_word(exit.kind) == "exited");
    CHECK(exit.code == 5);
  }
}

TEST_CASE("the signal that ended a worker is recorded", "[workers]") {
  const Rig rig;
  for (const int number : {SIGKILL, SIGTERM, SIGSEGV, SIGPIPE, SIGHUP}) {
    const Exit exit = rig.run({"sh", "-c", "ulimit -c 0; kill -" + std::to_string(number) + " $$"});
    CHECK(to_word(exit.kind) == "signaled");
    CHECK(exit.code == number);
  }
}

TEST_CASE("time of the end, processor time and memory of a run are recorded", "[workers]") {
  const Rig rig;
  const Instant before = wall_clock_now();
  const Exit exit = rig.run({"sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"});
  CHECK(exit.ended_at >= before);
  CHECK(exit.ended_at <= wall_clock_now());
  CHECK(exit.cpu_ms > 0);
  CHECK(exit.max_rss_kb > 100);
}

TEST_CASE("a command that cannot be executed is not taken for one that ended with 127",
          "[workers]") {
  const Rig rig;
  SECTION("no such command in PATH") {
    const Exit exit = rig.run({"no-such-command-anywhere"});
    CHECK(to_word(exit.kind) == "exec_failed");
    CHECK(exit.stage == "exec");
    CHECK(exit.code == ENOENT);
  }
  SECTION("a file that is not executable") {
    std::ofstream(rig.path("plain")) << "text";
    const Exit exit = rig.run({rig.path("plain")});
    CHECK(to_word(exit.kind) == "exec_failed");
    CHECK(exit.stage == "exec");
    CHECK(exit.code == EACCES);
  }
  SECTION("a missing working directory") {
    Launch launch = rig.launch({"true"});
    launch.cwd = rig.path("missing");
    const Exit exit = rig.run(launch);
    CHECK(to_word(exit.kind) == "exec_failed");
    CHECK(exit.stage == "cwd");
    CHECK(exit.code == ENOENT);
  }
  SECTION("a program that ends with 127") {
    const Exit exit = rig.run({"sh", "-c", "exit 127"});
    CHECK(to_word(exit.kind) == "exited");
    CHECK(exit.code == 127);
  }
}

TEST_CASE("a log that cannot be opened is a failed set-up", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({"touch", rig.path("ran")});
  Result<HeldShim> shim = start_shim(k_shim, launch);
  REQUIRE(shim);
  SECTION("the starter refuses it before anything is spawned") {
    launch.record = rig.path("record2");
    launch.log = rig.path("missing/log");
    const auto refused = start_shim(k_shim, launch);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK_FALSE(fs::exists(launch.record));
  }
}

TEST_CASE("the environment of a worker is exactly what was given", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({"/usr/bin/env"});
  launch.env.push_back("WITH=equals=and blanks ");
  launch.env.push_back("EMPTY=");
  rig.run(launch);
  std::string expected;
  for (const std::string& entry : launch.env) {
    expected += entry + "\n";
  }
  CHECK(rig.log_text() == expected);
}

TEST_CASE("a worker inherits no descriptor of ours", "[workers]") {
  const Rig rig;
  // Neither of these closes on exec, and the high one lies beyond what a naive loop would close.
  const Fd low(::open("/dev/null", O_RDONLY));
  const Fd high(::fcntl(low.get(), F_DUPFD, 900));
  REQUIRE(high);
  rig.run({"ls", "/proc/self/fd"});
  CHECK(rig.log_text() == "0\n1\n2\n3\n");  // 3 is the directory that ls reads
}

TEST_CASE("a worker has default signals, although we ignore some and block some", "[workers]") {
  const Rig rig;
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  rig.run({"grep", "-E", "^Sig(Blk|Ign|Pnd)", "/proc/self/status"});
  sigprocmask(SIG_SETMASK, &before, nullptr);
  CHECK(rig.log_text() ==
        "SigPnd:\t0000000000000000\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_CASE("a worker leads a session of its own and reads nothing from standard input",
          "[workers]") {
  const Rig rig;
  rig.run({"sh", "-c",
           "cut -d' ' -f1,6 /proc/self/stat | { read a b; echo \"$b\" ; echo $$; }; cat; echo end "
           ">&2; pwd"});
  const std::string text = rig.log_text();
  const auto first = text.substr(0, text.find('\n'));
  CHECK(text == first + "\n" + first + "\nend\n" + rig.path("").parent_path().string() + "\n");
}

TEST_CASE("limits of a worker are in force", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch(
      {"sh", "-c", "nice; ulimit -v; ulimit -t; cat /proc/self/oom_score_adj; ionice -p $$"});
  launch.nice = 3;
  launch.memory_bytes = 1 << 30;
  launch.cpu_seconds = 50;
  launch.io_priority = 3 << 13;  // the idle class of ioprio_set(2)
  rig.run(launch);
  errno = 0;
  const int niceness = std::min(19, ::nice(0) + 3);
  const int score = std::min(1000, std::stoi(file_text("/proc/self/oom_score_adj")) + 200);
  CHECK(rig.log_text() ==
        std::to_string(niceness) + "\n1048576\n50\n" + std::to_string(score) + "\nidle\n");
}

TEST_CASE("a gate that is never opened starts nothing", "[workers]") {
  const Rig rig;
  const Launch launch = rig.launch({"touch", rig.path("ran")});
  SECTION("the starter goes away") {
    Fd pidfd;
    {
      Result<HeldShim> shim = start_shim(k_shim, launch);
      REQUIRE(shim);
      CHECK(shim->start() != 0);
      REQUIRE(open_process(shim->pid(), shim->start()));
      pidfd.reset(::fcntl(shim->pidfd().get(), F_DUPFD_CLOEXEC, 0));
    }
    // Dropped: ended and reaped.
    CHECK_FALSE(reap(pidfd));
    CHECK(count_living(rig.token()) == 0);
  }
  SECTION("the gate closes, seen from the shim's exit status") {
    Result<HeldShim> shim = start_shim(k_shim, launch);
    REQUIRE(shim);
    const Fd pidfd(::fcntl(shim->pidfd().get(), F_DUPFD_CLOEXEC, 0));
    shim->take_pidfd();
    { const HeldShim dropped = std::move(*shim); }
    std::optional<int> status;
    REQUIRE(wait_until([&] { return (status = reap(pidfd)).has_value(); }));
    CHECK(status == 100);
  }
  SECTION("SIGTERM comes first, even before the shim has begun") {
    Result<HeldShim> shim = start_shim(k_shim, launch);
    REQUIRE(shim);
    REQUIRE(request_stop(shim->pidfd()));
    CHECK(rig.wait_for_end(*shim) == 100);
    CHECK_FALSE(open_gate(*shim));
  }
  CHECK_FALSE(fs::exists(rig.path("ran")));
  const auto seen = observe_end(launch.record);
  REQUIRE(seen);
  CHECK(std::holds_alternative<NeverStarted>(*seen));
}

TEST_CASE("a launch that cannot work is refused and leaves no record", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({"true"});
  ErrorCode expected = ErrorCode::invalid;
  fs::path shim = k_shim;
  SECTION("empty command") { launch.argv.clear(); }
  SECTION("relative directory") { launch.cwd = "somewhere"; }
  SECTION("NUL in an argument") { launch.argv.emplace_back("a\0b", 3); }
  SECTION("token too long") { launch.token.assign(128, 'x'); }
  SECTION("no shim there") {
    shim = rig.path("no-shim");
    expected = ErrorCode::unavailable;
  }
  SECTION("argument list too long") {
    launch.argv.emplace_back(1U << 20U, 'x');
    expected = ErrorCode::invalid;
  }
  const auto refused = start_shim(shim, launch);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == expected);
  CHECK_FALSE(fs::exists(launch.record));
}

TEST_CASE("a run cannot be started twice", "[workers]") {
  const Rig rig;
  const Launch launch = rig.launch({"true"});
  const auto first = start_shim(k_shim, launch);
  REQUIRE(first);
  const auto second = start_shim(k_shim, launch);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
}

TEST_CASE("record and log are readable by their owner only", "[workers]") {
  const Rig rig;
  const auto shim = start_shim(k_shim, rig.launch({"true"}));
  REQUIRE(shim);
  for (const fs::path& path : {rig.record(), rig.log()}) {
    struct stat facts {};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
  }
  CHECK(fs::file_size(rig.record()) == 4096);
}

TEST_CASE("a full disk cannot lose an exit", "[workers]") {
  const Rig rig;
  const SmallDisk disk(rig.path("disk"));
  if (!disk.mounted()) {
    WARN("skipped: mounting a small tmpfs needs root");
    return;
  }
  Launch launch = rig.launch({"sh", "-c", "while [ ! -e go ]; do sleep 0.01; done; exit 7"});
  launch.record = rig.path("disk/record");
  const HeldShim shim = rig.go(launch);
  REQUIRE(disk.fill());
  std::ofstream(rig.path("go")) << "";
  CHECK(rig.wait_for_end(shim) == 0);
  const auto seen = observe_end(launch.record);
  REQUIRE(seen);
  REQUIRE(std::holds_alternative<Ended>(*seen));
  CHECK(std::get<Ended>(*seen).exit.code == 7);
  SECTION("and a start on it is refused at once") {
    launch.record = rig.path("disk/record2");
    const auto refused = start_shim(k_shim, launch);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK_FALSE(fs::exists(launch.record));
  }
}

TEST_CASE("an upgrade of the shim program does not touch a run: the file may be replaced",
          "[workers]") {
  const Rig rig;
  const fs::path copy = rig.path("hermes-shim-copy");
  fs::copy_file(k_shim, copy);
  const Launch launch = rig.launch({k_helper, "stay"});
  Result<HeldShim> shim = start_shim(copy, launch);
  REQUIRE(shim);
  fs::remove(copy);
  REQUIRE(open_gate(*shim));
  REQUIRE(rig.wait_for_log("ready"));
  REQUIRE(kill_now(shim->pidfd()));
  CHECK(rig.wait_for_end(*shim) == 0);
}
