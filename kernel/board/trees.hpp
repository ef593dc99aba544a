#pragma once

#include <optional>
#include <string>

#include "kernel/board/change.hpp"

// Who works in a working tree, and who may still want it.
namespace hermes::board {

// Another task whose run, which is not gone, works in this directory or below it, by the paths as
// they are stored.
std::optional<std::string> tree_user(db::Reader& tx, const std::string& tree,
                                     const std::string& but_task);

// The refusal that goes with it.
Error tree_in_use(const std::string& tree, const std::string& task_id);

// Why the tree of a task has to stay: the task is not archived, a process of it may live, another
// task works in it, below it or around it, or names a directory in it. Looks at the disk, as links
// may lead there: never to be called under the write gate. Nothing when it may be removed, as far
// as the board knows.
std::optional<std::string> tree_need(db::Reader& tx, const std::string& task_id,
                                     const std::string& tree);

}  // namespace hermes::board
