#include "bench/commit_wake.hpp"

#include <fmt/core.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "bench/board.hpp"
#include "kernel/board/events.hpp"

namespace hermes::bench {

namespace {

constexpr int k_until_checkpoint = 100;

// What the sleeper saw of the newest commit; `seen` is written last.
struct Sighting {
  std::atomic<bool> ready = false;
  std::atomic<bool> failed = false;
  std::atomic<Nanos> woke = 0;
  std::atomic<Nanos> read = 0;
  std::atomic<std::int64_t> seen = 0;
};

void sleep_at_gate(const TempHome& home, int count, Sighting& sighting) {
  Board board(home);
  db::GateWatch gate = board.watch();
  std::int64_t cursor = board.read([](db::Reader& tx) { return board::last_event(tx); });
  sighting.ready = true;
  for (int i = 0; i < count;) {
    wait_readable("a commit", gate.fd());
    const Nanos woke = monotonic_now();
    gate.take();
    const auto page =
        board.read([&](db::Reader& tx) { return board::events_after(tx, cursor, 10, {}); });
    if (page.events.empty()) {
      continue;
    }
    sighting.woke = woke;
    sighting.read = monotonic_now();
    cursor = page.cursor;
    sighting.seen = ++i;
  }
}

}  // namespace

CommitWakes measure_commit_wakes(int count) {
  const TempHome home;
  Sighting sighting;
  CommitWakes wakes;
  std::jthread sleeper([&] {
    try {
      sleep_at_gate(home, count, sighting);
    } catch (const std::exception&) {
      sighting.failed = true;
    }
  });
  const auto reached = [&](bool condition) {
    if (sighting.failed) {
      throw std::runtime_error("the sleeper at the gate failed");
    }
    return condition;
  };
  wait_for("the sleeper at the gate", [&] { return reached(sighting.ready); });
  Board board(home);
  for (int i = 1; i <= count; ++i) {
    if (i % k_until_checkpoint == 0) {
      board.empty_wal();
    }
    const Nanos committed = board.create_stamped(fmt::format("wake {}", i), "").committed;
    wait_for("the sleeper to wake", [&] { return reached(sighting.seen == i); });
    wakes.to_wake.add(sighting.woke - committed);
    wakes.to_read.add(sighting.read - committed);
  }
  return wakes;
}

}  // namespace hermes::bench
