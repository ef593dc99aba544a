#include "kernel/board/diagnostics.hpp"

#include <algorithm>
#include <ranges>
#include <set>

#include "kernel/board/links.hpp"
#include "kernel/board/planning.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/why.hpp"

namespace hermes::board {

namespace {

constexpr std::int64_t k_streak = 40;   // runs of a task that are looked at
constexpr std::int64_t k_events = 300;  // events of a task that are looked at for cycles

class Collector {
 public:
  void add(db::Cursor row) {
    std::int64_t found = 0;
    while (row.next()) {
      if (++found > k_most_suspects) {
        out_.more = true;
        return;
      }
      if (seen_.insert(row.text(0)).second) {
        out_.ids.push_back(row.text(0));
      }
    }
  }
  // That there is more than was looked at.
  void note(bool more) { out_.more = out_.more || more; }
  Suspects take() { return std::move(out_); }

 private:
  std::set<std::string> seen_;
  Suspects out_;
};

std::vector<rules::PastRun> ended_runs(db::Reader& tx, const std::string& id) {
  std::vector<rules::PastRun> runs;
  auto row = tx.query(
      "SELECT id, outcome, exit_kind, ended_at, COALESCE(error, '') FROM runs WHERE task_id = $1"
      " AND ended_at IS NOT NULL ORDER BY attempt DESC LIMIT $2",
      id, k_streak);
  while (row.next()) {
    runs.push_back({row.integer(0), row.word<Outcome>(1), row.maybe_word<ExitKind>(2),
                    row.instant(3), row.text(4)});
  }
  return runs;
}

// An event of a task that its worker has blocked.
const std::string k_is_workers_block =
    "e.kind IN ('blocked', 'block_loop_detected') AND e.payload LIKE '%\"source\":\"worker\"%'";

// When its workers blocked it after it had been released, newest first.
std::vector<Instant> block_cycles(db::Reader& tx, const std::string& id) {
  struct Step {
    bool blocks;
    Instant at;
  };
  std::vector<Step> steps;
  {
    auto row = tx.query("SELECT " + k_is_workers_block +
                            ", e.at FROM events e WHERE e.task_id = $1 AND (" + k_is_workers_block +
                            " OR e.kind IN ('unblocked', 'promoted_manual')) ORDER BY e.seq DESC "
                            "LIMIT $2",
                        id, k_events);
    while (row.next()) {
      steps.push_back({row.boolean(0), row.instant(1)});
    }
  }
  std::vector<Instant> cycles;
  bool released = false;
  for (const Step& step : steps | std::views::reverse) {
    if (step.blocks && released) {
      cycles.insert(cycles.begin(), step.at);
    }
    released = !step.blocks;
  }
  return cycles;
}

// Whether the query, whose last parameter is its LIMIT, has more rows than `most`.
template <class... Args>
bool is_longer(db::Reader& tx, std::int64_t most, std::string_view sql, const Args&... args) {
  auto row = tx.query(sql, args..., most + 1);
  std::int64_t rows = 0;
  while (row.next()) {
    ++rows;
  }
  return rows > most;
}

std::optional<Instant> instant_of(db::Cursor row) {
  return row.next() ? row.maybe_instant(0) : std::nullopt;
}

}  // namespace

Suspects suspects(db::Reader& tx, const rules::DiagnosticContext& context) {
  const rules::Thresholds& thresholds = context.thresholds;
  const std::int64_t most = k_most_suspects + 1;
  Collector found;
  found.add(tx.query(
      "SELECT id FROM tasks WHERE failures > 0 AND status <> 'running' ORDER BY failures DESC "
      "LIMIT $1",
      most));
  found.add(
      tx.query("SELECT id FROM tasks INDEXED BY tasks_blocked WHERE status = 'blocked' AND status "
               "IN ('blocked', 'triage') AND blocked_at IS NOT NULL AND blocked_at <= $1 ORDER BY "
               "blocked_at LIMIT $2",
               context.now - thresholds.blocked, most));
  for (const Status status : {Status::blocked, Status::triage}) {
    found.add(tx.query(
        "SELECT t.id FROM (SELECT id FROM tasks INDEXED BY tasks_blocked WHERE status = $1 AND "
        "status IN ('blocked', 'triage') AND blocked_at IS NOT NULL AND blocked_at > $2 ORDER BY "
        "blocked_at DESC LIMIT $3) t WHERE (SELECT count(*) FROM events e WHERE e.task_id = t.id "
        "AND e.at > $2 AND " +
            k_is_workers_block + ") >= $4 LIMIT $5",
        status, context.now - thresholds.cycle_window, k_queue, thresholds.cycles, most));
    found.note(is_longer(tx, k_queue,
                         "SELECT 1 FROM tasks INDEXED BY tasks_blocked WHERE status = $1 AND "
                         "status IN ('blocked', 'triage') AND blocked_at IS NOT NULL AND "
                         "blocked_at > $2 LIMIT $3",
                         status, context.now - thresholds.cycle_window));
  }
  found.add(tx.query(
      "SELECT id FROM tasks WHERE block_total > 0 AND block_total >= $1 ORDER BY block_total DESC "
      "LIMIT $2",
      thresholds.cycles, most));
  for (const Status status : {Status::ready, Status::review}) {
    // Without somebody who takes what is nobody's, those that have an assignee are sought for.
    const bool all = !context.limits.default_assignee.empty() ||
                     (status == Status::review && !context.limits.reviewer.empty());
    const Instant before = context.now - thresholds.stranded;
    found.add(tx.query(
        "SELECT id FROM (SELECT id, assignee FROM tasks WHERE status = $1 AND ready_since IS NOT "
        "NULL AND ready_since <= $2 ORDER BY ready_since LIMIT $3) WHERE assignee <> '' OR $4 "
        "LIMIT $5",
        status, before, k_queue, all, most));
    found.note(!all && is_longer(tx, k_queue,
                                 "SELECT 1 FROM tasks WHERE status = $1 AND ready_since IS NOT "
                                 "NULL AND ready_since <= $2 LIMIT $3",
                                 status, before));
  }
  found.add(
      tx.query("SELECT id FROM (SELECT id, hold_reason FROM tasks WHERE eligible_at > $1 ORDER BY "
               "eligible_at DESC LIMIT $2) WHERE hold_reason = 'rate_limited' LIMIT $3",
               context.now, k_queue, most));
  found.add(tx.query(
      "SELECT r.task_id FROM runs r JOIN tasks t ON t.current_run_id = r.id AND t.id = r.task_id"
      " WHERE r.gone_at IS NULL AND r.heartbeat_at <= $1 LIMIT $2",
      context.now - context.limits.heartbeat_gap, most));
  found.add(tx.query(
      "SELECT t.id FROM (SELECT id FROM tasks WHERE status = 'todo' ORDER BY priority DESC, "
      "created_at, id LIMIT $1) t WHERE EXISTS (SELECT 1 FROM links l JOIN tasks p ON p.id = "
      "l.parent_id WHERE l.child_id = t.id AND l.satisfied_at IS NULL AND p.status = 'archived') "
      "LIMIT $2",
      k_queue, most));
  found.add(tx.query(
      "SELECT task_id FROM plannings WHERE failures > 0 ORDER BY failures DESC LIMIT $1", most));
  return found.take();
}

Result<rules::TaskHealth> task_health(db::Reader& tx, const std::string& id,
                                      const rules::DiagnosticContext& context) {
  rules::TaskHealth health;
  TRY_ASSIGN(health.task, get_task(tx, id));
  health.profile = worker_profile(health.task, context.limits);
  health.runs = ended_runs(tx, id);
  health.planning = planning_of(tx, id, context.now, context.planning);
  health.blocked_at = instant_of(tx.query("SELECT blocked_at FROM tasks WHERE id = $1", id));
  health.last_comment_at = instant_of(
      tx.query("SELECT at FROM comments WHERE task_id = $1 ORDER BY id DESC LIMIT 1", id));
  const Status status = health.task.status;
  if (status == Status::blocked || status == Status::triage ||
      health.task.block_total >= context.thresholds.cycles) {
    health.cycles = block_cycles(tx, id);
  }
  if (health.task.current_run_id) {
    auto row = tx.query("SELECT heartbeat_at, holder_kind FROM runs WHERE id = $1",
                        *health.task.current_run_id);
    row.next();
    health.heartbeat_at = row.maybe_instant(0);
    health.by_hand = row.word<HolderKind>(1) == HolderKind::external;
  }
  for (const rules::OpenParent& parent : open_parents(tx, id)) {
    if (parent.status == Status::archived) {
      health.archived_parents.push_back(parent.id);
    }
  }
  return health;
}

std::map<std::string, std::int64_t> waiting_by_profile(db::Reader& tx, const Limits& limits) {
  std::map<std::string, std::int64_t> waiting;
  auto row = tx.query(
      "SELECT status, assignee, sum(n) FROM counts WHERE status IN ('ready', 'review') AND n > 0"
      " GROUP BY status, assignee");
  while (row.next()) {
    Task task;
    task.lane = row.text(0) == to_word(Status::review) ? Lane::review : Lane::work;
    task.assignee = row.text(1);
    if (const std::string profile = worker_profile(task, limits); !profile.empty()) {
      waiting[profile] += row.integer(2);
    }
  }
  return waiting;
}

}  // namespace hermes::board
