#include "kernel/board/runs.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/ids.hpp"
#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/gates.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/rules/fate.hpp"
#include "kernel/rules/fleet.hpp"
#include "kernel/rules/plan.hpp"
#include "kernel/rules/stop.hpp"

namespace hermes::board {

namespace {

constexpr std::size_t k_failure_bytes = 500;

std::int64_t rate_limited_in_a_row(db::Reader& tx, const std::string& task_id,
                                   std::int64_t before_run) {
  std::int64_t count = 0;
  auto row =
      tx.query("SELECT outcome FROM runs WHERE task_id = $1 AND id < $2 ORDER BY id DESC LIMIT 40",
               task_id, before_run);
  while (row.next() && row.maybe_text(0) == to_word(Outcome::rate_limited)) {
    ++count;
  }
  return count;
}

// A directory that the task itself names tells nothing about its profile.
std::optional<std::string> fingerprint_of(const Task& task, Outcome outcome,
                                          const ExitFacts& exit) {
  const bool of_the_task =
      exit.kind == ExitKind::workspace_failed && task.workspace_kind != WorkspaceKind::scratch;
  return rules::sign_of(outcome) == rules::Sign::fails && !of_the_task
             ? std::optional(rules::fingerprint(outcome, exit))
             : std::nullopt;
}

EventKind event_of(Outcome outcome) {
  return from_word<EventKind>(to_word(outcome)).value_or(EventKind::crashed);
}

void record_exit(Change& change, std::int64_t run_id, const ExitFacts& exit) {
  change.tx.execute(
      "UPDATE runs SET gone_at = max($1, started_at), exit_kind = $2, exit_code = $3, max_rss_kb = "
      "$4, cpu_ms = $5, workspace_path = COALESCE(workspace_path, $7) WHERE id = $6",
      change.now, exit.kind, exit.code, exit.max_rss_kb, exit.cpu_ms, run_id, exit.workspace);
}

// After a run that did not complete its task and was not stopped for a person: the breaker decides.
void retry_or_give_up(Change& change, Task& task, const Run& run, const rules::Fate& fate,
                      const std::string& error, const nlohmann::json& facts) {
  const rules::Requeue next = rules::after_run(
      task, fate, rate_limited_in_a_row(change.tx, task.id, run.id), change.limits);
  task.failures = next.failures;
  task.violations = next.violations;
  if (fate.counted || fate.violation) {
    task.last_failure_kind = std::string(to_word(fate.outcome));
    task.last_failure = error;
  }
  nlohmann::json payload = facts;
  payload["error"] = error;
  payload["failures"] = next.failures;
  payload["limit"] = next.limit;
  if (next.gave_up) {
    task.block_source = BlockSource::breaker;
    task.block_reason = error;
    task.held_until.reset();
    task.hold_reason.reset();
    payload["effective_limit"] = fate.violation ? change.limits.violation_limit : next.limit;
    payload["limit_source"] = next.limit_source;
    payload["trigger_outcome"] = to_word(fate.outcome);
    move_task(change, task, Status::blocked, EventKind::gave_up, payload, run.id);
    return;
  }
  task.held_until = next.hold.count() > 0 ? std::optional(change.now + next.hold) : std::nullopt;
  task.hold_reason = next.hold.count() > 0 ? next.hold_reason : std::nullopt;
  if (task.held_until) {
    payload["held_until_ms"] = task.held_until->ms;
  }
  requeue_task(change, task, event_of(fate.outcome), payload, run.id);
}

}  // namespace

std::vector<Run> runs_of(db::Reader& tx, const std::string& task_id) {
  std::vector<Run> runs;
  auto row = tx.query(
      "SELECT " + k_run_columns + " FROM runs r WHERE r.task_id = $1 ORDER BY r.attempt", task_id);
  while (row.next()) {
    runs.push_back(read_run(row));
  }
  return runs;
}

std::optional<Run> find_run(db::Reader& tx, std::int64_t run_id) {
  auto row = tx.query("SELECT " + k_run_columns + " FROM runs r WHERE r.id = $1", run_id);
  return row.next() ? std::optional(read_run(row)) : std::nullopt;
}

namespace {

Error not_yours(const WorkerIdentity& worker, const std::string& why) {
  if (worker.run_id <= 0 || worker.token.empty()) {
    return {ErrorCode::not_yours,
            fmt::format("nothing shows that {} is yours: {}", printable(clip(worker.task_id, 100)),
                        worker.token.empty() ? "HERMES_KANBAN_RUN_TOKEN is not set"
                                             : "HERMES_KANBAN_RUN_ID is not set to a number"),
            "pass all HERMES_ variables of the worker on to the programs that it starts; nothing "
            "was changed"};
  }
  return {ErrorCode::not_yours,
          fmt::format("{} is no longer yours: {}", printable(clip(worker.task_id, 100)), why),
          "stop working on it; nothing was changed"};
}

}  // namespace

Result<void> check_own_run(db::Reader& tx, const Actor& actor, const Task& task) {
  const WorkerIdentity& worker = *actor.worker;
  const auto run = task.current_run_id ? find_run(tx, *task.current_run_id) : std::nullopt;
  if (!run || run->id != worker.run_id || !is_same_token(run->token, worker.token)) {
    return std::unexpected(
        not_yours(worker, fmt::format("run {} was superseded or has ended (the task is {})",
                                      worker.run_id, to_word(task.status))));
  }
  return {};
}

Result<Task> task_to_change(db::Reader& tx, const Actor& actor, const std::string& board,
                            const std::string& id) {
  TRY_ASSIGN(Task task, get_task(tx, id));
  TRY(rules::may_change(actor, board, id));
  if (actor.worker) {
    TRY(check_own_run(tx, actor, task));
  }
  return task;
}

Result<Task> task_to_change(Change& change, const std::string& id) {
  return task_to_change(change.tx, change.actor, change.board, id);
}

Result<void> may_add(db::Reader& tx, const WorkerIdentity& worker) {
  // A run of no length, which keeps what a person said, has no token and replaces nobody.
  auto row = tx.query(
      "SELECT r.token FROM runs r WHERE r.id = $1 AND r.task_id = $2 AND NOT EXISTS"
      " (SELECT 1 FROM runs n WHERE n.task_id = $2 AND n.attempt > r.attempt AND n.token <> '')",
      worker.run_id, worker.task_id);
  if (row.next() && is_same_token(row.text(0), worker.token)) {
    return {};
  }
  return std::unexpected(
      not_yours(worker, fmt::format("run {} was replaced by another one", worker.run_id)));
}

Result<void> may_add(const Change& change) {
  const auto& worker = change.actor.worker;
  return worker && worker->board == change.board ? may_add(change.tx, *worker) : Result<void>{};
}

Actor identified(db::Reader& tx, const Actor& actor, const std::string& board) {
  Actor known = actor;
  if (actor.worker && actor.worker->board == board) {
    const auto run = find_run(tx, actor.worker->run_id);
    if (run && run->task_id == actor.worker->task_id &&
        is_same_token(run->token, actor.worker->token)) {
      known.name = run->profile;
    }
  }
  return known;
}

Result<Run> open_run_for(Change& change, const Task& task, rules::Move move) {
  TRY(rules::may_change(change.actor, change.board, task.id));
  if (change.actor.worker) {
    TRY(check_own_run(change.tx, change.actor, task));
    return *find_run(change.tx, *task.current_run_id);
  }
  if (task.status != Status::running) {
    return std::unexpected(rules::refuse_move(move, task.id, task.status));
  }
  const auto run = find_run(change.tx, *task.current_run_id);
  if (run->holder_kind != HolderKind::external) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is being worked on by run {} of profile '{}'", task.id, run->id,
                            run->profile),
                move == rules::Move::heartbeat
                    ? "its heartbeat is that worker's own business"
                    : "only that worker can speak for it; a person may overrule it with force, or "
                      "take it away with `hermes kanban reclaim`");
  }
  return *run;
}

