#include "kernel/board/rows.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernel/board/events.hpp"
#include "kernel/board/links.hpp"
#include "kernel/rules/hold.hpp"
#include "kernel/rules/moves.hpp"

namespace hermes::board {

const std::string k_task_columns =
    "t.id, t.title, t.body, t.status, t.lane, t.assignee, t.tenant, t.priority, t.created_by, "
    "t.origin, t.created_at, "
    "t.updated_at, t.ready_since, t.eligible_at, t.completed_at, t.wake_at, t.held_until, "
    "t.hold_reason, "
    "t.workspace_kind, t.workspace_path, t.branch, t.idempotency_key, t.max_runtime_ms, "
    "t.failure_limit, t.failures, "
    "t.violations, t.last_failure_kind, t.last_failure, t.block_source, t.block_kind, "
    "t.block_reason, t.block_streak, "
    "t.block_total, t.skills, t.worker_options, t.goal_mode, t.goal_max_turns, "
    "t.workflow_template_id, t.step_key, "
    "t.result, t.current_run_id, (SELECT min(started_at) FROM runs WHERE task_id = t.id)";

const std::string k_run_columns =
    "r.id, r.task_id, r.attempt, r.profile, r.token, r.holder_kind, r.host, r.boot, r.shim_pid, "
    "r.shim_start, "
    "r.worker_pid, r.worker_start, r.started_at, r.spawned_at, r.heartbeat_at, r.heartbeat_note, "
    "r.stop_kind, "
    "r.stop_by, r.stop_at, r.ended_at, r.gone_at, r.outcome, r.exit_kind, r.exit_code, "
    "r.max_rss_kb, r.cpu_ms, "
    "r.workspace_path, r.branch, r.step_key, r.summary, r.metadata, r.error";

Task read_task(const db::Cursor& row) {
  Task t;
  int c = 0;
  t.id = row.text(c++);
  t.title = row.text(c++);
  t.body = row.maybe_text(c++);
  t.status = row.word<Status>(c++);
  t.lane = row.word<Lane>(c++);
  t.assignee = row.text(c++);
  t.tenant = row.text(c++);
  t.priority = row.integer(c++);
  t.created_by = row.text(c++);
  t.origin = row.maybe_text(c++);
  t.created_at = row.instant(c++);
  t.updated_at = row.instant(c++);
  t.ready_since = row.maybe_instant(c++);
  t.eligible_at = row.maybe_instant(c++);
  t.completed_at = row.maybe_instant(c++);
  t.wake_at = row.maybe_instant(c++);
  t.held_until = row.maybe_instant(c++);
  t.hold_reason = row.maybe_word<HoldReason>(c++);
  t.workspace_kind = row.word<WorkspaceKind>(c++);
  t.workspace_path = row.maybe_text(c++);
  t.branch = row.maybe_text(c++);
  t.idempotency_key = row.maybe_text(c++);
  if (const auto ms = row.maybe_integer(c++)) {
    t.max_runtime = Millis{*ms};
  }
  t.failure_limit = row.maybe_integer(c++);
  t.failures = row.integer(c++);
  t.violations = row.integer(c++);
  t.last_failure_kind = row.maybe_text(c++);
  t.last_failure = row.maybe_text(c++);
  t.block_source = row.maybe_word<BlockSource>(c++);
  t.block_kind = row.maybe_word<BlockKind>(c++);
  t.block_reason = row.maybe_text(c++);
  t.block_streak = row.integer(c++);
  t.block_total = row.integer(c++);
  t.skills = row.text(c++);
  t.worker_options = row.text(c++);
  t.goal_mode = row.boolean(c++);
  t.goal_max_turns = row.maybe_integer(c++);
  t.workflow_template_id = row.maybe_text(c++);
  t.step_key = row.maybe_text(c++);
  t.result = row.maybe_text(c++);
  t.current_run_id = row.maybe_integer(c++);
  t.started_at = row.maybe_instant(c++);
  return t;
}

Run read_run(const db::Cursor& row) {
  Run r;
  int c = 0;
  r.id = row.integer(c++);
  r.task_id = row.text(c++);
  r.attempt = row.integer(c++);
  r.profile = row.text(c++);
  r.token = row.text(c++);
  r.holder_kind = row.word<HolderKind>(c++);
  r.host = row.text(c++);
  r.boot = row.text(c++);
  r.shim_pid = row.maybe_integer(c++);
  r.shim_start = row.maybe_integer(c++);
  r.worker_pid = row.maybe_integer(c++);
  r.worker_start = row.maybe_integer(c++);
  r.started_at = row.instant(c++);
  r.spawned_at = row.maybe_instant(c++);
  r.heartbeat_at = row.maybe_instant(c++);
  r.heartbeat_note = row.maybe_text(c++);
  r.stop_kind = row.maybe_word<StopKind>(c++);
  r.stop_by = row.maybe_text(c++);
  r.stop_at = row.maybe_instant(c++);
  r.ended_at = row.maybe_instant(c++);
  r.gone_at = row.maybe_instant(c++);
  r.outcome = row.maybe_word<Outcome>(c++);
  r.exit_kind = row.maybe_word<ExitKind>(c++);
  r.exit_code = row.maybe_integer(c++);
  r.max_rss_kb = row.maybe_integer(c++);
  r.cpu_ms = row.maybe_integer(c++);
  r.workspace_path = row.maybe_text(c++);
  r.branch = row.maybe_text(c++);
  r.step_key = row.maybe_text(c++);
  r.summary = row.maybe_text(c++);
  r.metadata = row.maybe_text(c++);
  r.error = row.maybe_text(c++);
  return r;
}

void save_task(Change& change, Task& task) {
  task.updated_at = change.now;
  change.tx.execute(
      "UPDATE tasks SET status = $1, updated_at = $2, ready_since = $3, eligible_at = $4,"
      " completed_at = $5, wake_at = $6, held_until = $7, hold_reason = $8, failures = $9,"
      " violations = $10, last_failure_kind = $11, last_failure = $12, block_source = $13,"
      " block_kind = $14, block_reason = $15, block_streak = $16, block_total = $17, result = $18,"
      " current_run_id = $19, lane = $20 WHERE id = $21",
      task.status, task.updated_at, task.ready_since, task.eligible_at, task.completed_at,
      task.wake_at, task.held_until, task.hold_reason, task.failures, task.violations,
      task.last_failure_kind, task.last_failure, task.block_source, task.block_kind,
      task.block_reason, task.block_streak, task.block_total, task.result, task.current_run_id,
      task.lane, task.id);
}

void move_task(Change& change, Task& task, Status to, EventKind kind, const nlohmann::json& payload,
               std::optional<std::int64_t> run_id) {
  const Status from = task.status;
  task.status = to;
  task.current_run_id = to == Status::running ? run_id : std::nullopt;
  const bool startable = to == Status::ready || to == Status::review;
  task.ready_since = startable ? std::optional(change.now) : std::nullopt;
  task.eligible_at = std::nullopt;
  if (startable) {
    const Instant held =
        rules::clamp_hold(task.held_until.value_or(change.now), change.now, change.limits);
    task.eligible_at = std::max(change.now, held);
  }
  if (to == Status::done) {
    task.completed_at = change.now;
  }
  if (from == Status::scheduled && to != Status::scheduled) {
    task.wake_at.reset();
  }
  if (from == Status::triage || to == Status::done) {
    task.block_streak = 0;
    task.block_total = 0;
  }
  if (to != Status::blocked && to != Status::triage) {
    task.block_source.reset();
    task.block_reason.reset();
  }
  save_task(change, task);
  if (from == Status::triage) {
    change.tx.execute("DELETE FROM plannings WHERE task_id = $1", task.id);
  }
  nlohmann::json full = payload.is_null() ? nlohmann::json::object() : payload;
  full["from"] = to_word(from);
  full["to"] = to_word(to);
  append_event(change, task.id, run_id, kind, dump(full));
  if (to == Status::done || to == Status::archived || to == Status::blocked) {
    satisfy_links(change, task.id);
  }
}

void requeue_task(Change& change, Task& task, EventKind kind, const nlohmann::json& payload,
                  std::optional<std::int64_t> run_id) {
  const Status to = rules::requeue_target(task.lane, has_open_links(change.tx, task.id));
  move_task(change, task, to, kind, payload, run_id);
}

void reset_breaker(Task& task) {
  task.failures = 0;
  task.violations = 0;
  task.last_failure_kind.reset();
  task.last_failure.reset();
  task.held_until.reset();
  task.hold_reason.reset();
}

std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace hermes::board
