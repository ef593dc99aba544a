// crash_play [--seeds N] [--from SEED] [power|faults|race]: the long mode of tests/crash. Each seed
// is a workload whose power is cut after every write, and one that meets every fault at every
// operation; each is 5 s of random delays, for plain SQLite and for boards. Exit status: 0 all
// well, 1 a board was not as it must be, 2 usage.
#include <fmt/core.h>
#include <sqlite3.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "crash/faults.hpp"
#include "crash/power_cut.hpp"
#include "crash/wal_reset.hpp"

using namespace hermes::test;

namespace {

bool g_well = true;

void print(const std::vector<std::string>& failures) {
  for (const std::string& failure : failures) {
    g_well = false;
    fmt::print("  FAILED: {}\n", failure);
  }
}

void cut(const char* name, PowerCutPlan plan, std::uint64_t seed) {
  plan.seed = seed;
  const PowerCutReport report = cut_power(plan);
  fmt::print(
      "seed {}, power cut, {}: {} changes, {} calls, {} states; {} cuts, {} in a checkpoint, "
      "{} images ({} different), {} of a second cut; {} failed\n",
      seed, name, report.changes, report.commits, report.states, report.cuts, report.copies,
      report.images, report.distinct, report.again, report.failed);
  print(report.failures);
}

void play_power(std::uint64_t seed) {
  cut("every write", {.calls = 60, .images = 8}, seed);
  cut("a long history", {.calls = 400, .every = 23, .images = 5, .again_every = 50}, seed);
  cut("commands that come alone",
      {.calls = 200, .truncate_every = 1000, .every = 11, .every_copy = 1, .alone = true}, seed);
  cut("large transactions",
      {.calls = 90, .bulk_every = 20, .truncate_every = 1000, .every = 211, .images = 4}, seed);
  cut("every write of a checkpoint beside commits",
      {.calls = 20,
       .bulk_every = 12,
       .truncate_every = 1000,
       .every = 1499,
       .every_copy = 1,
       .again_every = 1000},
      seed);
  cut("creation", {.begin = PowerCutPlan::Begin::creation, .calls = 5, .images = 8}, seed);
  cut("upgrade",
      {.begin = PowerCutPlan::Begin::upgrade,
       .older_board = HERMES_FIXTURES "/board_0001.db",
       .calls = 5,
       .images = 8},
      seed);
}

void play_all_faults(std::uint64_t seed) {
  for (const Fault& fault : faults()) {
    FaultReport all;
    for (int i = 0; i < 16; ++i) {
      FaultPlan plan{.seed = seed, .lasting = i % 2 == 1, .kept_open = i / 2 % 2 == 1};
      if (i / 4 == 1) {
        plan.older_board = HERMES_FIXTURES "/board_0001.db";
        plan.calls = 4;
      } else if (i / 4 == 2) {
        plan.long_wal = true;
      } else if (i / 4 == 3) {
        plan.creation = true;
      }
      if (can_meet(plan, fault)) {
        all.add(play_faults(plan, fault));
      }
    }
    fmt::print("seed {}, {}: {} times, met by {} workloads; {} errors", seed, fault.name,
               all.faults, all.met, all.errors);
    for (const auto& [code, times] : all.codes) {
      fmt::print(", {} {}", times, hermes::traits(code).name);
    }
    fmt::print("; {} kept whole, {} failed\n", all.whole, all.failed);
    print(all.failures);
  }
}

void play_race(std::uint64_t seed) {
  const std::chrono::seconds time{5};
  const RandomOutcome plain = race_plain(seed, time, Until::end);
  const RandomOutcome boards = race_boards(seed, time, Until::end);
  fmt::print(
      "seed {}, random delays, SQLite {}: plain {} of {} databases damaged, {} commits; "
      "boards {} of {}, {} commits\n",
      seed, sqlite3_libversion(), plain.damaged, plain.rounds, plain.commits, boards.damaged,
      boards.rounds, boards.commits);
  print(boards.damage);
}

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* const end = text + std::strlen(text);
  const auto [at, problem] = std::from_chars(text, end, value);
  return problem == std::errc{} && at == end ? std::optional(value) : std::nullopt;
}

}  // namespace

int main(int argc, char* argv[]) {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
  std::string_view only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = i + 1 < argc ? number(argv[i + 1]) : std::nullopt;
    if ((word == "--seeds" || word == "--from") && value) {
      (word == "--seeds" ? count : first) = *value;
      ++i;
    } else if (only.empty() && (word == "power" || word == "faults" || word == "race")) {
      only = word;
    } else {
      fmt::print(stderr, "usage: crash_play [--seeds N] [--from SEED] [power|faults|race]\n");
      return 2;
    }
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    if (only.empty() || only == "power") {
      play_power(seed);
    }
    if (only.empty() || only == "faults") {
      play_all_faults(seed);
    }
    if (only.empty() || only == "race") {
      play_race(seed);
    }
  }
  return g_well ? 0 : 1;
}
