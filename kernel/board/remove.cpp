#include "kernel/board/remove.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/rows.hpp"

namespace hermes::board {

namespace {

constexpr std::size_t k_most_named = 10;

Result<void> check_nobody_waits(db::Reader& tx, const std::string& id) {
  std::vector<std::string> waiting;
  auto row = tx.query(
      "SELECT l.child_id, c.status FROM links l JOIN tasks c ON c.id = l.child_id"
      " WHERE l.parent_id = $1 AND l.satisfied_at IS NULL AND c.status NOT IN ('done', 'archived')"
      " ORDER BY l.child_id",
      id);
  while (row.next()) {
    waiting.push_back(fmt::format("{} ({})", row.text(0), row.text(1)));
  }
  if (waiting.empty()) {
    return {};
  }
  const std::size_t more = waiting.size() > k_most_named ? waiting.size() - k_most_named : 0;
  waiting.resize(waiting.size() - more);
  return fail(ErrorCode::conflict,
              fmt::format("cannot delete {}: {}{} still waits for it", id, join(waiting, ", "),
                          more > 0 ? fmt::format(" and {} more", more) : ""),
              fmt::format("`hermes kanban unlink {} CHILD` first, or archive the child", id));
}

Result<void> check_nothing_runs(db::Reader& tx, const std::string& id) {
  auto row = tx.query("SELECT id FROM runs WHERE task_id = $1 AND gone_at IS NULL", id);
  if (!row.next()) {
    return {};
  }
  return fail(ErrorCode::conflict,
              fmt::format("cannot delete {}: the process of its run {} has not gone yet", id,
                          row.integer(0)),
              fmt::format("`hermes kanban runs {}` shows when it has", id));
}

}  // namespace

Result<Task> remove_task(Change& change, const std::string& id) {
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::remove));
  TRY(person_only(change, "delete", id));
  TRY(check_nobody_waits(change.tx, id));
  TRY(check_nothing_runs(change.tx, id));
  change.tx.execute(
      "DELETE FROM deliveries WHERE event_seq IN (SELECT seq FROM events WHERE task_id = $1)", id);
  change.tx.execute("DELETE FROM events WHERE task_id = $1", id);
  change.tx.execute("DELETE FROM tasks WHERE id = $1", id);
  append_event(change, "", std::nullopt, EventKind::deleted,
               dump({{"task_id", id}, {"by", change.actor.name}}));
  return task;
}

}  // namespace hermes::board