void close_run(Change& change, const Run& run, const Closing& closing) {
  const auto gone =
      run.holder_kind == HolderKind::external ? std::optional(change.now) : std::nullopt;
  change.tx.execute(
      "UPDATE runs SET ended_at = max($1, started_at), outcome = $2, summary = $3, metadata = $4, "
      "error = $5,"
      " gone_at = COALESCE(gone_at, max($6, started_at)), fingerprint = $8 WHERE id = $7 AND "
      "ended_at IS NULL",
      change.now, closing.outcome, closing.summary, closing.metadata, closing.error, gone, run.id,
      closing.fingerprint);
  change.tx.execute("DELETE FROM leases WHERE resource = $1 AND epoch = $2", "task:" + run.task_id,
                    run.id);
  judge_profile(change, run.id);
}

std::int64_t record_zero_run(Change& change, const Task& task, const Closing& closing) {
  change.tx.execute(
      "INSERT INTO runs (task_id, attempt, profile, token, holder_kind, host, boot, started_at, "
      "ended_at, gone_at,"
      " outcome, summary, metadata, step_key) SELECT $1, COALESCE(max(attempt), 0) + 1, $2, '', "
      "'external', '', '', $3,"
      " $3, $3, $4, $5, $6, $7 FROM runs WHERE task_id = $1",
      task.id, task.assignee, change.now, closing.outcome, closing.summary, closing.metadata,
      task.step_key);
  return change.tx.last_insert_id();
}

