#include <catch2/catch.hpp>

#include <cerrno>
#include <chrono>

#include "kernel/rules/fate.hpp"
#include "rules/every.hpp"

using namespace hermes;
using namespace hermes::rules;
using namespace std::chrono_literals;
using hermes::test::every;

namespace {

// One row of the table of exits: what the process did, and the outcome in each verdict mode.
struct Row {
  ExitFacts exit;
  Outcome by_exit_code;
  Outcome by_call;
};

std::vector<Row> table() {
  using enum ExitKind;
  std::vector<Row> rows{
      {{exited, 0}, Outcome::completed, Outcome::protocol_violation},
      {{exited, 75}, Outcome::rate_limited, Outcome::rate_limited},
      {{exec_failed, ENOENT}, Outcome::spawn_failed, Outcome::spawn_failed},
      {{exec_failed, EACCES}, Outcome::spawn_failed, Outcome::spawn_failed},
      {{exec_failed, 75}, Outcome::spawn_failed, Outcome::spawn_failed},
      {{workspace_failed, 0}, Outcome::spawn_failed, Outcome::spawn_failed},
      {{setup_failed, ENOSPC}, Outcome::aborted, Outcome::aborted},
      {{never_started, 0}, Outcome::aborted, Outcome::aborted},
      {{host_restarted, 0}, Outcome::aborted, Outcome::aborted},
      {{shim_lost, 0}, Outcome::crashed, Outcome::crashed},
      {{shim_lost, 75}, Outcome::crashed, Outcome::crashed},
  };
  for (const int code : {1, 2, 3, 74, 76, 124, 126, 127, 137, 255}) {
    rows.push_back({{exited, code}, Outcome::failed, Outcome::crashed});
  }
  for (const int signal : {1, 6, 9, 11, 15, 64, 75}) {
    rows.push_back({{signaled, signal}, Outcome::crashed, Outcome::crashed});
  }
  // A worker that ends well after it was told to stop has still run out of time.
  for (const int code : {0, 9, 15, 75}) {
    rows.push_back({{timed_out, code}, Outcome::timed_out, Outcome::timed_out});
  }
  return rows;
}

bool counted_by_the_breaker(Outcome outcome) {
  return outcome == Outcome::spawn_failed || outcome == Outcome::failed ||
         outcome == Outcome::crashed || outcome == Outcome::timed_out || outcome == Outcome::stale;
}

void check_fate(const Fate& fate, Outcome expected) {
  CHECK(to_word(fate.outcome) == to_word(expected));
  CHECK(fate.completes == (expected == Outcome::completed));
  CHECK(fate.counted == counted_by_the_breaker(expected));
  CHECK(fate.violation == (expected == Outcome::protocol_violation));
}

// What each way to end without a verdict leads to.
Fate fate_for(Outcome outcome) {
  return {.outcome = outcome,
          .completes = outcome == Outcome::completed,
          .counted = counted_by_the_breaker(outcome),
          .violation = outcome == Outcome::protocol_violation};
}

}  // namespace

TEST_CASE("an exit is classified by its row and by how the profile tells its verdict") {
  std::vector<ExitKind> seen;
  for (const Row& row : table()) {
    INFO(to_word(row.exit.kind) << " " << row.exit.code);
    check_fate(fate_of(row.exit, VerdictMode::by_exit_code, std::nullopt), row.by_exit_code);
    check_fate(fate_of(row.exit, VerdictMode::by_call, std::nullopt), row.by_call);
    seen.push_back(row.exit.kind);
  }
  for (const ExitKind kind : every<ExitKind>()) {
    INFO(to_word(kind));
    CHECK(std::find(seen.begin(), seen.end(), kind) != seen.end());
  }
}

TEST_CASE(
    "a committed stop intent goes before the exit: reclaimed and not counted, but stale is "
    "counted") {
  for (const Row& row : table()) {
    for (const VerdictMode mode : every<VerdictMode>()) {
      for (const StopKind stop : every<StopKind>()) {
        INFO(to_word(row.exit.kind)
             << " " << row.exit.code << ", " << to_word(mode) << ", " << to_word(stop));
        check_fate(fate_of(row.exit, mode, stop),
                   stop == StopKind::stale ? Outcome::stale : Outcome::reclaimed);
      }
    }
  }
}

