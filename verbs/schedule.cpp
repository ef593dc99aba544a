#include "kernel/board/schedule.hpp"

#include "verbs/goal.hpp"
#include "verbs/handlers.hpp"
#include "verbs/moving.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

Result<Answer> schedule(Call& call) {
  TRY_ASSIGN(const std::optional<Instant> wake_at, wake_time(call));
  const auto reason = not_blank(call.values.joined("reason"));
  TRY(pass_judge(call, ids_of(call), "schedule", reason.value_or("")));
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(Answer answer,
             bulk(
                 call, open, ids_of(call),
                 [&](const std::string& given) {
                   return move_one(
                       open, call, given,
                       [&](board::Change& tx, const std::string& id) -> Result<ItemDone> {
                         TRY_ASSIGN(const board::Moved moved,
                                    board::schedule(tx, id, wake_at, reason));
                         ItemDone done = item_of(moved);
                         done.report["reason"] = or_null(reason);
                         done.report["wake_at"] = seconds_or_null(wake_at);
                         done.report["wake_at_ms"] = ms_or_null(wake_at);
                         return done;
                       });
                 },
                 refused_item));
  if (answer.exit_status == 0) {
    tell_past_wake_time(call, wake_at, answer);
  }
  return answer;
}

}  // namespace hermes::verbs
