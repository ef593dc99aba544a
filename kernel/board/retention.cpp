#include "kernel/board/retention.hpp"

#include "kernel/board/events.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"

namespace hermes::board {

namespace {

const std::string k_to_be_delivered =
    "EXISTS (SELECT 1 FROM deliveries d WHERE d.event_seq = events.seq AND d.state = 'pending')";

// The first event that stays: the oldest that is young enough or still to be delivered, or the last
// change of state when that comes first. A prefix goes, never one from between, whatever the clock
// did.
const std::string k_old =
    "FROM events WHERE task_id = $1 AND seq < min("
    "COALESCE((SELECT min(seq) FROM events WHERE task_id = $1 AND (at >= $2 OR " +
    k_to_be_delivered +
    ")), 9223372036854775807),"
    "COALESCE((SELECT max(seq) FROM events WHERE task_id = $1 AND " +
    state_after("payload") +
    " IS NOT NULL AND EXISTS (SELECT 1 FROM tasks WHERE id = $1)), 9223372036854775807))"
    " AND NOT EXISTS (SELECT 1 FROM tasks WHERE id = $1 AND status NOT IN ('done', 'archived'))";

const std::string k_old_of_board =
    "FROM events WHERE task_id IS NULL AND at < $1 AND NOT " + k_to_be_delivered;

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

std::int64_t prune_events(db::Writer& tx, const std::string& task_id, Instant before,
                          std::int64_t most) {
  const std::string first = "(SELECT seq " + k_old + " ORDER BY seq LIMIT $3)";
  tx.execute("DELETE FROM deliveries WHERE event_seq IN " + first, task_id, before, most);
  return tx.execute("DELETE FROM events WHERE seq IN " + first, task_id, before, most);
}

std::int64_t count_old_board_events(db::Reader& tx, Instant before) {
  auto row = tx.query("SELECT count(*) " + k_old_of_board, before);
  return row.next() ? row.integer(0) : 0;
}

std::int64_t prune_board_events(db::Writer& tx, Instant before, std::int64_t most) {
  const std::string first = "(SELECT seq " + k_old_of_board + " ORDER BY seq LIMIT $2)";
  tx.execute("DELETE FROM deliveries WHERE event_seq IN " + first, before, most);
  return tx.execute("DELETE FROM events WHERE seq IN " + first, before, most);
}

std::vector<std::int64_t> overdue_deliveries(db::Reader& tx, Instant before, std::int64_t most) {
  std::vector<std::int64_t> ids;
  auto row = tx.query(
      "SELECT d.id FROM deliveries d JOIN events e ON e.seq = d.event_seq WHERE d.state = 'pending'"
      " AND e.at < $1 LIMIT $2",
      before, most);
  while (row.next()) {
    ids.push_back(row.integer(0));
  }
  return ids;
}

std::int64_t count_overdue_deliveries(db::Reader& tx, Instant before) {
  auto row = tx.query(
      "SELECT count(*) FROM deliveries d JOIN events e ON e.seq = d.event_seq"
      " WHERE d.state = 'pending' AND e.at < $1",
      before);
  return row.next() ? row.integer(0) : 0;
}

void give_up_deliveries(db::Writer& tx, const std::vector<std::int64_t>& ids) {
  constexpr std::string_view k_why = "not delivered as long as its event was kept";
  for (const std::int64_t id : ids) {
    tx.execute(
        "UPDATE deliveries SET state = 'dead', last_error = $2 WHERE id = $1 AND state = 'pending'",
        id, k_why);
    tx.execute(
        "UPDATE notify_subs SET last_error = $2 WHERE id = (SELECT sub_id FROM deliveries WHERE id "
        "= $1)",
        id, k_why);
  }
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
