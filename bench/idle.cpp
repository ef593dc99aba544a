// What a dispatcher costs while nothing happens.
#include <fmt/core.h>
#include <poll.h>

#include <chrono>
#include <stdexcept>

#include "bench/board.hpp"
#include "bench/dispatcher.hpp"
#include "bench/measurements.hpp"

namespace hermes::bench {

namespace {

constexpr int k_tasks_on_board = 100;
constexpr std::chrono::seconds k_settling{3};

// Passes when the process lives on for all of `time`.
void watch_it_live(const Child& process, std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return;
    }
    throw_if_interrupted();
    pollfd item{process.pidfd(), POLLIN, 0};
    if (::poll(&item, 1, static_cast<int>(left.count()) + 1) > 0) {
      throw std::runtime_error("the idle process has ended");
    }
  }
}

}  // namespace

std::vector<Row> measure_idle(Effort effort) {
  const TempHome home;
  home.add_profile("true", {"/bin/true"});
  Board(home).fill(k_tasks_on_board, "somebody-else");
  const int seconds = effort.of(60, 5);
  const Child floor({BENCH_WORKER, "stay"}, home.environment());
  const Dispatcher dispatcher(home);
  dispatcher.wait_ready();
  watch_it_live(dispatcher.process(), k_settling);
  const std::int64_t before = dispatcher.wakes();
  const std::int64_t floor_before = wakes_of(floor.pid());
  watch_it_live(dispatcher.process(), std::chrono::seconds{seconds});
  const std::int64_t wakes = dispatcher.wakes() - before;
  const std::int64_t floor_wakes = wakes_of(floor.pid()) - floor_before;
  const std::int64_t resident = dispatcher.resident_kib();

  Row row;
  row.name = "idle";
  row.figure = {
      fmt::format("{} wake-ups in {} s, {} s after the start", wakes, seconds, k_settling.count()),
      fmt::format("{:.1f} MiB resident", static_cast<double>(resident) / 1024)};
  row.floor = {fmt::format("{} wake-ups of a static program in pause(2)", floor_wakes),
               fmt::format("{:.1f} MiB of it resident",
                           static_cast<double>(resident_kib_of(floor.pid())) / 1024)};
  row.goal.emplace_back("at most 2 wake-ups in 60 s");
  if (wakes > 2) {
    row.verdict.push_back(fmt::format("MISSED by {}", wakes - 2));
  } else {
    row.verdict.push_back(effort.quick ? fmt::format("not judged: {} s only", seconds) : "met");
  }
  row.expect_below("resident", static_cast<double>(resident), 20 * 1024, "20 MiB");
  return {row};
}

}  // namespace hermes::bench
