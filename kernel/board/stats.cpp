#include "kernel/board/stats.hpp"

namespace hermes::board {

Stats stats(db::Reader& tx) {
  Stats found;
  auto row =
      tx.query("SELECT status, assignee, sum(n) FROM counts WHERE n > 0 GROUP BY status, assignee");
  while (row.next()) {
    const auto status = row.word<Status>(0);
    if (status == Status::archived) {
      found.archived += row.integer(2);
      continue;
    }
    found.by_status[status] += row.integer(2);
    found.by_assignee[row.text(1)][status] += row.integer(2);
  }
  auto oldest = tx.query(
      "SELECT ready_since FROM tasks WHERE status = 'ready' AND ready_since IS NOT NULL ORDER BY "
      "ready_since LIMIT 1");
  if (oldest.next()) {
    found.oldest_ready_since = oldest.maybe_instant(0);
  }
  return found;
}

}  // namespace hermes::board
