#include "kernel/board/schedule.hpp"

#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/rows.hpp"

namespace hermes::board {

Result<Moved> schedule(Change& change, const std::string& id, std::optional<Instant> wake_at,
                       const std::optional<std::string>& reason) {
  TRY(check_text("the reason", reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::schedule));
  const auto why = text_to_store(reason);
  const Closing closing{.outcome = Outcome::scheduled, .summary = why};
  Moved moved;
  std::optional<std::int64_t> run_id;
  if (task.status == Status::running) {
    TRY_ASSIGN(moved,
               close_open_run(change, task, rules::Move::schedule, StopKind::schedule, closing));
    run_id = moved.run->id;
  } else if (why) {
    run_id = record_zero_run(change, task, closing);
  }
  if (is_worker(change)) {
    task.violations = 0;
  } else {
    reset_breaker(task);
  }
  task.wake_at = wake_at;
  move_task(change, task, Status::scheduled, EventKind::scheduled,
            {{"reason", or_null(why)},
             {"by", change.actor.name},
             {"wake_at", wake_at ? nlohmann::json(wake_at->seconds()) : nlohmann::json()},
             {"wake_at_ms", wake_at ? nlohmann::json(wake_at->ms) : nlohmann::json()}},
            run_id);
  TRY(add_note(change, id, "SCHEDULED", reason));
  moved.task = std::move(task);
  return moved;
}

}  // namespace hermes::board
