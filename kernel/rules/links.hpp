#pragma once

#include "kernel/model/task.hpp"

namespace hermes::rules {

// The one predicate for "this link is satisfied now". Once satisfied, a link stays so
// (links.satisfied_at is a latch). `done`: the parent is done, or was when it was archived.
// `ended`: the parent is done or archived, or the breaker gave it up.
bool satisfies(LinkCondition condition, const Task& parent);

}  // namespace hermes::rules
