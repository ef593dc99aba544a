#include "verbs/trees.hpp"

#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "kernel/board/trees.hpp"
#include "kernel/home/worktree.hpp"

namespace hermes::verbs {

namespace {

constexpr Millis k_term{60'000};  // of all the git commands for one tree

}  // namespace

std::optional<TreeEnd> end_tree(OpenBoard& open, const std::string& task_id, bool dry_run) {
  const auto tree = home::tree_of(open.paths, task_id);
  if (!tree) {
    return std::nullopt;
  }
  TreeEnd end{*tree, std::nullopt};
  const auto need = open.database.read([&](db::Reader& tx) -> Result<std::optional<std::string>> {
    return board::tree_need(tx, task_id, *tree);
  });
  if (!need) {
    end.stays = one_line(need.error());
    return end;
  }
  if (*need) {
    end.stays = fmt::format("the working tree {} stays: {}", printable(*tree), **need);
    return end;
  }
  home::Git git(k_term);
  const auto gone = dry_run ? home::may_remove_worktree(open.paths, task_id, git)
                            : home::remove_worktree(open.paths, task_id, git);
  if (!gone && gone.error().code != ErrorCode::not_found) {
    end.stays = gone.error().message;
  }
  return end;
}

}  // namespace hermes::verbs
