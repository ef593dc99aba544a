// The event loop by itself, with pipes in place of workers and gates.
#include "daemon/loop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <vector>

#include "kernel/base/fd.hpp"

namespace hermes::daemon::test {

namespace {

class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    read_.reset(ends[0]);
    write_.reset(ends[1]);
  }
  int fd() const { return read_.get(); }
  void fill() const { REQUIRE(::write(write_.get(), "x", 1) == 1); }
  void drain() const {
    char one = 0;
    while (::read(read_.get(), &one, 1) > 0) {
    }
  }

 private:
  Fd read_;
  Fd write_;
};

}  // namespace

TEST_CASE("a watch is not told of what another watch, dropped in the same moment, was waiting for",
          "[daemon]") {
  const Pipe first;
  const Pipe second;
  const Pipe silent;
  const Pipe end;
  int false_alarms = 0;
  Loop loop([] { return std::nullopt; });
  std::array<std::unique_ptr<Loop::Watch>, 2> watches;
  std::unique_ptr<Loop::Watch> fresh;
  // Both are readable at once; whichever is told first drops the other and watches a silent pipe.
  const auto fact = [&](const Pipe& own, std::size_t other) {
    own.drain();
    watches[other].reset();
    fresh = loop.on_readable(silent.fd(), [&] { ++false_alarms; });
    end.fill();
  };
  watches[0] = loop.on_readable(first.fd(), [&] { fact(first, 1); });
  watches[1] = loop.on_readable(second.fd(), [&] { fact(second, 0); });
  const auto ending = loop.on_readable(end.fd(), [&] { loop.stop(); });
  first.fill();
  second.fill();
  loop.run();
  CHECK(false_alarms == 0);
}

TEST_CASE("facts that are there together are followed by one settle", "[daemon]") {
  const Pipe first;
  const Pipe second;
  int facts = 0;
  std::vector<int> seen;
  Loop* running = nullptr;
  Loop loop([&]() -> std::optional<MonotonicTime> {
    seen.push_back(facts);
    running->stop();
    return std::nullopt;
  });
  running = &loop;
  const auto one = loop.on_readable(first.fd(), [&] {
    first.drain();
    ++facts;
    loop.wake();
  });
  const auto two = loop.on_readable(second.fd(), [&] {
    second.drain();
    ++facts;
    loop.wake();
  });
  first.fill();
  second.fill();
  loop.run();
  CHECK(seen == std::vector{2});
}

}  // namespace hermes::daemon::test
