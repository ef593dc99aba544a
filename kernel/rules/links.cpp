#include "kernel/rules/links.hpp"

namespace hermes::rules {

bool satisfies(LinkCondition condition, Status parent, std::optional<BlockSource> parent_block) {
  if (parent == Status::done) {
    return true;
  }
  if (condition == LinkCondition::done) {
    return false;
  }
  return parent == Status::archived ||
         (parent == Status::blocked && parent_block == BlockSource::breaker);
}

}  // namespace hermes::rules
