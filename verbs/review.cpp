#include "kernel/board/review.hpp"

#include "verbs/goal.hpp"
#include "verbs/handlers.hpp"
#include "verbs/moving.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

using Reason = std::optional<std::string>;

// `move` takes (board::Change&, id, reason) and answers the report of one task.
template <class Move>
Result<Answer> review_each(Call& call, Move move) {
  const Reason reason = not_blank(call.values.joined("reason"));
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  return bulk(
      call, open, ids_of(call),
      [&](const std::string& given) {
        return move_one(open, call, given,
                        [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
                          TRY_ASSIGN(ItemDone done, move(tx, id, reason));
                          done.report["reason"] = or_null(reason);
                          return done;
                        });
      },
      refused_item);
}

}  // namespace

Result<Answer> request_review(Call& call) {
  TRY(pass_judge(call, ids_of(call), "request-review", call.values.joined("reason")));
  return review_each(
      call, [](board::Change& tx, const std::string& id, const Reason& reason) -> Result<ItemDone> {
        TRY_ASSIGN(const board::Moved moved, board::request_review(tx, id, reason));
        ItemDone done = item_of(moved);
        done.report["reviewer"] = or_null(tx.limits.reviewer);
        return done;
      });
}

Result<Answer> request_changes(Call& call) {
  return review_each(
      call, [](board::Change& tx, const std::string& id, const Reason& reason) -> Result<ItemDone> {
        TRY_ASSIGN(const board::Moved moved, board::request_changes(tx, id, reason));
        return item_of(moved);
      });
}

Result<Answer> reopen_review(Call& call) {
  return review_each(
      call, [](board::Change& tx, const std::string& id, const Reason& reason) -> Result<ItemDone> {
        TRY_ASSIGN(const board::Reopened reopened, board::reopen_review(tx, id, reason));
        ItemDone done = item_of(reopened.moved);
        done.report["waiting_again"] = reopened.waiting_again;
        return done;
      });
}

}  // namespace hermes::verbs
