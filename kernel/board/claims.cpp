#include "kernel/board/claims.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/gates.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/why.hpp"
#include "kernel/rules/moves.hpp"
#include "kernel/rules/plan.hpp"

namespace hermes::board {

namespace {

constexpr Millis k_shortest_ttl{1000};

std::string lease_of(const std::string& task_id) { return "task:" + task_id; }

Result<void> check_claimable(Change& change, const Task& task) {
  const auto holds = claim_holds(change.tx, task, change.now);
  if (holds.empty()) {
    return {};
  }
  std::string why;
  for (const rules::Hold& hold : holds) {
    why += (why.empty() ? "" : "; ") + hold.text;
  }
  if (task.status == Status::running) {
    const auto run = find_run(change.tx, *task.current_run_id);
    why += fmt::format(" (run {} of '{}')", run->id, run->profile);
  }
  return fail(ErrorCode::conflict,
              fmt::format("cannot claim {} ({}): {}", task.id, to_word(task.status), why),
              fmt::format("`hermes kanban why {}` shows what it waits for", task.id));
}

Run insert_run(Change& change, const Task& task, const ClaimRequest& request) {
  Run run;
  auto row =
      change.tx.query("SELECT COALESCE(max(attempt), 0) + 1 FROM runs WHERE task_id = $1", task.id);
  row.next();
  run.attempt = row.integer(0);
  run.task_id = task.id;
  run.profile = request.profile;
  run.token = new_run_token(change.random);
  run.holder_kind = request.holder_kind;
  run.host = request.host.machine;
  run.boot = request.host.boot;
  run.started_at = change.now;
  run.workspace_path = request.workspace_path;
  run.branch = request.branch;
  run.step_key = task.step_key;
  change.tx.execute(
      "INSERT INTO runs (task_id, attempt, profile, token, holder_kind, host, boot, started_at, "
      "workspace_path, branch,"
      " step_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      run.task_id, run.attempt, run.profile, run.token, run.holder_kind, run.host, run.boot,
      run.started_at, run.workspace_path, run.branch, run.step_key);
  run.id = change.tx.last_insert_id();
  return run;
}

// A stop takes the task from its holder at once: nobody here can end that process.
bool is_over(db::Reader& tx, const Run& run, Instant now) {
  return run.stop_kind || claim_ends(tx, run, now) <= now;
}

void record_end(Change& change, const std::string& reason) {
  change.tx.execute(
      "INSERT INTO board_facts (name, value, at) VALUES ('dispatcher_ended', $1, $2)"
      " ON CONFLICT (name) DO UPDATE SET value = $1, at = $2",
      reason, change.now);
}

}  // namespace

Result<Run> claim(Change& change, const std::string& task_id, const ClaimRequest& request) {
  TRY_ASSIGN(Task task, get_task(change.tx, task_id));
  TRY(rules::may_change(change.actor, change.board, task_id));
  TRY(person_only(change, "claim", task_id));
  TRY(check_assignee(request.profile));
  TRY(check_claimable(change, task));
  const bool by_dispatcher = request.holder_kind == HolderKind::dispatcher;
  if (by_dispatcher) {
    TRY(check_gate(change.tx, request.profile, change.now));
  }
  if (!rules::may_move(rules::Move::claim, task.status)) {
    return std::unexpected(rules::refuse_move(rules::Move::claim, task_id, task.status));
  }
  const Status source = task.status;
  Run run = insert_run(change, task, request);
  if (by_dispatcher) {
    record_probe(change, request.profile, run.id);
  }
  const Instant expires = change.now + std::max(request.ttl, k_shortest_ttl);
  change.tx.execute(
      "INSERT INTO leases (resource, holder, epoch, run_id, acquired_at, renewed_at, expires_at)"
      " VALUES ($1, $2, $3, $3, $4, $4, $5)",
      lease_of(task_id), request.holder, run.id, change.now, expires);
  if (task.assignee.empty() && task.lane == Lane::work && !request.profile.empty() &&
      request.holder_kind != HolderKind::external) {
    task.assignee = request.profile;  // the default assignee has taken it
    change.tx.execute("UPDATE tasks SET assignee = $1 WHERE id = $2", task.assignee, task_id);
    append_event(change, task_id, run.id, EventKind::assigned,
                 dump({{"assignee", request.profile}, {"source", "dispatcher.default_assignee"}}));
  }
  move_task(change, task, Status::running, EventKind::claimed,
            {{"lock", request.holder},
             {"expires", expires.seconds()},
             {"run_id", run.id},
             {"profile", request.profile},
             {"source_status", to_word(source)}},
            run.id);
  return run;
}

Result<Run> heartbeat(Change& change, const std::string& task_id,
                      const std::optional<std::string>& given_note) {
  TRY(check_text("the note", given_note.value_or(""), k_text_bytes));
  const auto note = text_to_store(given_note);
  TRY_ASSIGN(const Task task, get_task(change.tx, task_id));
  TRY_ASSIGN(Run run, open_run_for(change, task, rules::Move::heartbeat));
  const auto ttl = std::max(change.limits.claim_ttl, k_shortest_ttl);
  change.tx.execute(
      "UPDATE runs SET heartbeat_at = $1, heartbeat_note = COALESCE($2, heartbeat_note) WHERE id = "
      "$3",
      change.now, note, run.id);
  // An external claim keeps the term it was given; a worker's is the configured one.
  const int renewed = change.tx.execute(
      "UPDATE leases SET renewed_at = $1, expires_at = $1 + CASE WHEN $4 THEN max(expires_at - "
      "renewed_at, 1000) ELSE $5 END"
      " WHERE resource = $2 AND epoch = $3",
      change.now, lease_of(task_id), run.id, run.holder_kind == HolderKind::external, ttl);
  if (renewed != 1) {
    return fail(ErrorCode::not_yours,
                fmt::format("run {} of {} no longer holds its lease", run.id, task_id),
                "stop working on it");
  }
  run.heartbeat_at = change.now;
  run.heartbeat_note = note ? note : run.heartbeat_note;
  return run;
}

bool record_shim(Change& change, const Run& run, std::int64_t shim_pid, std::int64_t shim_start) {
  const int recorded = change.tx.execute(
      "UPDATE runs SET holder_kind = 'shim', shim_pid = $1, shim_start = $2, spawned_at = $3,"
      " workspace_path = $6, branch = $7"
      " WHERE id = $4 AND token = $5 AND ended_at IS NULL AND stop_kind IS NULL",
      shim_pid, shim_start, change.now, run.id, run.token, run.workspace_path, run.branch);
  if (recorded == 1) {
    append_event(change, run.task_id, run.id, EventKind::spawned, dump({{"pid", shim_pid}}));
  }
  return recorded == 1;
}

void record_worker(Change& change, std::int64_t run_id, std::int64_t pid, std::int64_t start) {
  change.tx.execute(
      "UPDATE runs SET worker_pid = $1, worker_start = $2 WHERE id = $3 AND worker_pid IS NULL",
      pid, start, run_id);
}

bool expire_claim(Change& change, std::int64_t run_id) {
  const auto run = find_run(change.tx, run_id);
  if (!run || run->gone_at || !is_over(change.tx, *run, change.now)) {
    return false;
  }
  if (run->holder_kind == HolderKind::external) {
    return finish_external(change, *run);
  }
  // Another machine's worker whose lease has run out: it cannot be seen from here, and nobody is to
  // blame.
  return finish_run(
      change, run_id,
      {.kind = ExitKind::never_started,
       .detail = fmt::format("it belongs to another machine ({}), whose lease ran out", run->host)},
      VerdictMode::by_call);
}

Instant claim_ends(db::Reader& tx, const Run& run, Instant now) {
  auto row = tx.query(
      "SELECT expires_at, expires_at - renewed_at FROM leases WHERE resource = $1 AND epoch = $2 "
      "AND expires_at IS NOT NULL",
      lease_of(run.task_id), run.id);
  return row.next() ? rules::lease_end(row.instant(0), Millis{row.integer(1)}, now) : now;
}

bool expire_claim_by_hand(Change& change, const std::string& task_id) {
  if (change.actor.worker) {
    return false;
  }
  const auto task = find_task(change.tx, task_id);
  const auto run =
      task && task->current_run_id ? find_run(change.tx, *task->current_run_id) : std::nullopt;
  return run && run->holder_kind == HolderKind::external && expire_claim(change, run->id);
}

std::int64_t take_over(Change& change, const std::string& holder) {
  {
    auto row =
        change.tx.query("SELECT holder FROM leases WHERE resource = 'dispatcher' AND holder <> ''");
    if (row.next()) {
      record_end(change,
                 fmt::format("it did not end in order: killed, or the machine went down ({})",
                             row.text(0)));
    }
  }
  change.tx.execute(
      "INSERT INTO leases (resource, holder, epoch, acquired_at, renewed_at) VALUES ('dispatcher', "
      "$1, 1, $2, $2)"
      " ON CONFLICT (resource) DO UPDATE SET holder = $1, epoch = epoch + 1, acquired_at = $2, "
      "renewed_at = $2",
      holder, change.now);
  auto row = change.tx.query("SELECT epoch FROM leases WHERE resource = 'dispatcher'");
  row.next();
  return row.integer(0);
}

void vacate(Change& change, std::int64_t epoch, const std::string& reason) {
  const int vacated = change.tx.execute(
      "UPDATE leases SET holder = '', renewed_at = $1 WHERE resource = 'dispatcher' AND epoch = $2",
      change.now, epoch);
  if (vacated == 1 && !reason.empty()) {
    record_end(change, reason);
  }
}

Result<void> check_epoch(db::Reader& tx, std::int64_t epoch) {
  auto row = tx.query("SELECT epoch, holder FROM leases WHERE resource = 'dispatcher'");
  if (row.next() && row.integer(0) == epoch) {
    return {};
  }
  return fail(ErrorCode::not_yours, "another dispatcher has taken this board over",
              "one dispatcher per home: stop one");
}

}  // namespace hermes::board
