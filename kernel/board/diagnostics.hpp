#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/rules/diagnostics.hpp"

// What the rules of kernel/rules/diagnostics.hpp need to know, by bounded queries over indexes that
// hold only what is conspicuous: the cost does not grow with the board.
namespace hermes::board {

// At most so many tasks for each rule, the worst or oldest first.
inline constexpr std::int64_t k_most_suspects = 200;

// Out of so many, where what is sought has no index of its own.
inline constexpr std::int64_t k_queue = 2000;

struct Suspects {
  std::vector<std::string> ids;
  bool more = false;  // there were more than are looked at
};
// The tasks that a rule may speak of.
Suspects suspects(db::Reader& tx, const rules::DiagnosticContext& context);

// Everything about one task. Error: not_found.
Result<rules::TaskHealth> task_health(db::Reader& tx, const std::string& id,
                                      const rules::DiagnosticContext& context);

// How many tasks wait for each profile; those of nobody are left out.
std::map<std::string, std::int64_t> waiting_by_profile(db::Reader& tx, const Limits& limits);

}  // namespace hermes::board
