#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/model/limits.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"

namespace hermes::rules {

// What a process that is gone without a verdict means. Table-tested over every row of the design.
struct Fate {
  Outcome outcome = Outcome::crashed;
  bool completes = false;  // the task is done
  bool counted = false;    // counts towards the breaker
  bool violation = false;  // counts towards the limit of missing verdicts
  Millis hold{0};          // of an aborted one: not to be tried again before
};

// A committed stop intent is looked at first, whatever the process then did.
Fate fate_of(const ExitFacts& exit, VerdictMode mode, std::optional<StopKind> stop);

// One sentence for people: "exit code 3", "killed by signal 9 (Killed)", "cannot execute …".
std::string describe_exit(const ExitFacts& exit);

// How long a task is held after its n-th counted failure in a row (n >= 1): base, base*factor,
// base*factor² … at most max.
Millis backoff(std::int64_t failures, const Limits& limits);
// `base` after the first, then `factor` times as long, to at most `most`.
Millis backoff(std::int64_t failures, Millis base, std::int64_t factor, Millis most);

// How long a task is held after its n-th rate-limited run in a row: the cool-down; from the 20th on
// it doubles, at most 1 h.
Millis rate_limit_hold(std::int64_t in_a_row, const Limits& limits);

// The counters and the place of a task after a run that did not complete it.
struct Requeue {
  std::int64_t failures = 0;
  std::int64_t violations = 0;
  std::int64_t limit = 0;    // the failure limit that applied
  std::string limit_source;  // task, config
  bool gave_up = false;      // the breaker blocks it
  Millis hold{0};            // how long it is held; 0: not
  std::optional<HoldReason> hold_reason;
};

// The one breaker. `rate_limited_before`: rate-limited runs in a row that came before this one.
Requeue after_run(const Task& task, const Fate& fate, std::int64_t rate_limited_before,
                  const Limits& limits);

}  // namespace hermes::rules
