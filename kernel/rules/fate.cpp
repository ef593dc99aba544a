#include "kernel/rules/fate.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

namespace hermes::rules {

namespace {

constexpr int k_exit_temporary_failure = 75;  // EX_TEMPFAIL, sysexits.h
constexpr std::int64_t k_rate_limit_patience = 20;
constexpr Millis k_longest_rate_limit_hold = std::chrono::hours{1};

Fate fate_of_exit_code(int code, VerdictMode mode) {
  if (code == k_exit_temporary_failure) {
    return {.outcome = Outcome::rate_limited};
  }
  if (mode == VerdictMode::by_exit_code) {
    return code == 0 ? Fate{.outcome = Outcome::completed, .completes = true}
                     : Fate{.outcome = Outcome::failed, .counted = true};
  }
  return code == 0 ? Fate{.outcome = Outcome::protocol_violation, .violation = true}
                   : Fate{.outcome = Outcome::crashed, .counted = true};
}

}  // namespace

Fate fate_of(const ExitFacts& exit, VerdictMode mode, std::optional<StopKind> stop) {
  if (stop == StopKind::stale) {
    return {.outcome = Outcome::stale, .counted = true};
  }
  if (stop) {
    return {.outcome = Outcome::reclaimed};
  }
  switch (exit.kind) {
    case ExitKind::exited:
      return fate_of_exit_code(exit.code, mode);
    case ExitKind::exec_failed:
    case ExitKind::workspace_failed:
      return {.outcome = Outcome::spawn_failed, .counted = true};
    case ExitKind::timed_out:
      return {.outcome = Outcome::timed_out, .counted = true};
    case ExitKind::setup_failed:
    case ExitKind::never_started:
    case ExitKind::host_restarted:
      return {.outcome = Outcome::aborted, .hold = exit.hold};
    case ExitKind::signaled:
    case ExitKind::shim_lost:
      break;
  }
  return {.outcome = Outcome::crashed, .counted = true};
}

std::string describe_exit(const ExitFacts& exit) {
  std::string text;
  switch (exit.kind) {
    case ExitKind::exited:
      text = fmt::format("exit code {}", exit.code);
      break;
    case ExitKind::signaled:
      text = fmt::format("killed by signal {} ({})", exit.code, strsignal(exit.code));
      break;
    case ExitKind::exec_failed:
      text = exit.detail.empty()
                 ? fmt::format("could not be executed: {}", std::strerror(exit.code))
                 : "";
      break;
    case ExitKind::workspace_failed:
      text = exit.detail.empty() ? "its workspace could not be prepared" : "";
      break;
    case ExitKind::timed_out:
      text = "stopped at its maximum runtime";
      break;
    case ExitKind::setup_failed:
      text = exit.detail.empty() ? "the run could not be set up" : "";
      break;
    case ExitKind::shim_lost:
      text = "its supervisor was killed, so its exit is unknown";
      break;
    case ExitKind::never_started:
      text = "it was never started";
      break;
    case ExitKind::host_restarted:
      text = "the host or container was restarted";
      break;
  }
  if (!exit.detail.empty()) {
    text += (text.empty() ? "" : ": ") + exit.detail;
  }
  return text;
}

Millis backoff(std::int64_t failures, const Limits& limits) {
  return backoff(failures, limits.retry_base, limits.retry_factor, limits.retry_max);
}

Millis backoff(std::int64_t failures, Millis base, std::int64_t factor, Millis most) {
  Millis hold = base;
  for (std::int64_t n = 1; n < failures && hold < most && factor > 1; ++n) {
    hold *= factor;
  }
  return std::min(hold, most);
}

Millis rate_limit_hold(std::int64_t in_a_row, const Limits& limits) {
  Millis hold = limits.rate_limit_cooldown;
  for (std::int64_t n = k_rate_limit_patience; n <= in_a_row && hold < k_longest_rate_limit_hold;
       ++n) {
    hold *= 2;
  }
  return std::max(limits.rate_limit_cooldown, std::min(hold, k_longest_rate_limit_hold));
}

Requeue after_run(const Task& task, const Fate& fate, std::int64_t rate_limited_before,
                  const Limits& limits) {
  Requeue next;
  next.failures = task.failures + (fate.counted ? 1 : 0);
  next.violations = task.violations + (fate.violation ? 1 : 0);
  next.limit = task.failure_limit.value_or(limits.failure_limit);
  next.limit_source = task.failure_limit ? "task" : "config";
  next.gave_up = (fate.counted && next.failures >= next.limit) ||
                 (fate.violation && next.violations >= limits.violation_limit);
  if (next.gave_up) {
    return next;
  }
  if (fate.counted) {
    next.hold = backoff(next.failures, limits);
    next.hold_reason = HoldReason::backoff;
  } else if (fate.outcome == Outcome::rate_limited) {
    next.hold = rate_limit_hold(rate_limited_before + 1, limits);
    next.hold_reason = HoldReason::rate_limited;
  } else if (fate.hold.count() > 0) {
    next.hold = fate.hold;
    next.hold_reason = HoldReason::setup;
  }
  return next;
}

}  // namespace hermes::rules
