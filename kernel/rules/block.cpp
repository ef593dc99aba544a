#include "kernel/rules/block.hpp"

namespace hermes::rules {

namespace {

constexpr std::int64_t k_streak_limit = 2;
constexpr std::int64_t k_total_limit = 4;

}  // namespace

BlockRoute route_block(const Task& task, BlockSource source, std::optional<BlockKind> kind) {
  BlockRoute route{Status::blocked, task.block_streak, task.block_total};
  if (source == BlockSource::worker) {
    const bool same = task.block_total > 0 && task.block_kind == kind;
    route.streak = same ? task.block_streak + 1 : 1;
    route.total = task.block_total + 1;
    if (route.streak >= k_streak_limit || route.total >= k_total_limit) {
      route.to = Status::triage;
      return route;
    }
  }
  if (kind == BlockKind::dependency) {
    route.to = Status::todo;
  }
  return route;
}

}  // namespace hermes::rules
