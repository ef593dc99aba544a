#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/task.hpp"
#include "kernel/rules/hold.hpp"

namespace hermes::board {

// Everything that keeps the task from being claimed by anybody, from its rows. `planning` bounds
// how long a planner's rest is told to last.
std::vector<rules::Hold> claim_holds(db::Reader& tx, const Task& task, Instant now,
                                     const PlanningLimits& planning = {});

// The profile that works on the task in its lane: its assignee or the default assignee; in lane
// review the reviewer, and nobody ("": a person reviews it) when none is configured.
std::string worker_profile(const Task& task, const Limits& limits);

// Runs whose process is not gone, per profile, external claims left out.
std::map<std::string, std::int64_t> running_by_profile(db::Reader& tx);
// Such runs that have ended since.
std::map<std::string, std::int64_t> ended_by_profile(db::Reader& tx, Instant since);

}  // namespace hermes::board
