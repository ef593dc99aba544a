#include "kernel/board/names.hpp"

namespace hermes::board {

namespace {

constexpr std::int64_t k_few = 2000;

// '…' for each status: the words are ours and hold no quotes.
std::string status_list(std::span<const Status> statuses) {
  std::string out;
  for (const Status status : statuses) {
    out += (out.empty() ? "'" : ", '") + std::string(to_word(status)) + "'";
  }
  return out;
}

// Few tasks are sorted; of many the index over the times of change is read until there are enough.
bool are_few(db::Reader& tx, const std::string& statuses) {
  auto row = tx.query("SELECT COALESCE(sum(n), 0) FROM counts WHERE status IN (" + statuses + ")");
  return row.next() && row.integer(0) <= k_few;
}

}  // namespace

std::vector<TaskName> task_names(db::Reader& tx, std::string_view prefix,
                                 std::span<const Status> statuses, std::int64_t most) {
  const std::string list = status_list(statuses);
  const std::string from(prefix);
  const std::string to = from + "\x7f";  // ids are ASCII
  const std::string index = are_few(tx, list) ? "tasks_status" : "tasks_updated";
  std::vector<TaskName> names;
  auto row =
      tx.query("SELECT id, title, status FROM tasks INDEXED BY " + index + " WHERE status IN (" +
                   list + ") AND id >= $1 AND id < $2 ORDER BY updated_at DESC, id LIMIT $3",
               from, to, most);
  while (row.next()) {
    names.push_back({row.text(0), row.text(1), row.word<Status>(2)});
  }
  return names;
}

std::vector<std::string> assignee_names(db::Reader& tx) {
  std::vector<std::string> names;
  auto row = tx.query(
      "SELECT DISTINCT assignee FROM counts WHERE n > 0 AND assignee <> '' AND "
      "status <> 'archived' ORDER BY assignee");
  while (row.next()) {
    names.push_back(row.text(0));
  }
  return names;
}

}  // namespace hermes::board
