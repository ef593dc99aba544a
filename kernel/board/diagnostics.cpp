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
constexpr std::int64_t k_queue = 2000;  // waiting tasks that are looked at

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

// When it was blocked after it had been released, newest first.
std::vector<Instant> block_cycles(db::Reader& tx, const std::string& id) {
  std::vector<std::pair<std::string, Instant>> events;
  {
    auto row = tx.query("SELECT kind, at FROM events WHERE task_id = $1 ORDER BY seq DESC LIMIT $2",
                        id, k_events);
    while (row.next()) {
      events.emplace_back(row.text(0), row.instant(1));
    }
  }
  const auto is = [](const std::string& kind, EventKind word) { return kind == to_word(word); };
  std::vector<Instant> cycles;
  bool released = false;
  for (const auto& [kind, at] : events | std::views::reverse) {
    if (is(kind, EventKind::unblocked) || is(kind, EventKind::promoted_manual)) {
      released = true;
    } else if (released &&
               (is(kind, EventKind::blocked) || is(kind, EventKind::block_loop_detected))) {
      cycles.insert(cycles.begin(), at);
      released = false;
    }
  }
  return cycles;
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
      tx.query("SELECT id FROM tasks INDEXED BY tasks_blocked WHERE status = 'blocked' AND "
               "updated_at <= $1 ORDER BY "
               "updated_at LIMIT $2",
               context.now - thresholds.blocked, most));
  found.add(tx.query(
      "SELECT id FROM tasks WHERE block_total > 0 AND block_total >= $1 ORDER BY block_total DESC "
      "LIMIT $2",
      thresholds.cycles, most));
  for (const Status status : {Status::ready, Status::review}) {
    found.add(tx.query(
        "SELECT id FROM (SELECT id, assignee FROM tasks WHERE status = $1 AND ready_since IS NOT "
        "NULL AND ready_since <= $2 ORDER BY ready_since LIMIT $3) WHERE assignee <> '' OR $4 "
        "LIMIT "
        "$5",
        status, context.now - thresholds.stranded, k_queue,
        !context.limits.default_assignee.empty(), most));
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
  health.planning = planning_of(tx, id);
  health.last_comment_at = instant_of(
      tx.query("SELECT at FROM comments WHERE task_id = $1 ORDER BY id DESC LIMIT 1", id));
  if (health.task.block_total >= context.thresholds.cycles) {
    health.cycles = block_cycles(tx, id);
  }
  if (health.task.current_run_id) {
    health.heartbeat_at = instant_of(
        tx.query("SELECT heartbeat_at FROM runs WHERE id = $1", *health.task.current_run_id));
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
