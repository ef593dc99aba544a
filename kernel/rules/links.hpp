#pragma once

#include <optional>

#include "kernel/model/words.hpp"

namespace hermes::rules {

// The one predicate for "this link is satisfied now". Once satisfied, a link stays so
// (links.satisfied_at is a latch). `done`: the parent is done. `ended`: the parent is done or
// archived, or the breaker gave it up.
bool satisfies(LinkCondition condition, Status parent, std::optional<BlockSource> parent_block);

}  // namespace hermes::rules
