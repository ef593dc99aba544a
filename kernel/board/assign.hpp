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

// What became of the tasks of a profile that gets another name.
struct Renamed {
  std::int64_t changed = 0;
  std::int64_t left = 0;  // that run, claimed by somebody outside
};
// Gives every open task of `from` to `to`, for a profile that is renamed: unlike `assign` nothing
// is forgotten, since it is the same worker. Done and archived tasks keep the name of who did them,
// a pause goes along. Error: forbidden for a worker; conflict while the dispatcher has a run of it.
Result<Renamed> rename_assignee(Change& change, const std::string& from, const std::string& to);

}  // namespace hermes::board
