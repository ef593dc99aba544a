#pragma once

#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/task.hpp"

namespace hermes::board {

// Trimmed. Error: invalid (blank, too long), not_found.
Result<std::int64_t> add_comment(Change& change, const std::string& task_id,
                                 const std::string& author, const std::string& body);
// Oldest first.
std::vector<Comment> comments_of(db::Reader& tx, const std::string& task_id);

}  // namespace hermes::board