void finish_task(Change& change, Task& task, std::optional<std::int64_t> run_id,
                 const DoneBy& done) {
  if (done.result) {
    task.result = done.result;
  }
  reset_breaker(task);
  task.block_kind.reset();
  const std::string summary = done.summary.value_or(done.result.value_or(""));
  const std::string first(clip(first_line(trim(summary)), k_event_text_bytes));
  nlohmann::json payload{{"result_len", task.result.value_or("").size()},
                         {"summary", first.empty() ? nlohmann::json() : nlohmann::json(first)}};
  if (task.lane == Lane::review) {
    payload["approved"] = true;
  }
  if (!done.artifacts.empty()) {
    payload["artifacts"] = done.artifacts;
  }
  if (!done.created.empty()) {
    payload["created_cards"] = done.created;
  }
  move_task(change, task, Status::done, EventKind::completed, payload, run_id);
}

void release_task(Change& change, Task& task, std::int64_t run_id, const std::string& by,
                  const std::optional<std::string>& reason) {
  reset_breaker(task);
  requeue_task(change, task, EventKind::reclaimed,
               {{"manual", true},
                {"by", by},
                {"reason", reason ? nlohmann::json(*reason) : nlohmann::json()}},
               run_id);
}

void archive_task(Change& change, Task& task, std::optional<std::int64_t> run_id,
                  const std::string& by) {
  reset_breaker(task);
  task.block_kind.reset();
  task.block_streak = 0;
  task.block_total = 0;
  move_task(change, task, Status::archived, EventKind::archived, {{"by", by}}, run_id);
}

Result<void> intend_stop(Change& change, const Run& run, StopKind kind,
                         const std::optional<std::string>& reason) {
  const rules::SecondStop second =
      run.stop_kind ? rules::second_stop(*run.stop_kind, kind) : rules::SecondStop::replaces;
  if (second == rules::SecondStop::refused) {
    return fail(
        ErrorCode::conflict,
        fmt::format("run {} of {} is being stopped by {} ({}), which this would undo", run.id,
                    run.task_id, run.stop_by.value_or("somebody"), to_word(*run.stop_kind)),
        fmt::format("nothing was changed; `hermes kanban show {}` tells when it is over",
                    run.task_id));
  }
  if (run.gone_at) {
    return {};
  }
  if (second == rules::SecondStop::joins) {
    if (reason) {  // who gave it was told that it is done
      append_event(
          change, run.task_id, run.id, EventKind::stopping,
          dump(
              {{"kind", to_word(*run.stop_kind)}, {"by", change.actor.name}, {"reason", *reason}}));
    }
    return {};
  }
  change.tx.execute(
      "UPDATE runs SET stop_kind = $1, stop_by = $2, stop_at = $3, error = $5 WHERE id = $4", kind,
      change.actor.name, change.now, run.id, reason);
  nlohmann::json payload{{"kind", to_word(kind)},
                         {"by", change.actor.name},
                         {"reason", reason ? nlohmann::json(*reason) : nlohmann::json()}};
  if (run.stop_kind) {
    payload["instead_of"] = to_word(*run.stop_kind);
  }
  append_event(change, run.task_id, run.id, EventKind::stopping, dump(payload));
  return {};
}

