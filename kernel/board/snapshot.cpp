#include "kernel/board/snapshot.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kernel/board/gates.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/shared_dir.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/rules/moves.hpp"

namespace hermes::board {

namespace {

constexpr std::int64_t k_most_due = 500;  // woken per pass; the next pass takes the rest

std::vector<rules::RunView> runs_not_gone(db::Reader& tx,
                                          const std::map<std::string, VerdictMode>& verdicts,
                                          const HostIdentity& host) {
  std::vector<rules::RunView> runs;
  auto row = tx.query(
      "SELECT r.id, r.task_id, r.profile, t.tenant, r.holder_kind, r.host, r.started_at, "
      "r.heartbeat_at, r.ended_at,"
      " r.stop_kind, l.expires_at, COALESCE(l.expires_at - l.renewed_at, 0) FROM runs r"
      " JOIN tasks t ON t.id = r.task_id"
      " LEFT JOIN leases l ON l.resource = 'task:' || r.task_id AND l.epoch = r.id"
      " WHERE r.gone_at IS NULL ORDER BY r.id");
  while (row.next()) {
    rules::RunView run;
    run.id = row.integer(0);
    run.task_id = row.text(1);
    run.profile = row.text(2);
    run.tenant = row.text(3);
    run.holder_kind = row.word<HolderKind>(4);
    const auto verdict = verdicts.find(run.profile);
    run.verdict = verdict == verdicts.end() ? VerdictMode::by_call : verdict->second;
    run.local = row.text(5) == host.machine;
    run.started_at = row.instant(6);
    run.heartbeat_at = row.maybe_instant(7);
    run.ended_at = row.maybe_instant(8);
    run.stop_kind = row.maybe_word<StopKind>(9);
    run.lease_expires_at = row.maybe_instant(10);
    run.lease_ttl = Millis{row.integer(11)};
    runs.push_back(std::move(run));
  }
  return runs;
}

// One group of waiting tasks: a status, an assignee and a tenant, worked on by `profile`.
struct Group {
  std::string_view status;
  std::string assignee;
  std::string tenant;
  std::string profile;
  std::int64_t size;
};

std::vector<Group> waiting_groups(db::Reader& tx, const Limits& limits,
                                  const std::map<std::string, VerdictMode>& verdicts) {
  std::vector<Group> groups;
  auto row = tx.query(
      "SELECT status, assignee, tenant, n FROM counts WHERE status IN ('ready', 'review') AND n > "
      "0");
  while (row.next()) {
    const bool review = row.text(0) == to_word(Status::review);
    Group group{review ? to_word(Status::review) : to_word(Status::ready), row.text(1), row.text(2),
                row.text(1), row.integer(3)};
    if (review) {  // without a reviewer they wait for a person, never for the task's own worker
      group.profile = limits.reviewer;
    } else if (group.assignee.empty()) {
      group.profile = limits.default_assignee;
    }
    if (verdicts.contains(group.profile)) {
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

// The first `headroom` of a group that nothing of their own holds. The IN term repeats the index's
// condition word for word, because that is how SQLite recognises a partial index.
void add_candidates(db::Reader& tx, const Group& group, Instant now, std::int64_t headroom,
                    std::vector<rules::Candidate>& out) {
  static const std::string k_sql =
      "SELECT t.id, t.priority, t.eligible_at FROM tasks t WHERE t.status = $1 AND t.status IN "
      "('ready', 'review')"
      " AND t.assignee = $2 AND t.tenant = $3 AND t.eligible_at <= $4"
      " AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.task_id = t.id AND r.gone_at IS NULL)"
      " AND NOT (t.workspace_kind = 'dir' AND EXISTS (SELECT 1 FROM (SELECT t.id, "
      "t.workspace_path) t " +
      k_parent_in_same_dir +
      ")) AND NOT (t.workspace_kind = 'worktree' AND EXISTS (SELECT 1 FROM (SELECT t.id, "
      "t.workspace_path) t " +
      k_other_in_same_tree + ")) ORDER BY t.priority DESC, t.eligible_at, t.id LIMIT $5";
  auto row = tx.query(k_sql, group.status, group.assignee, group.tenant, now, headroom);
  while (row.next()) {
    out.push_back({row.text(0), group.profile, group.tenant, row.integer(1), row.instant(2)});
  }
}

std::optional<Instant> earliest(db::Cursor row) {
  return row.next() ? row.maybe_instant(0) : std::nullopt;
}

}  // namespace

rules::BoardView snapshot(db::Reader& tx, const std::string& slug, Instant now,
                          const Limits& limits, const std::map<std::string, VerdictMode>& verdicts,
                          const HostIdentity& host, std::int64_t headroom) {
  rules::BoardView view;
  view.slug = slug;
  view.runs = runs_not_gone(tx, verdicts, host);
  {
    auto row = tx.query(
        "SELECT id FROM tasks WHERE status = 'scheduled' AND wake_at <= $1 ORDER BY wake_at LIMIT "
        "$2",
        now, k_most_due);
    while (row.next()) {
      view.due.push_back(row.text(0));
    }
  }
  view.next_due =
      earliest(tx.query("SELECT wake_at FROM tasks WHERE status = 'scheduled' AND wake_at > $1 "
                        "ORDER BY wake_at LIMIT 1",
                        now));
  view.next_eligible = earliest(tx.query(
      "SELECT eligible_at FROM tasks WHERE eligible_at > $1 ORDER BY eligible_at LIMIT 1", now));
  for (const Group& group : waiting_groups(tx, limits, verdicts)) {
    add_candidates(tx, group, now, headroom, view.candidates);
    view.waiting += group.size;
  }
  view.gates = shut_gates(tx);
  view.clock_was_ahead =
      tx.query(
            "SELECT 1 FROM tasks WHERE status IN ('ready', 'review') AND ready_since > $1 LIMIT 1",
            now)
          .next() ||
      std::any_of(
          view.gates.begin(), view.gates.end(),
          [&](const auto& gate) { return *gate.second.paused_until > now + gate.second.pause; }) ||
      tx.query("SELECT 1 FROM profile_gates WHERE resumed_at > $1 LIMIT 1",
               now + rules::k_clock_slack)
          .next();
  return view;
}

void rebase_clock(Change& change) {
  change.tx.execute(
      "UPDATE leases SET expires_at = $1 + (expires_at - renewed_at), renewed_at = $1"
      " WHERE renewed_at > $1 AND expires_at IS NOT NULL",
      change.now);
  change.tx.execute(
      "UPDATE tasks SET held_until = $1 + max(held_until - ready_since, 0),"
      " eligible_at = $1 + max(eligible_at - ready_since, 0), ready_since = $1 WHERE ready_since > "
      "$1",
      change.now);
  change.tx.execute(
      "UPDATE profile_gates SET paused_until = $1 + pause_ms WHERE paused_until > $1 + pause_ms",
      change.now);
  change.tx.execute("UPDATE profile_gates SET resumed_at = $1 WHERE resumed_at > $1", change.now);
  change.tx.execute(  // what has begun before something else still has: each is at most now
      "UPDATE runs SET started_at = min(started_at, $1), spawned_at = min(spawned_at, $1),"
      " heartbeat_at = min(heartbeat_at, $1), stop_at = min(stop_at, $1),"
      " ended_at = min(ended_at, $1) WHERE gone_at IS NULL",
      change.now);
}

bool wake_task(Change& change, const std::string& task_id) {
  auto task = find_task(change.tx, task_id);
  if (!task || !rules::may_move(rules::Move::wake, task->status) || !task->wake_at ||
      *task->wake_at > change.now) {
    return false;
  }
  requeue_task(change, *task, EventKind::woken, nullptr, std::nullopt);
  return true;
}

}  // namespace hermes::board
