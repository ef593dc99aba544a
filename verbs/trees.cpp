#include "verbs/trees.hpp"

#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "kernel/board/trees.hpp"
#include "kernel/home/worktree.hpp"

namespace hermes::verbs {

namespace {

constexpr Millis k_term{60'000};  // of all the git commands for one tree

}  // namespace

std::optional<std::string> remove_tree(OpenBoard& open, const std::string& task_id) {
  const auto tree = home::tree_of(open.paths, task_id);
  if (!tree) {
    return std::nullopt;
  }
  const auto need = open.database.read([&](db::Reader& tx) -> Result<std::optional<std::string>> {
    return board::tree_need(tx, task_id, *tree);
  });
  if (!need) {
    return one_line(need.error());
  }
  if (*need) {
    return fmt::format("the working tree {} stays: {}", printable(*tree), **need);
  }
  home::Git git(k_term);
  const auto removed = home::remove_worktree(open.paths, task_id, git);
  return removed || removed.error().code == ErrorCode::not_found
             ? std::nullopt
             : std::optional(removed.error().message);
}

}  // namespace hermes::verbs
