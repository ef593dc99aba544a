#pragma once

#include <optional>
#include <string>

#include "verbs/open.hpp"

namespace hermes::verbs {

// Removes the working tree that was made for a task, when nobody needs it and nothing would be lost
// (board::tree_need, home::remove_worktree). Runs git and waits for it. Nothing when there is no
// such tree any more; else why it stays.
std::optional<std::string> remove_tree(OpenBoard& open, const std::string& task_id);

}  // namespace hermes::verbs
