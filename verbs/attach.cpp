#include <fmt/core.h>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/attachments.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

Result<home::StoredFile> store(Call& call, const OpenBoard& open, const std::string& task_id) {
  const std::string given = call.values.text_or("path", "");
  const std::string name =
      home::attachment_name(call.values.text_or("name", given == "-" ? "" : given));
  if (given == "-") {
    TRY_ASSIGN(const std::string text, call.host.read_input(home::k_attachment_bytes));
    return home::store_attachment(open.paths, task_id, name, text);
  }
  TRY_ASSIGN(const Fd file, open_regular(expand_tilde(given, call.environment.variable("HOME"))));
  return home::store_attachment(open.paths, task_id, name, file.get());
}

}  // namespace

// The file is there before its row, and goes again only when the row surely was not committed.
Result<Answer> attach(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(const std::string id, open.database.read([&](db::Reader& tx) -> Result<std::string> {
    TRY_ASSIGN(std::string found, board::resolve_id(tx, call.values.text_or("task_id", "")));
    TRY(board::task_to_change(tx, open.actor, open.paths.slug, found));
    return found;
  }));
  TRY_ASSIGN(home::StoredFile stored, store(call, open, id));
  const board::NewAttachment added{
      id, stored.name, call.values.text_or("content-type", home::content_type_of(stored.name)),
      stored.size, call.values.text_or("author", call.environment.author())};
  const auto attachment =
      change(open, call, [&](board::Change& tx) { return board::add_attachment(tx, added); });
  home::keep_unless_undone({&stored, 1}, attachment);
  TRY(attachment);
  Answer answer;
  answer.value = attachment_json(*attachment, open.paths);
  tell_config_error(open, answer);
  return answer;
}

Result<Answer> attachments(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  Answer answer;
  TRY_ASSIGN(answer.value, open.database.read([&](db::Reader& tx) -> Result<Json> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx, call.values.text_or("task_id", "")));
    answer.people = {{"task_id", id}};
    return attachments_json(board::attachments_of(tx, id), open.paths);
  }));
  return answer;
}

Result<Answer> attach_rm(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(const Attachment removed, change(open, call, [&](board::Change& tx) {
               return board::remove_attachment(tx,
                                               call.values.integer("attachment_id").value_or(0));
             }));
  const bool file = home::remove_attachment(open.paths, removed.task_id, removed.stored_name);
  Answer answer;
  answer.value = attachment_json(removed, open.paths);
  answer.value["missing"] = !file;
  tell_config_error(open, answer);
  return answer;
}

}  // namespace hermes::verbs
