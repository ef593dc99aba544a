#include "kernel/board/links.hpp"

#include "kernel/board/tasks.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

namespace {

struct Ends {
  std::string parent;
  std::string child;
};

Result<Ends> ends_of(db::Reader& tx, const Values& values) {
  auto parent = board::resolve_id(tx, values.text_or("parent_id", ""));
  auto child = board::resolve_id(tx, values.text_or("child_id", ""));
  if (!parent && !child && parent.error() != child.error()) {
    Error both = parent.error();
    both.message += "; " + child.error().message;
    return std::unexpected(std::move(both));
  }
  TRY(parent);
  TRY(child);
  return Ends{*std::move(parent), *std::move(child)};
}

}  // namespace

Result<Answer> link(Call& call) {
  const std::string condition = call.values.text_or("condition", "done");
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  Answer answer;
  TRY_ASSIGN(answer.value, change(open, call, [&](board::Change& tx) -> Result<Json> {
               TRY_ASSIGN(const Ends ends, ends_of(tx.tx, call.values));
               TRY_ASSIGN(const bool added, board::link(tx, ends.parent, ends.child,
                                                        *from_word<LinkCondition>(condition)));
               return Json{{"parent_id", ends.parent},
                           {"child_id", ends.child},
                           {"condition", condition},
                           {"existing", !added}};
             }));
  return answer;
}

Result<Answer> unlink(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  Answer answer;
  TRY_ASSIGN(answer.value, change(open, call, [&](board::Change& tx) -> Result<Json> {
               TRY_ASSIGN(const Ends ends, ends_of(tx.tx, call.values));
               TRY(board::unlink(tx, ends.parent, ends.child));
               TRY_ASSIGN(const Task child, board::get_task(tx.tx, ends.child));
               return Json{{"parent_id", ends.parent},
                           {"child_id", ends.child},
                           {"child_status", to_word(child.status)}};
             }));
  return answer;
}

}  // namespace hermes::verbs
