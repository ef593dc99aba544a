#pragma once

#include <map>
#include <string>

#include "kernel/base/process.hpp"
#include "kernel/board/change.hpp"
#include "kernel/rules/plan.hpp"

namespace hermes::board {

// What plan() needs to know of one board, without scanning it: at most `headroom` candidates per
// spawnable profile and tenant. `verdicts` names the profiles that can be started and how they tell
// their verdict.
rules::BoardView snapshot(db::Reader& tx, const std::string& slug, Instant now,
                          const Limits& limits, const std::map<std::string, VerdictMode>& verdicts,
                          const HostIdentity& host, std::int64_t headroom);

// Terms that were written by a clock that was ahead begin now, at their full length: a clock that
// was set back neither keeps a dead claim nor holds a ready task. No event: nothing about the tasks
// has changed.
void rebase_clock(Change& change);

// scheduled → ready, todo or review; false when its time has not come or it has left.
bool wake_task(Change& change, const std::string& task_id);

}  // namespace hermes::board
