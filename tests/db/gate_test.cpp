#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "kernel/base/files.hpp"
#include "kernel/db/gate.hpp"
#include "kernel/db/watch.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace hermes;
using hermes::db::GateWatch;
using hermes::db::WriteGate;
using hermes::test::TempDir;

namespace {

struct LockFile {
  TempDir dir;
  std::filesystem::path path = dir / "board.lock";
  LockFile() { REQUIRE(write_file_atomically(path, "")); }
};

}  // namespace

TEST_CASE("the gate lets one writer in at a time", "[threads]") {
  const LockFile lock;
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const auto gate = WriteGate::enter(lock.path, std::chrono::seconds{20});
        if (gate) {
          most = std::max(most.load(), ++inside);
          --inside;
        } else {
          most = 99;
        }
      }
    });
  }
  for (auto& writer : writers) {
    writer.join();
  }
  CHECK(most == 1);
}

TEST_CASE("the wait at the gate is bounded and names the PID that holds it") {
  const LockFile lock;
  const Fd held(::open(lock.path.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  const auto before = std::chrono::steady_clock::now();
  const auto gate = WriteGate::enter(lock.path, Millis{120});
  const auto waited = std::chrono::steady_clock::now() - before;
  REQUIRE_FALSE(gate);
  CHECK(gate.error().code == ErrorCode::busy);
  CHECK(gate.error().hint.find(std::to_string(::getpid())) != std::string::npos);
  CHECK(waited >= Millis{115});
}

TEST_CASE("another thread ends the wait at the gate", "[threads]") {
  const LockFile lock;
  const Fd held(::open(lock.path.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  db::Cancellation cancellation;
  std::thread other([&] {
    std::this_thread::sleep_for(Millis{50});
    cancellation.request();
  });
  const auto before = std::chrono::steady_clock::now();
  const auto gate = WriteGate::enter(lock.path, std::chrono::seconds{60}, &cancellation);
  const auto waited = std::chrono::steady_clock::now() - before;
  other.join();
  REQUIRE_FALSE(gate);
  CHECK(gate.error().code == ErrorCode::unavailable);
  CHECK(gate.error().message.find("cancelled") != std::string::npos);
  CHECK(waited < std::chrono::seconds{30});
  // Requested before, it is not waited for either.
  CHECK_FALSE(WriteGate::enter(lock.path, std::chrono::seconds{60}, &cancellation));
}

// Each interruption would put the waiter behind those that came later.
TEST_CASE("who can be cancelled waits at the gate in one call like everybody") {
  const LockFile lock;
  const Fd held(::open(lock.path.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  const auto sleeps = [] {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
  };
  db::Cancellation cancellation;
  const long before = sleeps();
  CHECK(WriteGate::enter(lock.path, Millis{500}, &cancellation).error().code == ErrorCode::busy);
  CHECK(sleeps() - before < 10);
}

TEST_CASE("a lost gate file is an error that says how to get it back") {
  const TempDir dir;
  const auto gate = WriteGate::enter(dir / "board.lock", Millis{10});
  REQUIRE_FALSE(gate);
  CHECK(gate.error().hint.find("hermes init") != std::string::npos);
}

TEST_CASE("closing the gate wakes a watcher exactly once per write") {
  const LockFile lock;
  auto watch = GateWatch::on(lock.path);
  REQUIRE(watch);
  CHECK(watch->take() == GateWatch::Seen::nothing);
  for (int i = 0; i < 5; ++i) {
    { REQUIRE(WriteGate::enter(lock.path, Millis{100})); }
    REQUIRE(watch->wait(2000));
    CHECK(watch->take() == GateWatch::Seen::written);
    CHECK(watch->take() == GateWatch::Seen::nothing);
  }
}

TEST_CASE("the wake-up comes even when the writer is killed inside the gate") {
  const LockFile lock;
  auto watch = GateWatch::on(lock.path);
  REQUIRE(watch);
  int ready[2];
  REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto gate = WriteGate::enter(lock.path, Millis{1000});
    const char byte = gate ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    ::pause();
    std::_Exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(byte == 'y');
  CHECK(watch->take() == GateWatch::Seen::nothing);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  REQUIRE(watch->wait(2000));
  CHECK(watch->take() == GateWatch::Seen::written);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a gate file that disappears is reported as lost") {
  const LockFile lock;
  auto watch = GateWatch::on(lock.path);
  REQUIRE(watch);
  std::filesystem::remove(lock.path);
  REQUIRE(watch->wait(2000));
  CHECK(watch->take() == GateWatch::Seen::lost);
}
