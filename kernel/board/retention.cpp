#include "kernel/board/retention.hpp"

#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"

namespace hermes::board {

namespace {

// The first event that stays: the oldest that is young enough, or the last change of state when
// that comes first. A prefix goes, never one from between, whatever the clock did.
const std::string k_old =
    "FROM events WHERE task_id = $1 AND seq < min("
    "COALESCE((SELECT min(seq) FROM events WHERE task_id = $1 AND at >= $2), 9223372036854775807),"
    "COALESCE((SELECT max(seq) FROM events WHERE task_id = $1 AND payload LIKE '%\"to\":%'"
    " AND EXISTS (SELECT 1 FROM tasks WHERE id = $1)), 9223372036854775807))"
    " AND NOT EXISTS (SELECT 1 FROM tasks WHERE id = $1 AND status NOT IN ('done', 'archived'))";

}  // namespace

Remains remains_of(db::Reader& tx, const std::string& task_id) {
  Remains remains;
  {
    auto row = tx.query("SELECT status, updated_at FROM tasks WHERE id = $1", task_id);
    if (row.next()) {
      remains.status = row.word<Status>(0);
      remains.updated_at = row.instant(1);
    }
  }
  remains.process =
      tx.query("SELECT 1 FROM runs WHERE task_id = $1 AND gone_at IS NULL", task_id).next();
  remains.waited_for =
      tx.query(
            "SELECT 1 FROM links l JOIN tasks c ON c.id = l.child_id WHERE l.parent_id = $1"
            " AND c.status NOT IN ('done', 'archived')",
            task_id)
          .next();
  return remains;
}

std::vector<std::string> tasks_at_rest(db::Reader& tx, const std::string& after,
                                       std::int64_t most) {
  std::vector<std::string> ids;
  auto row = tx.query(
      "SELECT DISTINCT e.task_id FROM events e LEFT JOIN tasks t ON t.id = e.task_id"
      " WHERE e.task_id > $1 AND (t.id IS NULL OR t.status IN ('done', 'archived'))"
      " ORDER BY e.task_id LIMIT $2",
      after, most);
  while (row.next()) {
    ids.push_back(row.text(0));
  }
  return ids;
}

std::int64_t count_old_events(db::Reader& tx, const std::string& task_id, Instant before) {
  auto row = tx.query("SELECT count(*) " + k_old, task_id, before);
  return row.next() ? row.integer(0) : 0;
}

std::int64_t prune_events(db::Writer& tx, const std::string& task_id, Instant before) {
  return tx.execute("DELETE " + k_old, task_id, before);
}

std::vector<Run> runs_not_gone(db::Reader& tx) {
  std::vector<Run> runs;
  auto row = tx.query("SELECT " + k_run_columns +
                      " FROM runs r WHERE r.gone_at IS NULL AND r.holder_kind <> 'external'"
                      " ORDER BY r.id");
  while (row.next()) {
    runs.push_back(read_run(row));
  }
  return runs;
}

std::int64_t abort_runs(Change& change, const std::string& why) {
  std::vector<std::int64_t> ids;
  {
    auto row = change.tx.query("SELECT id FROM runs WHERE gone_at IS NULL ORDER BY id");
    while (row.next()) {
      ids.push_back(row.integer(0));
    }
  }
  for (const std::int64_t id : ids) {
    finish_run(change, id, {.kind = ExitKind::host_restarted, .detail = why}, VerdictMode::by_call);
  }
  change.tx.execute("UPDATE leases SET holder = '' WHERE resource = 'dispatcher'");
  return static_cast<std::int64_t>(ids.size());
}

}  // namespace hermes::board
