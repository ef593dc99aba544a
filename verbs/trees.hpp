#pragma once

#include <optional>
#include <string>

#include "verbs/open.hpp"

namespace hermes::verbs {

// What becomes of a working tree that was made for a task.
struct TreeEnd {
  std::string path;
  std::optional<std::string> stays;  // a sentence that names the tree and says why; else it goes
};

// Removes the tree of a task, when nobody needs it and nothing would be lost (board::tree_need,
// home::remove_worktree); `dry_run` only looks. Runs git and waits for it. Nothing when no tree was
// made for the task.
std::optional<TreeEnd> end_tree(OpenBoard& open, const std::string& task_id, bool dry_run);

}  // namespace hermes::verbs
