#pragma once

#include <string>

#include "kernel/board/change.hpp"
#include "kernel/model/task.hpp"

namespace hermes::board {

// Deletes an archived task with its links, comments, runs, events, subscriptions and the rows of
// its attachments; only an event `deleted` that names its id remains. Its files are the caller's,
// after the commit. Refused while a child still waits for it, or a process of it is not gone.
// Answers what the task was. Error: not_found, conflict, forbidden.
Result<Task> remove_task(Change& change, const std::string& id);

}  // namespace hermes::board
