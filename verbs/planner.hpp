#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernel/board/planning.hpp"
#include "verbs/open.hpp"

// The command that [planner] of config.toml names: one JSON object on its standard input, one on
// its standard output. docs/operations.md describes both. It runs outside every transaction.
namespace hermes::verbs {

struct Plan {
  std::variant<rules::Rewrite, rules::Graph> proposal;
  std::vector<std::string> notes;  // what is done otherwise than it was proposed, one line each
};

// Whether there is one to ask. Error: unavailable; invalid (config.toml).
Result<void> check_planner(const Call& call, const OpenBoard& open);

// Nothing when we were told to stop meanwhile. Error: not_found (it cannot be started), unavailable
// (it is killed, takes too long, fails), invalid (its answer is too long or not what was agreed).
Result<std::optional<Plan>> ask_planner(Call& call, OpenBoard& open, const board::Asked& asked,
                                        PlanKind kind);

}  // namespace hermes::verbs
