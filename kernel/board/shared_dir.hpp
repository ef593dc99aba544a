#pragma once

#include <string>

namespace hermes::board {

// Joins a task `t` with a parent link `l` and a run of that parent whose process still works in the
// directory the task asks for. Claim and snapshot use the same text.
inline const std::string k_parent_in_same_dir =
    "JOIN links l ON l.child_id = t.id JOIN runs pr ON pr.task_id = l.parent_id AND pr.gone_at IS "
    "NULL"
    " AND pr.workspace_path = t.workspace_path";

}  // namespace hermes::board
