#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/rules/plan.hpp"

namespace hermes::board {

// What a dispatcher's pass has decided about a board, but for its starts.
struct Decisions {
  bool rebase_clock = false;
  std::vector<rules::FinishRun> finish;
  std::vector<std::string> wake;                 // tasks
  std::vector<std::int64_t> expire;              // runs claimed by hand, or by another machine
  std::vector<std::int64_t> stale;               // runs
  std::map<std::int64_t, VerdictMode> verdicts;  // of all runs of the board

  bool empty() const;
};

// Writes them, in the order of rules::Plan. The board may have changed since it was looked at: each
// looks again, and is left out when it is not true any more. Returns how many changed something.
int carry_out(Change& change, const Decisions& decisions);

}  // namespace hermes::board
