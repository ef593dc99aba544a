#pragma once

#include <string>

#include "kernel/board/verdicts.hpp"

namespace hermes::board {

// Gives the task to another profile or lane ("": to nobody). Another one starts afresh in the eyes
// of the breaker. A running task is refused unless `reclaim`: then its run is taken away and its
// process told to stop. The same assignee changes nothing and writes no event. Error: not_found,
// conflict, forbidden, invalid.
struct Assignment {
  std::string assignee;  // trimmed and lower-cased
  bool reclaim = false;
  std::optional<std::string> reason;  // of the reclaim
};
Result<Moved> assign(Change& change, const std::string& id, const Assignment& assignment);

}  // namespace hermes::board
