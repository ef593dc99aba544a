// From the COMMIT of a create to the worker's first instruction, with a dispatcher that sleeps.
#include <fmt/core.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "bench/board.hpp"
#include "bench/commit_wake.hpp"
#include "bench/dispatcher.hpp"
#include "bench/measurements.hpp"
#include "kernel/base/files.hpp"

namespace hermes::bench {

namespace {

constexpr std::size_t k_most_stamp = 64;

Nanos stamp_in(const fs::path& file) {
  const std::string text = must(read_file(file, k_most_stamp));
  if (!text.ends_with('\n')) {
    throw std::runtime_error("no time in " + file.string());
  }
  return std::stoll(text);
}

// Sees the first write to any log without looking at the board: a reader that wakes at each of the
// dispatcher's commits would compete with what is measured.
class LogWatch {
 public:
  explicit LogWatch(const fs::path& logs) : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (::inotify_add_watch(fd_.get(), logs.c_str(), IN_MODIFY) < 0) {
      throw std::runtime_error("cannot watch " + logs.string());
    }
  }
  void wait() const {
    wait_readable("a worker's first write", fd_.get());
    std::array<char, 4096> events{};
    while (::read(fd_.get(), events.data(), events.size()) > 0) {
    }
  }

 private:
  Fd fd_;
};

Sample measure_starts(const TempHome& home, int count) {
  const Dispatcher dispatcher(home);
  dispatcher.wait_ready();
  const LogWatch logs(home.board().logs());
  Board board(home);
  Sample starts;
  for (int i = 0; i < count; ++i) {
    dispatcher.wait_idle();
    const auto [id, committed] = board.create_stamped(fmt::format("start {}", i), "stamp");
    logs.wait();
    wait_for("a task to be done", [&] { return board.is(id, Status::done); });
    starts.add(stamp_in(home.board().log(id, 1)) - committed);
  }
  return starts;
}

Sample measure_spawns(const TempHome& home, int count) {
  Sample spawns;
  for (int i = 0; i < count; ++i) {
    const fs::path file = home.dir() / fmt::format("stamp.{}", i);
    const Nanos called = monotonic_now();
    const pid_t pid = spawn({BENCH_WORKER, "stamp"}, home.environment(), {.out = file.string()});
    if (wait_status(pid) != 0) {
      throw std::runtime_error("the worker failed");
    }
    spawns.add(stamp_in(file) - called);
  }
  return spawns;
}

}  // namespace

std::vector<Row> measure_start(Effort effort) {
  const TempHome home;
  home.add_profile("stamp", {BENCH_WORKER, "stamp"});
  const int count = effort.of(200, 10);
  const Sample starts = measure_starts(home, count);
  const Sample spawns = measure_spawns(home, count);
  const CommitWakes wakes = measure_commit_wakes(count);

  Row row;
  row.name = "start";
  row.figure = {"COMMIT of create → worker's first instruction",
                fmt::format("{}  ({} samples)", spread(starts), count)};
  row.floor = {"posix_spawn → first instruction", spread(spawns), "COMMIT → inotify wake",
               spread(wakes.to_wake)};
  row.expect_below("p50", starts.median(), 5 * k_millisecond);
  row.expect_below("p99", starts.at(0.99), 20 * k_millisecond);
  return {row};
}

}  // namespace hermes::bench
