// The write gate: fairness under 24 writers, and one wake-up for each commit.
#include <fmt/core.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <stdexcept>

#include "bench/board.hpp"
#include "bench/child.hpp"
#include "bench/measurements.hpp"

namespace hermes::bench {

namespace {

constexpr std::size_t k_writers = 24;
constexpr Nanos k_dispatcher_patience = 250 * k_millisecond;  // it waits no longer for a gate

// What one writer counts, in memory that the bench reads.
struct Count {
  std::int64_t commits = 0;
  Nanos worst_wait = 0;  // from the call of write to the first statement
  bool ended_well = false;
};
struct Counts {
  std::atomic<bool> begin = false;
  std::atomic<std::size_t> ready = 0;
  std::array<Count, k_writers> writers{};
};

class SharedCounts {
 public:
  SharedCounts()
      : place_(::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0)) {
    if (place_ == MAP_FAILED) {
      throw std::runtime_error("cannot share memory");
    }
    counts_ = new (place_) Counts;
  }
  ~SharedCounts() { ::munmap(place_, sizeof(Counts)); }
  SharedCounts(const SharedCounts&) = delete;
  SharedCounts& operator=(const SharedCounts&) = delete;
  Counts* operator->() { return counts_; }

 private:
  void* place_;
  Counts* counts_;
};

// Answers how long it took to get to the first statement.
Nanos write_one_row(Board& board) {
  const Nanos called = monotonic_now();
  return board.write([&](board::Change& change) -> Result<Nanos> {
    const Nanos entered = monotonic_now();
    change.tx.execute("INSERT INTO events (kind, at) VALUES ('commented', $1)", change.now);
    return entered - called;
  });
}

void write_until_over(const TempHome& home, Nanos time, Counts& counts, Count& count) {
  Board board(home);
  ++counts.ready;
  wait_for("the other writers", [&] { return counts.begin.load(); });
  const Nanos end = monotonic_now() + time;
  while (monotonic_now() < end) {
    count.worst_wait = std::max(count.worst_wait, write_one_row(board));
    ++count.commits;
  }
  count.ended_well = true;
}

// Real processes, because the gate is between processes.
class Writers {
 public:
  Writers(const TempHome& home, Nanos time, Counts& counts) {
    for (Count& count : counts.writers) {
      const pid_t pid = ::fork();
      if (pid < 0) {
        throw std::runtime_error("cannot fork");
      }
      if (pid == 0) {
        try {
          write_until_over(home, time, counts, count);
        } catch (const std::exception& error) {
          fmt::print(stderr, "writer: {}\n", error.what());
        }
        ::_exit(0);  // nothing of the bench's own is taken down here
      }
      pids_.push_back(pid);
    }
  }
  ~Writers() {
    for (const pid_t pid : pids_) {
      ::kill(pid, SIGKILL);
    }
    wait();
  }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  void wait() {
    for (const pid_t pid : std::exchange(pids_, {})) {
      wait_status(pid);
    }
  }

 private:
  std::vector<pid_t> pids_;
};

struct Contest {
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::int64_t total = 0;
  Nanos worst_wait = 0;
};

Contest hold_contest(const TempHome& home, Nanos time) {
  SharedCounts counts;
  Writers writers(home, time, *counts.operator->());
  wait_for("the writers", [&] { return counts->ready == k_writers; });
  counts->begin = true;
  writers.wait();
  Contest contest;
  contest.least = counts->writers.front().commits;
  for (const Count& count : counts->writers) {
    if (!count.ended_well) {
      throw std::runtime_error("a writer failed");
    }
    contest.least = std::min(contest.least, count.commits);
    contest.most = std::max(contest.most, count.commits);
    contest.total += count.commits;
    contest.worst_wait = std::max(contest.worst_wait, count.worst_wait);
  }
  return contest;
}

// Closings of the gate that were seen since the last look. Read by hand: GateWatch joins them.
std::int64_t closings(int fd) {
  std::int64_t count = 0;
  std::array<char, 4096> events{};
  for (ssize_t got = 0; (got = ::read(fd, events.data(), events.size())) > 0;) {
    count += got / static_cast<ssize_t>(sizeof(inotify_event));  // of one file, so without names
  }
  return count;
}

struct Alone {
  Sample commits;
  std::int64_t fewest_wakes = 0;
  std::int64_t most_wakes = 0;
};

Alone write_alone(const TempHome& home, int count) {
  Board board(home);
  const Fd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (::inotify_add_watch(watch.get(), home.board().lock().c_str(), IN_CLOSE_WRITE) < 0) {
    throw std::runtime_error("cannot watch the gate");
  }
  Alone alone;
  alone.fewest_wakes = 2;
  for (int i = 0; i < count; ++i) {
    const Nanos called = monotonic_now();
    write_one_row(board);
    alone.commits.add(monotonic_now() - called);
    const std::int64_t wakes = closings(watch.get());
    alone.fewest_wakes = std::min(alone.fewest_wakes, wakes);
    alone.most_wakes = std::max(alone.most_wakes, wakes);
  }
  return alone;
}

}  // namespace

std::vector<Row> measure_gate(Effort effort) {
  const TempHome home;
  const Nanos time = effort.of(5, 1) * k_second;
  const Contest contest = hold_contest(home, time);
  const Alone alone = write_alone(home, effort.of(1000, 50));

  Row fairness;
  fairness.name = "gate";
  fairness.figure = {
      fmt::format("{} writers, {} s, one row each commit", k_writers, time / k_second),
      fmt::format("worst wait {}", duration_text(contest.worst_wait)),
      fmt::format("{} to {} commits per writer", contest.least, contest.most),
      fmt::format("{:.0f} commits/s in all", per_second(contest.total, time))};
  fairness.floor = {"one writer alone:", spread(alone.commits),
                    fmt::format("{:.0f} commits/s", per_second(1, alone.commits.median())),
                    fmt::format("{} of its commits: {}", k_writers - 1,
                                duration_text(alone.commits.median() * (k_writers - 1)))};
  fairness.expect_below("worst wait", contest.worst_wait, k_dispatcher_patience);

  Row wakes;
  wakes.name = "gate wakes";
  wakes.figure = {fmt::format("{} to {} wake-ups for each of {} commits", alone.fewest_wakes,
                              alone.most_wakes, alone.commits.size())};
  wakes.floor = {"1 closing of the gate"};
  wakes.expect_equal("fewest", alone.fewest_wakes, 1);
  wakes.expect_equal("most", alone.most_wakes, 1);
  return {fairness, wakes};
}

}  // namespace hermes::bench
