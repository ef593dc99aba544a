#include "kernel/board/invariants.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/json.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

namespace hermes::board {

namespace {

// A rule and the query that finds its violations: first column the row, second (optional) what is
// wrong with it.
struct Rule {
  std::string_view text;
  std::string_view violations;
};

constexpr Rule k_rules[] = {
    {"1: current_run_id is set exactly when running, and that run is open",
     "SELECT t.id FROM tasks t LEFT JOIN runs r ON r.id = t.current_run_id WHERE (t.status = "
     "'running') <>"
     " (t.current_run_id IS NOT NULL) OR (t.current_run_id IS NOT NULL AND (r.id IS NULL OR "
     "r.ended_at IS NOT NULL"
     " OR r.task_id <> t.id))"},
    {"1: no other run of a task is open",
     "SELECT r.task_id FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.ended_at IS NULL"
     " AND (t.current_run_id IS NULL OR t.current_run_id <> r.id)"},
    {"2: an open run has its lease",
     "SELECT r.task_id FROM runs r LEFT JOIN leases l ON l.resource = 'task:' || r.task_id AND "
     "l.epoch = r.id"
     " WHERE r.ended_at IS NULL AND l.resource IS NULL"},
    {"2: a lease of a task belongs to an open run",
     "SELECT l.resource FROM leases l LEFT JOIN runs r ON r.id = l.epoch WHERE l.resource LIKE "
     "'task:%'"
     " AND (r.id IS NULL OR r.ended_at IS NOT NULL OR l.resource <> 'task:' || r.task_id)"},
    {"3: at most one run of a task has a process",
     "SELECT task_id FROM runs WHERE gone_at IS NULL GROUP BY task_id HAVING count(*) > 1"},
    {"4: a closed run has an outcome and ends after it started",
     "SELECT id FROM runs WHERE (ended_at IS NULL) <> (outcome IS NULL) OR ended_at < started_at "
     "OR gone_at < started_at"},
    {"5: an event's run belongs to its task",
     "SELECT e.seq FROM events e JOIN runs r ON r.id = e.run_id WHERE e.task_id IS NOT NULL AND "
     "r.task_id <> e.task_id"},
    {"6: no startable or running task has an open link it was started with",
     "SELECT t.id FROM tasks t WHERE t.status IN ('ready', 'review') AND EXISTS"
     " (SELECT 1 FROM links l WHERE l.child_id = t.id AND l.satisfied_at IS NULL)"},
    {"6: no running task was started with an open link",
     "SELECT t.id FROM tasks t JOIN links l ON l.child_id = t.id AND l.satisfied_at IS NULL WHERE "
     "t.status = 'running' AND NOT EXISTS (SELECT 1 FROM events e WHERE e.task_id = t.id AND "
     "e.kind "
     "= 'linked' AND json_extract(e.payload, '$.parent') = l.parent_id AND e.seq > (SELECT "
     "max(c.seq) FROM events c WHERE c.task_id = t.id AND c.kind = 'claimed'))"},
    {"6: no todo task is without an open link",
     "SELECT t.id FROM tasks t WHERE t.status = 'todo' AND NOT EXISTS"
     " (SELECT 1 FROM links l WHERE l.child_id = t.id AND l.satisfied_at IS NULL)"},
    {"6: a satisfied condition is latched",
     "SELECT l.child_id FROM links l JOIN tasks p ON p.id = l.parent_id WHERE l.satisfied_at IS "
     "NULL"
     " AND (p.status = 'done' OR (l.condition = 'ended' AND (p.status = 'archived'"
     " OR (p.status = 'blocked' AND p.block_source = 'breaker'))))"},
    {"10: counts equals the tasks it counts",
     "SELECT a.status || '/' || a.assignee || '/' || a.tenant FROM (SELECT status, assignee, "
     "tenant, count(*) AS n"
     " FROM tasks GROUP BY status, assignee, tenant) a LEFT JOIN counts c ON c.status = a.status"
     " AND c.assignee = a.assignee AND c.tenant = a.tenant WHERE c.n IS NULL OR c.n <> a.n"},
    {"10: counts counts nothing that is not there",
     "SELECT c.status || '/' || c.assignee || '/' || c.tenant FROM counts c WHERE c.n <> (SELECT "
     "count(*) FROM tasks t"
     " WHERE t.status = c.status AND t.assignee = c.assignee AND t.tenant = c.tenant)"},
};

constexpr int k_most_named = 5;

// 7: the counted failure that is newest among the kept events says which limit applied.
void check_breaker(db::Reader& tx, std::vector<std::string>& out) {
  auto row = tx.query(
      "SELECT t.id, t.failures, (SELECT e.payload FROM events e WHERE e.task_id = t.id AND e.kind "
      "IN ('failed',"
      " 'crashed', 'timed_out', 'stale', 'spawn_failed') ORDER BY e.seq DESC LIMIT 1) FROM tasks t"
      " WHERE t.status IN ('ready', 'review', 'running') AND t.failures > 0");
  while (row.next()) {
    const auto payload = parse_json<nlohmann::json>(row.maybe_text(2).value_or("{}"));
    if (payload.is_object() && payload.contains("limit") &&
        row.integer(1) >= payload["limit"].get<std::int64_t>()) {
      out.push_back(fmt::format("invariant 7: {} has {} failures, at or above its limit",
                                row.text(0), row.integer(1)));
    }
  }
}

// 8: the kept state events of a task lead from one to the next, and the last one says where it is.
void check_replay(db::Reader& tx, std::vector<std::string>& out) {
  auto row =
      tx.query(fmt::format("SELECT t.id, t.status, json_extract(e.payload, '$.from'), {0}"
                           " FROM tasks t JOIN events e ON e.task_id = t.id WHERE {0} IS NOT NULL"
                           " ORDER BY t.id, e.seq",
                           state_after("e.payload")));
  std::string id;
  std::string status;
  std::string at;
  const auto check_last = [&] {
    if (!id.empty() && at != status) {
      out.push_back(fmt::format("invariant 8: {} is {}, its events lead to {}", id, status, at));
    }
  };
  while (row.next()) {
    if (row.text(0) != id) {
      check_last();
      id = row.text(0);
      status = row.text(1);
      at.clear();
    }
    if (const std::string from = row.maybe_text(2).value_or(at); !at.empty() && from != at) {
      out.push_back(fmt::format(
          "invariant 8: an event of {} leaves {}, but the one before led to {}", id, from, at));
    }
    at = row.text(3);
  }
  check_last();
}

}  // namespace

std::vector<std::string> check_invariants(db::Reader& tx) {
  std::vector<std::string> out;
  for (const Rule& rule : k_rules) {
    auto row = tx.query(rule.violations);
    int named = 0;
    while (row.next() && named++ < k_most_named) {
      out.push_back(fmt::format("invariant {}: violated by {}", rule.text, row.text(0)));
    }
  }
  check_breaker(tx, out);
  check_replay(tx, out);
  return out;
}

}  // namespace hermes::board
