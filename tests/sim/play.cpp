// sim_play FIRST COUNT: plays COUNT histories from seed FIRST on, and prints the trace of the first
// that fails. sim_play SEED: plays this one and prints its trace. Exit status: 0 all well, 1 one
// failed, 2 usage.
#include <fmt/core.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "sim/simulate.hpp"

namespace {

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* const end = text + std::strlen(text);
  const auto [at, problem] = std::from_chars(text, end, value);
  return problem == std::errc{} && at == end ? std::optional(value) : std::nullopt;
}

void print(const hermes::sim::History& history) {
  for (const std::string& line : history.trace) {
    fmt::print("{}\n", line);
  }
  for (const std::string& violation : history.violations) {
    fmt::print("VIOLATED in seed {}: {}\n", history.seed, violation);
  }
}

}  // namespace

int main(int argc, char* argv[]) {
  const auto first = argc > 1 ? number(argv[1]) : std::nullopt;
  const auto count = argc > 2 ? number(argv[2]) : std::optional<std::uint64_t>(1);
  if (!first || !count || argc > 3) {
    fmt::print(stderr, "usage: sim_play FIRST [COUNT]\n");
    return 2;
  }
  auto simulation = hermes::sim::Simulation::open();
  if (!simulation) {
    fmt::print(stderr, "{}\n", one_line(simulation.error()));
    return 1;
  }
  std::int64_t steps = 0;
  for (std::uint64_t seed = *first; seed < *first + *count; ++seed) {
    const hermes::sim::History history = simulation->play(seed);
    steps += history.steps;
    if (!history.violations.empty() || argc == 2) {
      print(history);
    }
    if (!history.violations.empty()) {
      return 1;
    }
  }
  fmt::print("{} histories, {} steps, no violation\n", *count, steps);
  return 0;
}