TEST_CASE("every way to end has its sentence, and a detail is not lost") {
  const std::vector<std::pair<ExitFacts, std::string>> rows{
      {{.kind = ExitKind::exited, .code = 3}, "exit code 3"},
      {{.kind = ExitKind::signaled, .code = 9}, "killed by signal 9 (Killed)"},
      {{.kind = ExitKind::exec_failed, .code = ENOENT},
       "could not be executed: No such file or directory"},
      {{.kind = ExitKind::exec_failed,
        .code = ENOENT,
        .detail = "cannot execute /x/y: No such file or directory"},
       "cannot execute /x/y: No such file or directory"},
      {{.kind = ExitKind::workspace_failed}, "its workspace could not be prepared"},
      {{.kind = ExitKind::workspace_failed, .detail = "/x is no directory"}, "/x is no directory"},
      {{.kind = ExitKind::timed_out, .code = 15}, "stopped at its maximum runtime"},
      {{.kind = ExitKind::setup_failed}, "the run could not be set up"},
      {{.kind = ExitKind::setup_failed, .detail = "cannot open its log"}, "cannot open its log"},
      {{.kind = ExitKind::shim_lost}, "its supervisor was killed, so its exit is unknown"},
      {{.kind = ExitKind::never_started}, "it was never started"},
      {{.kind = ExitKind::never_started, .detail = "its lease ran out"},
       "it was never started: its lease ran out"},
      {{.kind = ExitKind::host_restarted}, "the host or container was restarted"},
  };
  for (const auto& [exit, text] : rows) {
    CHECK(describe_exit(exit) == text);
  }
  for (const ExitKind kind : every<ExitKind>()) {
    INFO(to_word(kind));
    CHECK_FALSE(describe_exit({.kind = kind, .code = 1}).empty());
  }
}

TEST_CASE("the hold after a failure is 2 s, 8 s, 32 s and so on, at most 10 min") {
  const Limits limits;
  const std::vector<std::pair<std::int64_t, Millis>> rows{
      {1, 2s},    {2, 8s},    {3, 32s},      {4, 128s},         {5, 512s},
      {6, 10min}, {7, 10min}, {1000, 10min}, {INT64_MAX, 10min}};
  for (const auto& [failures, hold] : rows) {
    INFO(failures << " in a row");
    CHECK(backoff(failures, limits) == hold);
  }
}

TEST_CASE("base, factor and longest hold come from the settings") {
  Limits limits;
  limits.retry_base = 5s;
  limits.retry_factor = 3;
  limits.retry_max = 1min;
  CHECK(backoff(1, limits) == 5s);
  CHECK(backoff(2, limits) == 15s);
  CHECK(backoff(3, limits) == 45s);
  CHECK(backoff(4, limits) == 1min);
  limits.retry_factor = 1;
  CHECK(backoff(INT64_MAX, limits) == 5s);
  limits.retry_base = 2min;
  CHECK(backoff(1, limits) == 1min);
}

TEST_CASE("a rate limit holds for the cool-down, from the 20th in a row it doubles, at most 1 h") {
  const Limits limits;
  for (std::int64_t n = 1; n < 20; ++n) {
    INFO(n << " in a row");
    CHECK(rate_limit_hold(n, limits) == 300s);
  }
  const std::vector<std::pair<std::int64_t, Millis>> rows{
      {20, 600s}, {21, 1200s}, {22, 2400s}, {23, 1h}, {24, 1h}, {1000, 1h}, {INT64_MAX, 1h}};
  for (const auto& [n, hold] : rows) {
    INFO(n << " in a row");
    CHECK(rate_limit_hold(n, limits) == hold);
  }
}

TEST_CASE("a cool-down that is longer than 1 h is kept as it is") {
  Limits limits;
  limits.rate_limit_cooldown = 2h;
  CHECK(rate_limit_hold(1, limits) == 2h);
  CHECK(rate_limit_hold(20, limits) == 2h);
  CHECK(rate_limit_hold(100, limits) == 2h);
  limits.rate_limit_cooldown = 40min;
  CHECK(rate_limit_hold(19, limits) == 40min);
  CHECK(rate_limit_hold(20, limits) == 1h);
}

TEST_CASE("only counted failures raise the failures, only a missing verdict the violations") {
  const Limits limits;
  for (const Outcome outcome : every<Outcome>()) {
    INFO(to_word(outcome));
    Task task;
    task.failures = 2;
    task.violations = 1;
    const Requeue next = after_run(task, fate_for(outcome), 0, limits);
    CHECK(next.failures == (counted_by_the_breaker(outcome) ? 3 : 2));
    CHECK(next.violations == (outcome == Outcome::protocol_violation ? 2 : 1));
    CHECK_FALSE(next.gave_up);
  }
}

