#include "kernel/board/assign.hpp"

#include "kernel/board/tasks.hpp"
#include "verbs/bulk.hpp"
#include "verbs/handlers.hpp"
#include "verbs/names.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

Result<ItemDone> assign_one(OpenBoard& open, Call& call, const std::string& given,
                            const board::Assignment& assignment) {
  return change(open, call, [&](board::Change& tx) -> Result<ItemDone> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx.tx, given));
    TRY_ASSIGN(const board::Moved moved, board::assign(tx, id, assignment));
    ItemDone done{{{"task_id", id},
                   {"ok", true},
                   {"assignee", or_null(moved.task.assignee)},
                   {"status", to_word(moved.task.status)},
                   {"reclaimed", moved.run.has_value()},
                   {"stopping", moved.stopping},
                   {"error", nullptr}},
                  std::nullopt};
    if (moved.stopping) {
      done.stopping = Stopping{id, moved.run->id};
    }
    return done;
  });
}

Result<Answer> assign_to(Call& call, const board::Assignment& assignment) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(Answer answer, bulk(
                                call, open, call.values.list("task_id"),
                                [&](const std::string& given) {
                                  return assign_one(open, call, given, assignment);
                                },
                                refused_item));
  tell_unknown_assignee(open, assignment.assignee, answer);
  return answer;
}

}  // namespace

Result<Answer> assign(Call& call) {
  return assign_to(call, {.assignee = assignee_name(call.values.text_or("assignee", ""))});
}

Result<Answer> reassign(Call& call) {
  return assign_to(call, {.assignee = assignee_name(call.values.text_or("assignee", "")),
                          .reclaim = call.values.flag("reclaim"),
                          .reason = call.values.text("reason")});
}

}  // namespace hermes::verbs
