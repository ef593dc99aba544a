#include "kernel/board/comments.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

Result<std::int64_t> add_comment(Change& change, const std::string& task_id,
                                 const std::string& author, const std::string& body) {
  const std::string text = mask_secrets(trim(body));
  const std::string name = signed_by(change, std::string(trim(author)));
  if (text.empty()) {
    return fail(ErrorCode::invalid, fmt::format("the comment on {} is blank", task_id),
                "write what you want to say");
  }
  TRY(check_text("the comment", text, k_text_bytes));
  TRY(check_text("the author", name, k_name_bytes));
  TRY(may_add(change));
  TRY(get_task(change.tx, task_id));
  change.tx.execute("INSERT INTO comments (task_id, author, body, at) VALUES ($1, $2, $3, $4)",
                    task_id, name, text, change.now);
  const auto id = change.tx.last_insert_id();
  const auto& worker = change.actor.worker;
  const bool own = worker && worker->task_id == task_id && worker->board == change.board;
  append_event(change, task_id, own ? std::optional(worker->run_id) : std::nullopt,
               EventKind::commented, dump({{"author", name}, {"len", text.size()}}));
  return id;
}

std::vector<Comment> comments_of(db::Reader& tx, const std::string& task_id) {
  std::vector<Comment> comments;
  auto row =
      tx.query("SELECT id, author, body, at FROM comments WHERE task_id = $1 ORDER BY id", task_id);
  while (row.next()) {
    comments.push_back({row.integer(0), row.text(1), row.text(2), row.instant(3)});
  }
  return comments;
}

}  // namespace hermes::board
