#pragma once

#include <fmt/core.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "kernel/base/random.hpp"

namespace hermes::workers::test {

// How run number `run` of the storm behaves; the same for whoever asks.
struct PlannedRun {
  int milliseconds;
  int code;
  int signal;  // 0 = ends with `code`
  bool descendants;
};

inline PlannedRun planned(int run) {
  constexpr int k_signals[] = {SIGKILL, SIGTERM, SIGABRT, SIGUSR1, SIGALRM};
  SeededRandom random(static_cast<std::uint64_t>(run) + 1);
  PlannedRun plan{};
  plan.milliseconds = static_cast<int>(random.next() % 400);
  plan.code = static_cast<int>(random.next() % 256);
  plan.signal = random.next() % 3 == 0 ? k_signals[random.next() % 5] : 0;
  plan.descendants = random.next() % 5 == 0;
  return plan;
}

inline std::vector<std::string> command_of(const PlannedRun& plan, const std::string& helper,
                                           const std::filesystem::path& ran, int run) {
  return {helper,
          "append",
          ran.string(),
          std::to_string(run),
          std::to_string(plan.milliseconds),
          std::to_string(plan.code),
          std::to_string(plan.signal),
          plan.descendants ? "1" : "0"};
}

}  // namespace hermes::workers::test
