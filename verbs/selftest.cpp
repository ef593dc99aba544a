#include <fmt/core.h>

#include "sim/simulate.hpp"
#include "verbs/handlers.hpp"

namespace hermes::verbs {

Result<Answer> selftest(Call& call) {
  TRY_ASSIGN(sim::Simulation simulation, sim::Simulation::open());
  if (call.values.has("seed") && (call.values.has("seeds") || call.values.has("first"))) {
    return fail(ErrorCode::usage, "--seed is one history: neither --seeds nor --first goes with it",
                "`--first S --seeds N` plays N histories from seed S on");
  }
  const bool one = call.values.has("seed");
  const std::int64_t first = call.values.integer(one ? "seed" : "first").value_or(1);
  const std::int64_t count = one ? 1 : call.values.integer("seeds").value_or(k_selftest_seeds);
  Answer answer;
  answer.value = {{"ok", true}, {"first", first}, {"histories", 0}, {"steps", 0}};
  std::int64_t steps = 0;
  for (std::int64_t seed = first; seed < first + count; ++seed) {
    sim::History history = simulation.play(static_cast<std::uint64_t>(seed));
    steps += history.steps;
    answer.value["histories"] = seed - first + 1;
    answer.value["steps"] = steps;
    if (one || !history.violations.empty()) {
      answer.value["trace"] = std::move(history.trace);
    }
    if (!history.violations.empty()) {
      answer.value["ok"] = false;
      answer.value["seed"] = seed;
      answer.value["violations"] = std::move(history.violations);
      answer.exit_status = 1;
      answer.advice.push_back(fmt::format(
          "`hermes selftest --seed {}` plays this history again; please report it", seed));
      break;
    }
  }
  return answer;
}

}  // namespace hermes::verbs
