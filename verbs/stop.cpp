#include "verbs/stop.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/db/watch.hpp"

namespace hermes::verbs {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Millis k_patience_beyond_grace = std::chrono::seconds{5};

bool all_gone(OpenBoard& open, const std::vector<Stopping>& stopping) {
  return std::ranges::all_of(stopping, [&](const Stopping& item) {
    const auto state = stop_state(open, item);
    return state && state->gone;
  });
}

// The watch stands before the first look, so no commit falls between look and wait.
void wait_for_dispatcher(OpenBoard& open, Call& call, const std::vector<Stopping>& stopping) {
  auto watch = db::GateWatch::on(open.paths.lock());
  if (!watch) {
    return;
  }
  const auto deadline =
      SteadyClock::now() + open.config.limits.stop_grace + k_patience_beyond_grace;
  while (!all_gone(open, stopping)) {
    const auto left = std::chrono::ceil<Millis>(deadline - SteadyClock::now());
    if (left <= Millis{0} || call.host.wait_for(*watch, left) != Host::Woken::changed) {
      return;
    }
    if (watch->take() == db::GateWatch::Seen::lost) {
      watch = db::GateWatch::on(open.paths.lock());
      if (!watch) {
        return;
      }
    }
  }
}

void tell_what_is_left(OpenBoard& open, const std::vector<Stopping>& stopping,
                       const std::string& cause, Answer& answer) {
  for (const Stopping& item : stopping) {
    const auto state = stop_state(open, item);
    if (!state || !state->gone) {
      answer.advice.push_back(
          fmt::format("note: the process of {} (run {}) is told to stop but is not gone yet{}; "
                      "`hermes kanban why {}` says when it is",
                      item.task_id, item.run_id, cause.empty() ? "" : ": " + cause, item.task_id));
    }
  }
}

}  // namespace

std::optional<StopState> stop_state(OpenBoard& open, const Stopping& stopping) {
  auto state = open.database.read([&](db::Reader& tx) -> Result<StopState> {
    TRY_ASSIGN(const Task task, board::get_task(tx, stopping.task_id));
    const auto run = board::find_run(tx, stopping.run_id);
    return StopState{task.status, !run || run->gone_at.has_value(),
                     run ? run->outcome : std::nullopt};
  });
  return state ? std::optional(*state) : std::nullopt;
}

void await_stops(OpenBoard& open, Call& call, const std::vector<Stopping>& stopping,
                 Answer& answer) {
  if (stopping.empty() || open.actor.worker) {
    return;
  }
  std::string cause;
  if (const auto state = call.host.dispatcher_state(open.home); state.alive || state.passing) {
    wait_for_dispatcher(open, call, stopping);
  }
  if (!all_gone(open, stopping) && !call.host.dispatcher_state(open.home).alive) {
    const auto finished = call.host.run_dispatcher({"--finish"}, Host::Handover::wait);
    if (!finished) {
      cause = "no dispatcher is running, and " + finished.error().message;
    } else if (*finished != 0) {
      cause = fmt::format(
          "no dispatcher is running, and `hermes-dispatcher --finish` ended with status {}",
          *finished);
    }
  }
  tell_what_is_left(open, stopping, cause, answer);
}

}  // namespace hermes::verbs
