#pragma once

#include <cstdint>
#include <optional>

#include "kernel/model/task.hpp"

namespace hermes::rules {

// Where a block leads and what the loop breaker remembers of it.
struct BlockRoute {
  Status to = Status::blocked;
  std::int64_t streak = 0;
  std::int64_t total = 0;
};

// The loop breaker counts a worker's blocks only: streak is 1 for a new kind and one more for the
// same kind as last time, total is one more each time. Streak 2 or total 4 leads to triage, where a
// person decides. A dependency block waits in todo for its open link.
BlockRoute route_block(const Task& task, BlockSource source, std::optional<BlockKind> kind);

}  // namespace hermes::rules
