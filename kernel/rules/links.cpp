#include "kernel/rules/links.hpp"

namespace hermes::rules {

bool satisfies(LinkCondition condition, const Task& parent) {
  const bool archived = parent.status == Status::archived;
  if (parent.status == Status::done || (archived && parent.completed_at)) {
    return true;
  }
  if (condition == LinkCondition::done) {
    return false;
  }
  return archived ||
         (parent.status == Status::blocked && parent.block_source == BlockSource::breaker);
}

}  // namespace hermes::rules
