// From the SIGKILL of a worker to its `crashed` event on the board.
#include <fmt/core.h>

#include <csignal>

#include "bench/board.hpp"
#include "bench/dispatcher.hpp"
#include "bench/measurements.hpp"

namespace hermes::bench {

namespace {

// A profile whose workers die alike again and again is paused: none of these is given a third.
constexpr int k_deaths_per_profile = 2;

std::string profile_of(int sample) { return fmt::format("stay{}", sample / k_deaths_per_profile); }

Sample measure_deaths(const TempHome& home, int count) {
  const Dispatcher dispatcher(home);
  dispatcher.wait_ready();
  Board board(home);
  db::GateWatch gate = board.watch();
  Sample deaths;
  for (int i = 0; i < count; ++i) {
    const std::string id = board.create(fmt::format("death {}", i), profile_of(i));
    std::int64_t worker = 0;
    wait_at_gate("the worker's process", gate, [&] {
      worker = board.number("SELECT worker_pid FROM runs WHERE task_id = $1", id);
      return worker > 0;
    });
    dispatcher.wait_idle();
    const Nanos killed = monotonic_now();
    ::kill(static_cast<pid_t>(worker), SIGKILL);
    wait_at_gate("the crashed event", gate, [&] {
      return board.number("SELECT 1 FROM events WHERE task_id = $1 AND kind = 'crashed'", id) == 1;
    });
    deaths.add(monotonic_now() - killed);
  }
  return deaths;
}

Sample measure_pidfds(const TempHome& home, int count) {
  Sample ends;
  for (int i = 0; i < count; ++i) {
    Child child({BENCH_WORKER, "stay"}, home.environment());
    wait_for("the child to pause", [&] { return wakes_of(child.pid()) > 0; });
    const Nanos killed = monotonic_now();
    child.signal(SIGKILL);
    wait_readable("the end of a child", child.pidfd());
    ends.add(monotonic_now() - killed);
    child.wait();
  }
  return ends;
}

}  // namespace

std::vector<Row> measure_death(Effort effort) {
  const TempHome home;
  const int count = effort.of(100, 6);
  for (int i = 0; i < count; i += k_deaths_per_profile) {
    home.add_profile(profile_of(i), {BENCH_WORKER, "stay"});
  }
  home.write_config("[retry]\nbase = \"24h\"\nmax = \"24h\"\n");  // the dead are not started again
  const Sample deaths = measure_deaths(home, count);
  const Sample pidfds = measure_pidfds(home, count);

  Row row;
  row.name = "death";
  row.figure = {"SIGKILL of a worker → `crashed` is read from the board",
                fmt::format("{}  ({} samples)", spread(deaths), count)};
  row.floor = {"SIGKILL of a child → its pidfd", spread(pidfds)};
  row.expect_below("p99", deaths.at(0.99), 50 * k_millisecond);
  return {row};
}

}  // namespace hermes::bench
