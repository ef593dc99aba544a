#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/board/verdicts.hpp"

// A task in lane review waits for the profile that [dispatcher] reviewer names, or for a person.
// Completing it is the approval; there is no other.
namespace hermes::board {

// running (lane work) → review: the work is handed over. The run is closed with outcome review and
// the reason as its summary. Error: not_found, conflict, forbidden, not_yours.
Result<Moved> request_review(Change& change, const std::string& id,
                             const std::optional<std::string>& reason);

// review, or running in lane review → ready in lane work. The reason is a comment, so the next
// worker reads it. Error: as above.
Result<Moved> request_changes(Change& change, const std::string& id,
                              const std::optional<std::string>& reason);

struct Reopened {
  Moved moved;
  std::vector<std::string> waiting_again;  // children
};
// done → review, by a person. The task is not done any more, so its children wait for it again,
// except those that run, are in review or are done: what has been started on its result is not
// touched. Ready children go back to todo. Error: not_found, conflict, forbidden.
Result<Reopened> reopen_review(Change& change, const std::string& id,
                               const std::optional<std::string>& reason);

}  // namespace hermes::board
