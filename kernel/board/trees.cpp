#include "kernel/board/trees.hpp"

#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

std::optional<std::string> tree_user(db::Reader& tx, const std::string& tree,
                                     const std::string& but_task) {
  auto row = tx.query(
      "SELECT task_id FROM runs WHERE gone_at IS NULL AND workspace_path = $1 AND task_id <> $2 "
      "LIMIT 1",
      tree, but_task);
  return row.next() ? std::optional(row.text(0)) : std::nullopt;
}

Error tree_in_use(const std::string& tree, const std::string& task_id) {
  return {
      ErrorCode::invalid,
      fmt::format("{} works in the working tree {} now", task_id, printable(tree)),
      "two tasks cannot work in one tree at one time: link them, so that one follows the other"};
}

std::optional<std::string> tree_need(db::Reader& tx, const std::string& task_id,
                                     const std::string& tree) {
  const auto task = find_task(tx, task_id);
  if (task && task->status != Status::archived) {
    return fmt::format("{} is {}, not archived", task_id, to_word(task->status));
  }
  auto own = tx.query("SELECT 1 FROM runs WHERE task_id = $1 AND gone_at IS NULL", task_id);
  if (own.next()) {
    return "a process of it may still live";
  }
  if (const auto user = tree_user(tx, tree, task_id)) {
    return fmt::format("{} works there", *user);
  }
  auto other = tx.query(
      "SELECT id FROM tasks WHERE workspace_path = $1 AND id <> $2 AND status NOT IN ('done', "
      "'archived') LIMIT 1",
      tree, task_id);
  return other.next() ? std::optional(fmt::format("{} names it as its workspace", other.text(0)))
                      : std::nullopt;
}

}  // namespace hermes::board
