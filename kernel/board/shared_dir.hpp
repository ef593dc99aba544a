#pragma once

#include <string>

namespace hermes::board {

// Joins a task `t` with a parent link `l` and a run of that parent whose process still works in the
// directory the task asks for. Claim and snapshot use the same text.
inline const std::string k_parent_in_same_dir =
    "JOIN links l ON l.child_id = t.id JOIN runs pr ON pr.task_id = l.parent_id AND pr.gone_at IS "
    "NULL"
    " AND pr.workspace_path = t.workspace_path";

// Joins a task `t` with a run of any other task whose process works in the working tree of `t`: the
// one that it names, or the one that its last attempt has found there.
inline const std::string k_other_in_same_tree =
    "JOIN runs ur ON ur.gone_at IS NULL AND ur.task_id <> t.id AND ur.workspace_path IN "
    "(t.workspace_path, (SELECT lr.workspace_path FROM runs lr WHERE lr.task_id = t.id ORDER BY "
    "lr.attempt DESC LIMIT 1))";

}  // namespace hermes::board