bool stop_stale(Change& change, std::int64_t run_id, VerdictMode mode) {
  const auto run = find_run(change.tx, run_id);
  if (!run || run->ended_at || run->stop_kind) {
    return false;
  }
  const auto at = rules::stale_at(
      {.verdict = mode, .started_at = run->started_at, .heartbeat_at = run->heartbeat_at},
      change.limits);
  return at && *at <= change.now && intend_stop(change, *run, StopKind::stale, "no heartbeat");
}

bool finish_external(Change& change, const Run& run) {
  auto task = find_task(change.tx, run.task_id);
  if (!task || run.ended_at) {
    return false;
  }
  const std::string error = "the claim ran out: no heartbeat within its term";
  close_run(change, run, {.outcome = Outcome::stale, .error = error});
  retry_or_give_up(change, *task, run, {.outcome = Outcome::stale, .counted = true}, error,
                   nlohmann::json::object());
  return true;
}

bool finish_run(Change& change, std::int64_t run_id, const ExitFacts& exit, VerdictMode mode) {
  const auto run = find_run(change.tx, run_id);
  if (!run || run->gone_at) {
    return false;
  }
  auto task = find_task(change.tx, run->task_id);
  if (run->ended_at) {  // the verdict came before the end: the first one stands
    record_exit(change, run_id, exit);
    if (run->stop_kind == StopKind::archive && task->status != Status::archived) {
      archive_task(change, *task, run_id, run->stop_by.value_or(""));
    }
    return true;
  }
  const rules::Fate fate = rules::fate_of(exit, mode, run->stop_kind);
  std::string error = fate.completes ? "" : rules::describe_exit(exit);
  if (fate.violation) {
    error +=
        ": it ended without a verdict; a worker of this profile must call `hermes kanban complete` "
        "or `block`";
  }
  if (!error.empty() && !exit.last_output.empty() && exit.kind != ExitKind::exec_failed) {
    error += "; last output: " + mask_secrets(exit.last_output);
  }
  if (run->stop_kind &&
      run->stop_kind !=
          StopKind::stale) {  // the reason that was given for the stop is kept in `error` until now
    error = fmt::format(
        "{} by {}{}{}", run->stop_kind == StopKind::archive ? "archived" : "reclaimed",
        run->stop_by.value_or("somebody"), run->error ? ": " : "", run->error.value_or(""));
  }
  error = std::string(clip(error, k_failure_bytes));
  const auto text_or_none = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  close_run(
      change, *run,
      {.outcome = fate.outcome,
       .summary = fate.completes ? text_or_none(mask_secrets(exit.last_output)) : std::nullopt,
       .error = text_or_none(error),
       .fingerprint = fingerprint_of(*task, fate.outcome, exit)});
  record_exit(change, run_id, exit);
  if (fate.completes) {
    finish_task(change, *task, run_id,
                {.summary = text_or_none(mask_secrets(exit.last_output)), .result = std::nullopt});
  } else if (run->stop_kind == StopKind::archive) {
    archive_task(change, *task, run_id, run->stop_by.value_or(""));
  } else if (run->stop_kind && run->stop_kind != StopKind::stale) {
    release_task(change, *task, run_id, run->stop_by.value_or(""), run->error);
  } else {
    retry_or_give_up(change, *task, *run, fate, error,
                     {{"exit_kind", to_word(exit.kind)},
                      {"exit_code", exit.code},
                      {"pid", run->shim_pid.value_or(0)}});
  }
  return true;
}

}  // namespace hermes::board
