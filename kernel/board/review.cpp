#include "kernel/board/review.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/notify.hpp"
#include "kernel/board/rows.hpp"

namespace hermes::board {

namespace {

nlohmann::json facts(const Change& change, const std::optional<std::string>& reason) {
  return {{"by", change.actor.name}, {"reason", or_null(text_to_store(reason))}};
}

}  // namespace

Result<Moved> request_review(Change& change, const std::string& id,
                             const std::optional<std::string>& reason) {
  TRY(check_text("the reason", reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::request_review));
  if (task.lane == Lane::review) {
    return fail(ErrorCode::conflict,
                fmt::format("cannot request-review {}: it is running in lane review", id),
                fmt::format("`hermes kanban complete {0}` approves it, `hermes kanban "
                            "request-changes {0}` sends it back",
                            id));
  }
  TRY_ASSIGN(Moved moved,
             close_open_run(change, task, rules::Move::request_review, StopKind::force,
                            {.outcome = Outcome::review, .summary = text_to_store(reason)}));
  task.lane = Lane::review;
  reset_breaker(task);
  requeue_task(change, task, EventKind::review_requested, facts(change, reason), moved.run->id);
  TRY(add_note(change, id, "REVIEW REQUESTED", reason));
  moved.task = std::move(task);
  return moved;
}

Result<Moved> request_changes(Change& change, const std::string& id,
                              const std::optional<std::string>& reason) {
  TRY(check_text("the reason", reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::request_changes));
  const bool running = task.status == Status::running;
  if (task.lane != Lane::review) {
    return fail(ErrorCode::conflict,
                fmt::format("cannot request-changes {}: it is running in lane work", id),
                "there is nothing to review before its worker calls request-review; comment on it, "
                "or block it");
  }
  Moved moved;
  std::optional<std::int64_t> run_id;
  if (running) {
    TRY_ASSIGN(moved,
               close_open_run(change, task, rules::Move::request_changes, StopKind::force,
                              {.outcome = Outcome::review, .summary = text_to_store(reason)}));
    run_id = moved.run->id;
  }
  task.lane = Lane::work;
  reset_breaker(task);
  requeue_task(change, task, EventKind::changes_requested, facts(change, reason), run_id);
  TRY(add_note(change, id, "CHANGES REQUESTED", reason));
  moved.task = std::move(task);
  return moved;
}

Result<Reopened> reopen_review(Change& change, const std::string& id,
                               const std::optional<std::string>& reason) {
  TRY(check_text("the reason", reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::reopen_review));
  TRY(person_only(change, "reopen-review", id));
  Reopened done;
  done.waiting_again = reopen_links(change, id);
  resume_subscriptions(change, id);
  task.lane = Lane::review;
  task.completed_at.reset();
  nlohmann::json payload = facts(change, reason);
  payload["waiting_again"] = done.waiting_again;
  requeue_task(change, task, EventKind::review_reopened, payload, std::nullopt);
  TRY(add_note(change, id, "REVIEW REOPENED", reason));
  done.moved.task = std::move(task);
  return done;
}

}  // namespace hermes::board
