#include "kernel/board/attachments.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

namespace {

const std::string k_columns =
    "SELECT id, task_id, filename, stored_name, content_type, size, added_by, at FROM attachments ";

Attachment read_attachment(const db::Cursor& row) {
  return {row.integer(0),    row.text(1),    row.text(2), row.text(3),
          row.maybe_text(4), row.integer(5), row.text(6), row.instant(7)};
}

std::optional<std::int64_t> run_of(const Change& change) {
  return change.actor.worker ? std::optional(change.actor.worker->run_id) : std::nullopt;
}

}  // namespace

Result<void> check_content_type(const std::string& text) {
  TRY(check_text("the content type", text, k_name_bytes));
  const auto slash = text.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == text.size() || !is_plain(text) ||
      text.starts_with(' ')) {
    return fail(ErrorCode::invalid, fmt::format("'{}' is no content type", printable(text)),
                "for example text/plain");
  }
  return {};
}

Result<Attachment> add_attachment(Change& change, const NewAttachment& added) {
  TRY(task_to_change(change, added.task_id));
  TRY(check_text("the name", added.name, k_name_bytes + 50));
  TRY(check_text("the author", added.added_by, k_name_bytes));
  TRY(check_content_type(added.content_type));
  const std::string author = signed_by(change, std::string(trim(added.added_by)));
  Attachment attachment{0,
                        added.task_id,
                        added.name,
                        added.name,
                        added.content_type,
                        added.size,
                        author.empty() ? change.actor.name : author,
                        change.now};
  change.tx.execute(
      "INSERT INTO attachments (task_id, filename, stored_name, content_type, size, added_by, at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      attachment.task_id, attachment.filename, attachment.stored_name, attachment.content_type,
      attachment.size, attachment.added_by, attachment.at);
  attachment.id = change.tx.last_insert_id();
  append_event(change, added.task_id, run_of(change), EventKind::attached,
               dump({{"filename", added.name}, {"size", added.size}, {"by", attachment.added_by}}));
  return attachment;
}

Result<Attachment> remove_attachment(Change& change, std::int64_t id) {
  std::optional<Attachment> found;
  {
    auto row = change.tx.query(k_columns + "WHERE id = $1", id);
    if (row.next()) {
      found = read_attachment(row);
    }
  }
  if (!found) {
    return fail(ErrorCode::not_found, fmt::format("no such attachment: {}", id),
                "`hermes kanban attachments ID` lists those of a task");
  }
  TRY(task_to_change(change, found->task_id));
  change.tx.execute("DELETE FROM attachments WHERE id = $1", id);
  append_event(change, found->task_id, run_of(change), EventKind::attachment_removed,
               dump({{"filename", found->filename}, {"by", change.actor.name}}));
  return *found;
}

std::vector<Attachment> attachments_of(db::Reader& tx, const std::string& task_id) {
  std::vector<Attachment> attachments;
  auto row = tx.query(k_columns + "WHERE task_id = $1 ORDER BY id", task_id);
  while (row.next()) {
    attachments.push_back(read_attachment(row));
  }
  return attachments;
}

std::vector<Attachment> all_attachments(db::Reader& tx) {
  std::vector<Attachment> attachments;
  auto row = tx.query(k_columns + "ORDER BY id");
  while (row.next()) {
    attachments.push_back(read_attachment(row));
  }
  return attachments;
}

}  // namespace hermes::board
