#include "kernel/board/why.hpp"

#include "kernel/board/links.hpp"
#include "kernel/board/planning.hpp"
#include "kernel/board/shared_dir.hpp"

namespace hermes::board {

std::vector<rules::Hold> claim_holds(db::Reader& tx, const Task& task, Instant now,
                                     const PlanningLimits& planning) {
  rules::TaskFacts facts;
  facts.task = &task;
  facts.open_parents = open_parents(tx, task.id);
  {
    auto row = tx.query("SELECT id FROM runs WHERE task_id = $1 AND gone_at IS NULL", task.id);
    if (row.next()) {
      facts.ending_run = row.integer(0);
    }
  }
  const auto first_id = [&](const std::string& sql) -> std::optional<std::string> {
    auto row = tx.query(sql, task.id);
    return row.next() ? row.maybe_text(0) : std::nullopt;
  };
  if (task.workspace_kind == WorkspaceKind::dir) {
    facts.parent_in_our_dir =
        first_id("SELECT l.parent_id FROM tasks t " + k_parent_in_same_dir + " WHERE t.id = $1");
  }
  if (task.workspace_kind == WorkspaceKind::worktree) {
    facts.tree_user =
        first_id("SELECT ur.task_id FROM tasks t " + k_other_in_same_tree + " WHERE t.id = $1");
  }
  if (task.hold_reason == HoldReason::setup) {
    facts.setup_failure =
        first_id("SELECT error FROM runs WHERE task_id = $1 ORDER BY attempt DESC LIMIT 1")
            .value_or("");
  }
  if (task.status == Status::triage) {
    facts.planning = planning_of(tx, task.id, now, planning);
  }
  return rules::task_holds(facts, now);
}

std::string worker_profile(const Task& task, const Limits& limits) {
  if (task.lane == Lane::review) {
    return limits.reviewer;
  }
  return task.assignee.empty() ? limits.default_assignee : task.assignee;
}

std::map<std::string, std::int64_t> running_by_profile(db::Reader& tx) {
  std::map<std::string, std::int64_t> running;
  auto row = tx.query(
      "SELECT profile, count(*) FROM runs WHERE gone_at IS NULL AND holder_kind <> 'external' "
      "GROUP BY profile");
  while (row.next()) {
    running[row.text(0)] = row.integer(1);
  }
  return running;
}

// One step of the index for each profile, and then only what ended lately.
std::map<std::string, std::int64_t> ended_by_profile(db::Reader& tx, Instant since) {
  std::map<std::string, std::int64_t> ended;
  auto row = tx.query(
      "WITH RECURSIVE p (name) AS (SELECT min(profile) FROM runs UNION ALL SELECT (SELECT "
      "min(profile) FROM runs WHERE profile > name) FROM p WHERE name IS NOT NULL) SELECT name, "
      "(SELECT count(*) FROM runs WHERE profile = name AND ended_at >= $1 AND holder_kind <> "
      "'external') FROM p WHERE name IS NOT NULL",
      since);
  while (row.next()) {
    ended[row.text(0)] = row.integer(1);
  }
  return ended;
}

}  // namespace hermes::board
