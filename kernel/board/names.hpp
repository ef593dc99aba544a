#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/db/database.hpp"
#include "kernel/model/words.hpp"

namespace hermes::board {

// A task as it is offered to somebody who types its id.
struct TaskName {
  std::string id;
  std::string title;
  Status status = Status::ready;
};

// At most `most` tasks in one of these statuses whose id begins with `prefix`, the last changed
// first. Quick on large boards: for what is asked at every keystroke.
std::vector<TaskName> task_names(db::Reader& tx, std::string_view prefix,
                                 std::span<const Status> statuses, std::int64_t most);

// Everybody who has tasks that are not archived, sorted.
std::vector<std::string> assignee_names(db::Reader& tx);

}  // namespace hermes::board
