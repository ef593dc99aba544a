#include "kernel/board/trees.hpp"

#include <fmt/core.h>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

namespace {

// The first other task with a run that is not gone in a directory for which `meets` is true.
template <class Meets>
std::optional<std::string> task_working_where(db::Reader& tx, const std::string& but_task,
                                              Meets meets) {
  auto row = tx.query(
      "SELECT task_id, workspace_path FROM runs WHERE gone_at IS NULL AND workspace_path IS NOT "
      "NULL AND task_id <> $1 ORDER BY id",
      but_task);
  while (row.next()) {
    if (meets(row.text(1))) {
      return row.text(0);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> tree_user(db::Reader& tx, const std::string& tree,
                                     const std::string& but_task) {
  return task_working_where(tx, but_task,
                            [&](const std::string& path) { return lies_in(path, tree); });
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
  const auto user = task_working_where(tx, task_id, [&](const std::string& path) {
    return really_lies_in(path, tree) || really_lies_in(tree, path);
  });
  if (user) {
    return fmt::format("{} works there", *user);
  }
  auto other = tx.query(
      "SELECT id, workspace_path FROM tasks WHERE workspace_path IS NOT NULL AND id <> $1 AND "
      "status NOT IN ('done', 'archived') ORDER BY id",
      task_id);
  while (other.next()) {
    if (really_lies_in(other.text(1), tree)) {
      return fmt::format("{} names it as its workspace", other.text(0));
    }
  }
  return std::nullopt;
}

}  // namespace hermes::board
