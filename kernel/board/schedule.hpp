#pragma once

#include <optional>
#include <string>

#include "kernel/board/verdicts.hpp"

namespace hermes::board {

// Parks the task until `wake_at` (a time that has passed wakes it with the dispatcher's next pass),
// or until somebody unblocks it. A running task's worker is told to stop. A person who schedules a
// task gives it a fresh start in the eyes of the breaker; a worker's own schedule does not count as
// a failure. Error: not_found, conflict, forbidden, not_yours.
Result<Moved> schedule(Change& change, const std::string& id, std::optional<Instant> wake_at,
                       const std::optional<std::string>& reason);

}  // namespace hermes::board
