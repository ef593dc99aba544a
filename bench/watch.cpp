// From a COMMIT to the line that `hermes kanban watch --json` prints about it.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "bench/board.hpp"
#include "bench/child.hpp"
#include "bench/commit_wake.hpp"
#include "bench/measurements.hpp"
#include "bench/watch_line.hpp"

namespace hermes::bench {

namespace {

constexpr int k_until_checkpoint = 100;

// A `hermes kanban watch --json` and the reading end of its pipe.
class Watcher {
 public:
  Watcher(const TempHome& home, std::int64_t since)
      : child_({BENCH_HERMES, "kanban", "watch", "--json", "--since", std::to_string(since)},
               home.environment(), {.out_fd = make_pipe()}) {
    write_end_.reset();
  }

  // The next whole line, without its end.
  std::string line() {
    std::size_t end = 0;
    while ((end = text_.find('\n')) == std::string::npos) {
      wait_readable("a line of watch", read_end_.get());
      std::array<char, 4096> piece{};
      const ssize_t got = ::read(read_end_.get(), piece.data(), piece.size());
      if (got <= 0) {
        throw std::runtime_error("watch has ended");
      }
      text_.append(piece.data(), static_cast<std::size_t>(got));
    }
    std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
  }

 private:
  int make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("cannot make a pipe");
    }
    read_end_.reset(ends[0]);
    write_end_.reset(ends[1]);
    return ends[1];
  }

  Fd read_end_;
  Fd write_end_;
  std::string text_;
  Child child_;  // last: its output is made by then
};

}  // namespace

Sample measure_watch_lines(const TempHome& home, Board& board, int count) {
  Watcher watcher(home, board.number("SELECT COALESCE(max(seq), 0) FROM events"));
  board.create("the first", "");
  watcher.line();  // it watches
  Sample lines;
  for (int i = 0; i < count; ++i) {
    if (i % k_until_checkpoint == 0) {
      board.empty_wal();
    }
    const auto [id, committed] = board.create_stamped(fmt::format("watch {}", i), "");
    const std::string line = watcher.line();
    lines.add(monotonic_now() - committed);
    if (line.find(id) == std::string::npos) {
      throw std::runtime_error("not the line of " + id + ": " + line);
    }
  }
  return lines;
}

std::vector<Row> measure_watch(Effort effort) {
  const int count = effort.of(300, 20);
  const TempHome home;
  Board board(home);
  const Sample lines = measure_watch_lines(home, board, count);
  const CommitWakes wakes = measure_commit_wakes(count);

  Row row;
  row.name = "watch";
  row.figure = {"COMMIT → line read from `hermes kanban watch --json`",
                fmt::format("{}  ({} samples)", spread(lines), count)};
  row.floor = {"COMMIT → inotify wake → one indexed read", spread(wakes.to_read)};
  row.expect_below("p99", lines.at(0.99), 20 * k_millisecond);
  return {row};
}

}  // namespace hermes::bench
