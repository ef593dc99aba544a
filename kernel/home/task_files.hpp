#pragma once

#include <set>
#include <string>

#include "kernel/home/paths.hpp"

namespace hermes::home {

// Removes what deleted tasks have left: their logs, their attachments and, where it carries our
// mark, their scratch workspace. Call it after the deletions are committed; whatever a kill leaves
// behind belongs to no task, and is found by that. False when something could not be removed.
bool remove_task_files(const BoardPaths& board, const std::set<std::string>& task_ids);

}  // namespace hermes::home
