#pragma once

#include <set>
#include <string>
#include <vector>

#include "kernel/home/paths.hpp"

namespace hermes::home {

// Removes what deleted tasks have left: their logs, their attachments and, where it carries our
// mark, their scratch workspace. Call it after the deletions are committed; whatever a kill leaves
// behind belongs to no task, and is found by that. False when something could not be removed.
bool remove_task_files(const BoardPaths& board, const std::set<std::string>& task_ids);

// The control records and context files of the board's runs, known by their names. None where a
// link stands in the place of their directory.
std::vector<fs::path> run_files(const Home& home, const std::string& slug);

}  // namespace hermes::home
