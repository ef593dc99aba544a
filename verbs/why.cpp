#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/duration.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/runs.hpp"
#include "verbs/handlers.hpp"
#include "verbs/holds.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

// Who works on it, since when, and whether somebody watches.
std::string running_text(OpenBoard& open, Call& call, const TaskHolds& seen) {
  const Instant now = call.environment.now;
  std::optional<Run> run;
  Instant ends = now;
  (void)open.database.read([&](db::Reader& tx) -> Result<void> {
    run = board::find_run(tx, seen.task.current_run_id.value_or(0));
    ends = run ? board::claim_ends(tx, *run, now) : now;
    return {};
  });
  if (!run) {
    return "it is running";
  }
  const bool external = run->holder_kind == HolderKind::external;
  std::string text =
      fmt::format("it is running: attempt {} (run {}) by '{}'{} for {}", run->attempt, run->id,
                  run->profile, external ? ", claimed by hand," : "",
                  format_duration(std::max(now - run->started_at, Millis{0})));
  if (run->worker_pid) {
    text += fmt::format(", PID {}", *run->worker_pid);
  }
  if (run->heartbeat_at) {
    text += fmt::format(", last heartbeat {}{}{}", format_age(*run->heartbeat_at, now),
                        run->heartbeat_note ? ": " : "", run->heartbeat_note.value_or(""));
  }
  if (external) {
    text += ends > now ? fmt::format("; its claim ends in {} unless a heartbeat renews it",
                                     format_duration(ends - now))
                       : "; the term of its claim is over, so the next `claim` takes it over";
  }
  if (run->stop_kind) {
    text += fmt::format("; it is being stopped ({} by {})", to_word(*run->stop_kind),
                        run->stop_by.value_or("somebody"));
  }
  if (!external && !call.host.dispatcher_state(open.home).alive) {
    text += "; no dispatcher is running, so its end is recorded when one starts";
  }
  return text;
}

}  // namespace

Result<Answer> why(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_with_config(call));
  TRY_ASSIGN(TaskHolds seen, task_holds(open, call, call.values.text_or("task_id", "")));
  const Status status = seen.task.status;
  if (status != Status::running && status != Status::done && status != Status::archived) {
    add_dispatcher_holds(open, call, look_at_fleet(open, call), seen);
  }
  if (status == Status::running && !seen.holds.empty()) {
    seen.holds.front().text = running_text(open, call, seen);
  }
  Answer answer;
  answer.value = {
      {"task_id", seen.task.id}, {"status", to_word(status)}, {"holds", holds_json(seen.holds)}};
  return answer;
}

}  // namespace hermes::verbs
