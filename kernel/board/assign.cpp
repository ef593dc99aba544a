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

Result<Renamed> rename_assignee(Change& change, const std::string& from, const std::string& to) {
  TRY(check_assignee(to));
  if (change.actor.worker) {
    return fail(ErrorCode::forbidden, "a worker cannot rename a profile", "a person does that");
  }
  auto live = change.tx.query(
      "SELECT count(*) FROM runs WHERE profile = $1 AND gone_at IS NULL AND holder_kind <> "
      "'external'",
      from);
  if (live.next() && live.integer(0) > 0) {
    return fail(ErrorCode::conflict,
                fmt::format("profile '{}' has {} live workers on board {}", from, live.integer(0),
                            change.board),
                "wait until they have ended, or `hermes kanban reclaim` their tasks");
  }
  std::vector<std::string> ids;
  Renamed renamed;
  auto row = change.tx.query(
      "SELECT id, status FROM tasks WHERE assignee = $1 AND status NOT IN ('done', 'archived')",
      from);
  while (row.next()) {
    if (row.text(1) == to_word(Status::running)) {
      ++renamed.left;
    } else {
      ids.push_back(row.text(0));
    }
  }
  for (const std::string& id : ids) {
    change.tx.execute("UPDATE tasks SET assignee = $1, updated_at = $2 WHERE id = $3", to,
                      change.now, id);
    append_event(change, id, std::nullopt, EventKind::assigned,
                 dump({{"assignee", to}, {"previous", from}, {"renamed", true}}));
    ++renamed.changed;
  }
  change.tx.execute("DELETE FROM profile_gates WHERE profile = $1", to);
  change.tx.execute("UPDATE profile_gates SET profile = $1 WHERE profile = $2", to, from);
  return renamed;
}

}  // namespace hermes::board