TEST_CASE(
    "a counted failure backs off, a rate limit cools down, everything else is tried again at "
    "once") {
  const Limits limits;
  for (const Outcome outcome : every<Outcome>()) {
    INFO(to_word(outcome));
    const Requeue next = after_run({}, fate_for(outcome), 0, limits);
    if (counted_by_the_breaker(outcome)) {
      CHECK(next.hold == 2s);
      CHECK(next.hold_reason == HoldReason::backoff);
    } else if (outcome == Outcome::rate_limited) {
      CHECK(next.hold == 300s);
      CHECK(next.hold_reason == HoldReason::rate_limited);
    } else {
      CHECK(next.hold == 0s);
      CHECK_FALSE(next.hold_reason);
    }
  }
}

TEST_CASE(
    "the hold grows with the failures of the task and with the rate limits that came before") {
  const Limits limits;
  Task task;
  task.failures = 2;
  CHECK(after_run(task, fate_for(Outcome::crashed), 0, limits).hold == 32s);
  CHECK(after_run(task, fate_for(Outcome::rate_limited), 18, limits).hold == 300s);
  CHECK(after_run(task, fate_for(Outcome::rate_limited), 19, limits).hold == 600s);
  CHECK(after_run(task, fate_for(Outcome::rate_limited), 22, limits).hold == 1h);
}

TEST_CASE("the breaker blocks at the configured limit, whatever the kinds of the failures were") {
  Limits limits;
  for (const Outcome outcome : every<Outcome>()) {
    for (const std::int64_t limit : {1, 2, 5}) {
      limits.failure_limit = limit;
      Task task;
      task.failures = limit - 1;
      INFO(to_word(outcome) << " with " << task.failures << " failures, limit " << limit);
      const Requeue next = after_run(task, fate_for(outcome), 0, limits);
      CHECK(next.gave_up == counted_by_the_breaker(outcome));
      CHECK(next.limit == limit);
      CHECK(next.limit_source == "config");
    }
  }
}

TEST_CASE("one failure below the limit the task is tried again") {
  const Limits limits;
  Task task;
  task.failures = limits.failure_limit - 2;
  const Requeue next = after_run(task, fate_for(Outcome::failed), 0, limits);
  CHECK(next.failures == 4);
  CHECK_FALSE(next.gave_up);
  CHECK(next.hold == 128s);
}

TEST_CASE("a task's own limit goes before the configured one, smaller or larger") {
  const Limits limits;
  Task task;
  task.failure_limit = 2;
  task.failures = 1;
  const Requeue sooner = after_run(task, fate_for(Outcome::timed_out), 0, limits);
  CHECK(sooner.gave_up);
  CHECK(sooner.limit == 2);
  CHECK(sooner.limit_source == "task");
  task.failure_limit = 9;
  task.failures = 7;
  CHECK_FALSE(after_run(task, fate_for(Outcome::timed_out), 0, limits).gave_up);
  task.failures = 8;
  CHECK(after_run(task, fate_for(Outcome::timed_out), 0, limits).gave_up);
}

TEST_CASE("the third missing verdict blocks the task, however many failures it may have") {
  const Limits limits;
  for (const std::int64_t before : {0, 1, 2, 3}) {
    Task task;
    task.violations = before;
    task.failure_limit = 1;
    INFO(before << " before");
    const Requeue next = after_run(task, fate_for(Outcome::protocol_violation), 0, limits);
    CHECK(next.violations == before + 1);
    CHECK(next.failures == 0);
    CHECK(next.gave_up == (before >= 2));
  }
}

TEST_CASE("a run that nobody is to blame for gives up nothing, even at the limits") {
  const Limits limits;
  for (const Outcome outcome : {Outcome::rate_limited, Outcome::aborted, Outcome::reclaimed}) {
    Task task;
    task.failures = limits.failure_limit;
    task.violations = limits.violation_limit;
    INFO(to_word(outcome));
    CHECK_FALSE(after_run(task, fate_for(outcome), 100, limits).gave_up);
  }
}

TEST_CASE("a task that is given up is not held as well") {
  const Limits limits;
  Task task;
  task.failures = 4;
  const Requeue next = after_run(task, fate_for(Outcome::crashed), 0, limits);
  REQUIRE(next.gave_up);
  CHECK(next.hold == 0s);
  CHECK_FALSE(next.hold_reason);
}
