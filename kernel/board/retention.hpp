#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/words.hpp"

// What of a board may be thrown away after a time.
namespace hermes::board {

// A task as gc sees it.
struct Remains {
  std::optional<Status> status;  // none: it was deleted
  Instant updated_at;
  bool process = false;     // a run of it is not gone: its process, or a child of it, may live
  bool waited_for = false;  // a task that is not done or archived comes after it
};
Remains remains_of(db::Reader& tx, const std::string& task_id);

// Tasks that are done, archived or deleted and have events, in the order of their ids; at most
// `most` after `after`.
std::vector<std::string> tasks_at_rest(db::Reader& tx, const std::string& after, std::int64_t most);

// Events of such a task from before `before`, but for its last change of state and what came after:
// a replay of what is kept still says where the task is. How many there are, or were.
// What is still to be delivered stays, with what came after it. Their deliveries go along.
std::int64_t count_old_events(db::Reader& tx, const std::string& task_id, Instant before);
// Pruned are at most `most`, the oldest first: fewer than that means that none is left.
std::int64_t prune_events(db::Writer& tx, const std::string& task_id, Instant before,
                          std::int64_t most);

// The same for the events of the board, which belong to no task.
std::int64_t count_old_board_events(db::Reader& tx, Instant before);
std::int64_t prune_board_events(db::Writer& tx, Instant before, std::int64_t most);

// Deliveries that have been pending since before `before`: nobody has taken them to their chat in
// all that time. At most `most`, by their ids. To give them up makes them dead, and tells their
// subscription why; they no longer hold their events.
std::int64_t count_overdue_deliveries(db::Reader& tx, Instant before);
std::vector<std::int64_t> overdue_deliveries(db::Reader& tx, Instant before, std::int64_t most);
void give_up_deliveries(db::Writer& tx, const std::vector<std::int64_t>& ids);

// For a copy of a board that begins a life of its own: every run that is not over belongs to
// another time or place. They are aborted, which counts as no failure; no dispatcher holds the
// board. How many there were.
std::int64_t abort_runs(Change& change, const std::string& why);

// Runs that are not gone, external claims left out.
std::vector<Run> runs_not_gone(db::Reader& tx);

}  // namespace hermes::board
