#include "kernel/board/edit.hpp"

#include "verbs/handlers.hpp"
#include "verbs/moving.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

// `make` takes (board::Change&, id) and answers board::Edited.
template <class Make>
Result<Answer> edit_one(Call& call, Make make) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(const board::Edited edited,
             change(open, call, [&](board::Change& tx) -> Result<board::Edited> {
               TRY_ASSIGN(const std::string id,
                          board::resolve_id(tx.tx, call.values.text_or("task_id", "")));
               return make(tx, id);
             }));
  Answer answer;
  answer.value = {{"task_id", edited.task.id},
                  {"ok", true},
                  {"changed", edited.fields},
                  {"task", task_json(edited.task)}};
  tell_config_error(open, answer);
  return answer;
}

}  // namespace

Result<Answer> edit(Call& call) {
  board::Edit edit;
  TRY_ASSIGN(edit.body, body_of(call));
  edit.title = call.values.text("title");
  edit.priority = call.values.integer("priority");
  edit.result = call.values.text("result");
  edit.summary = call.values.text("summary");
  edit.metadata = call.values.json_object("metadata");
  if (!edit.title && !edit.body && !edit.priority && !edit.result && !edit.summary &&
      !edit.metadata) {
    return fail(ErrorCode::usage, "edit is told nothing to change",
                "give --title, --body, --body-file or --priority; of a done task also --result, "
                "--summary or --metadata");
  }
  Task stored;
  TRY_ASSIGN(Answer answer, edit_one(call, [&](board::Change& tx, const std::string& id) {
               auto edited = board::edit(tx, id, edit);
               stored = edited ? edited->task : stored;
               return edited;
             }));
  tell_masked_body(edit.body, stored, answer);
  return answer;
}

Result<Answer> set_model(Call& call) {
  const board::WorkerModel wanted{call.values.text_or("model", ""),
                                  call.values.text_or("provider", "")};
  return edit_one(call, [&](board::Change& tx, const std::string& id) {
    return board::set_model(tx, id, wanted);
  });
}

}  // namespace hermes::verbs
