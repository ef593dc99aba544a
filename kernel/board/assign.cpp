#include "kernel/board/assign.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

namespace {

nlohmann::json name_or_null(const std::string& name) {
  return name.empty() ? nlohmann::json() : nlohmann::json(name);
}

// Takes the open run away. A worker's process is told to stop, and the task is ready again once it
// is gone.
Result<Moved> take_away(Change& change, const Task& task,
                        const std::optional<std::string>& reason) {
  Moved moved;
  moved.run = find_run(change.tx, *task.current_run_id);
  if (moved.run->holder_kind == HolderKind::external) {
    close_run(change, *moved.run, {.outcome = Outcome::reclaimed, .error = reason});
  } else {
    TRY(intend_stop(change, *moved.run, StopKind::reassign, reason));
    moved.stopping = true;
  }
  return moved;
}

}  // namespace

Result<Moved> assign(Change& change, const std::string& id, const Assignment& assignment) {
  TRY(check_assignee(assignment.assignee));
  TRY(check_text("the reason", assignment.reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, get_task(change.tx, id));
  TRY(rules::may_change(change.actor, change.board, id));
  if (change.actor.worker) {
    return fail(ErrorCode::forbidden, fmt::format("a worker cannot assign its own task {}", id),
                "end with complete or block; a person decides who goes on");
  }
  const bool running = task.status == Status::running;
  if (running && !assignment.reclaim) {
    return fail(
        ErrorCode::conflict, fmt::format("cannot assign {}: it is running", id),
        fmt::format("wait for it, or `hermes kanban reassign {} NAME --reclaim` to stop its "
                    "worker first",
                    id));
  }
  Moved moved;
  if (running) {
    TRY_ASSIGN(moved, take_away(change, task, assignment.reason));
  }
  if (const std::string before = task.assignee; before != assignment.assignee) {
    task.assignee = assignment.assignee;
    reset_breaker(task);
    if (task.eligible_at) {
      task.eligible_at = task.ready_since;  // what it was held for is forgotten
    }
    save_task(change, task);
    change.tx.execute("UPDATE tasks SET assignee = $1 WHERE id = $2", task.assignee, id);
    append_event(
        change, id, std::nullopt, EventKind::assigned,
        dump({{"assignee", name_or_null(task.assignee)}, {"previous", name_or_null(before)}}));
  }
  if (running && !moved.stopping) {
    release_task(change, task, moved.run->id, change.actor.name, assignment.reason);
  }
  moved.task = std::move(task);
  return moved;
}

}  // namespace hermes::board
