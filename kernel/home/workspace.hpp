#pragma once

#include <string>
#include <vector>

#include "kernel/home/paths.hpp"
#include "kernel/model/task.hpp"

namespace hermes::home {

// The directory a task's worker works in, made when it is a scratch one (0700, with a marker that
// says we made it). Made before the claim, so that a task whose workspace cannot be made is never
// left running. Error: invalid or unavailable, saying why there can be none. Not for a worktree,
// which takes git and time: worktree.hpp.
Result<std::string> prepare_workspace(const BoardPaths& board, const Task& task);

// The task has a workspace directory that carries our marker, and is no working tree of git.
bool is_our_scratch(const BoardPaths& board, const std::string& task_id);

// Removes a scratch workspace that carries our marker; nothing else is ever deleted. False when
// there was nothing of ours. Only call it for a task whose last process is gone.
bool remove_scratch(const BoardPaths& board, const std::string& task_id);

// Renames such a workspace, so that the task's next attempt gets a new one however long the removal
// of the old one takes (remove_tree of the path that is answered). Error: not_found when there is
// nothing of ours; unavailable.
Result<fs::path> set_aside(const BoardPaths& board, const std::string& task_id);

// Workspaces that were set aside by somebody who was killed before they were removed.
std::vector<fs::path> set_aside_before(const BoardPaths& board);

}  // namespace hermes::home
