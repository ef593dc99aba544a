#include "kernel/rules/diagnostics.hpp"

#include <catch2/catch.hpp>

using namespace hermes;
using namespace hermes::rules;
using namespace std::chrono_literals;

namespace {

const DiagnosticContext k_context{.now = Instant{2'000'000'000'000}};
const Instant k_now = k_context.now;

TaskHealth sound(Status status = Status::ready) {
  TaskHealth health;
  health.task.id = "t_00000001";
  health.task.title = "t";
  health.task.status = status;
  health.task.assignee = health.profile = "shell";
  health.task.updated_at = k_now;
  health.task.ready_since = k_now;
  return health;
}

TaskHealth with_runs(std::initializer_list<Outcome> newest_first, std::int64_t failures) {
  TaskHealth health = sound();
  health.task.failures = failures;
  health.task.last_failure = "exit code 3";
  std::int64_t id = 100;
  for (const Outcome outcome : newest_first) {
    health.runs.push_back({--id, outcome, ExitKind::exited, k_now - 1h, "exit code 3"});
  }
  return health;
}

std::vector<std::string> found(const TaskHealth& health) {
  std::vector<std::string> words;
  for (const Diagnostic& one : diagnose(health, k_context)) {
    words.push_back(std::string(to_word(one.kind)) + " " + std::string(to_word(one.severity)));
  }
  return words;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a sound task has no diagnostics") {
  for (const Status status :
       {Status::triage, Status::todo, Status::scheduled, Status::ready, Status::running,
        Status::blocked, Status::review, Status::done, Status::archived}) {
    CHECK(found(sound(status)).empty());
  }
}

TEST_CASE("a planner that fails again is a warning, one that is asked no more an error") {
  TaskHealth health = sound(Status::triage);
  health.planning = Planning{.failures = 1, .next_at = k_now, .last_error = "no answer"};
  CHECK(found(health).empty());
  health.planning->failures = 2;
  CHECK(found(health) == Words{"repeated_planning_failures warning"});
  health.planning->failures = 5;
  CHECK(found(health) == Words{"repeated_planning_failures error"});
  CHECK(diagnose(health, k_context)[0].title == "the planner failed at it 5 times: no answer");
}

TEST_CASE("a planner that is to be asked without a person and cannot be is told once") {
  const Diagnostic told = planner_unavailable(3, AutoPlan::decompose, "[planner] names no command");
  CHECK(told.title == "3 tasks are in triage to be planned, and [planner] names no command");
  CHECK(told.severity == Severity::warning);
  CHECK(told.count == 3);
}

TEST_CASE("repeated failures are an error from the second on, critical from the fourth") {
  using enum Outcome;
  CHECK(found(with_runs({failed}, 1)).empty());
  CHECK(found(with_runs({failed, failed}, 2)) == Words{"repeated_failures error"});
  CHECK(found(with_runs({failed, failed, failed}, 3)) == Words{"repeated_failures error"});
  CHECK(found(with_runs({failed, failed, failed, failed}, 4)) ==
        Words{"repeated_failures critical"});
  for (const Status exempt : {Status::done, Status::archived, Status::running}) {
    TaskHealth health = with_runs({failed, failed}, 2);
    health.task.status = exempt;
    CHECK(found(health).empty());
  }
}

TEST_CASE("crashes after a release are told although the failures were forgotten") {
  using enum Outcome;
  CHECK(found(with_runs({crashed, failed, crashed}, 1)) == Words{"repeated_crashes error"});
  CHECK(found(with_runs({crashed, completed, crashed}, 1)).empty());
  CHECK(found(with_runs({crashed, reclaimed, crashed}, 1)).empty());
  CHECK(found(with_runs({crashed, crashed}, 0)).empty());
  CHECK(found(with_runs({crashed, crashed, crashed, crashed}, 1)) ==
        Words{"repeated_crashes critical"});
  CHECK(found(with_runs({crashed, crashed}, 2)) == Words{"repeated_failures error"});
}

TEST_CASE("a block that nobody answers is told after a day, the breaker's too") {
  TaskHealth health = sound(Status::blocked);
  health.task.block_source = GENERATE(BlockSource::worker, BlockSource::breaker);
  health.task.updated_at = k_now - 24h + 1s;
  CHECK(found(health).empty());
  health.task.updated_at = k_now - 24h;
  CHECK(found(health) == Words{"stuck_in_blocked warning"});
  health.last_comment_at = health.task.updated_at;  // the block's own
  CHECK(found(health) == Words{"stuck_in_blocked warning"});
  health.last_comment_at = k_now - 1h;
  CHECK(found(health).empty());
}

TEST_CASE("three returns from blocked within a day are told until the window has passed") {
  TaskHealth health = sound();
  health.cycles = {k_now - 1h, k_now - 2h};
  CHECK(found(health).empty());
  health.cycles.push_back(k_now - 3h);
  CHECK(found(health) == Words{"block_unblock_cycling warning"});
  health.cycles.back() = k_now - 25h;
  CHECK(found(health).empty());
}

TEST_CASE("a ready task that nobody takes is told, the worse the longer") {
  TaskHealth health = sound(GENERATE(Status::ready, Status::review));
  const auto waited = [&](Millis time) {
    health.task.ready_since = k_now - time;
    const Words all = found(health);
    return all.empty() ? "" : all.front();
  };
  CHECK(waited(29min).empty());
  CHECK(waited(30min) == "stranded_in_ready warning");
  CHECK(waited(60min) == "stranded_in_ready error");
  CHECK(waited(180min) == "stranded_in_ready critical");
  health.profile.clear();
  CHECK(waited(180min).empty());
}

TEST_CASE("full slots are no alarm: a task that only a cap holds is never stranded") {
  TaskHealth health = sound(GENERATE(Status::ready, Status::review));
  health.task.ready_since = k_now - 24h;
  const HoldKind cap = GENERATE(HoldKind::cap_total, HoldKind::cap_profile);
  health.holds = {{cap, "4 workers are running", std::nullopt}};
  CHECK(found(health).empty());
  REQUIRE(cap_alone(health.holds));
  CHECK(cap_alone(health.holds)->kind == cap);
  health.holds.push_back({HoldKind::no_profile, "no profile", std::nullopt});  // for ever
  CHECK(found(health) == Words{"stranded_in_ready critical"});
  health.holds.clear();
  CHECK(found(health) == Words{"stranded_in_ready critical"});
}

TEST_CASE("a slot that was freed a moment ago is on its way to the next task") {
  TaskHealth health = sound();
  health.task.ready_since = k_now - 24h;
  health.slot_freed_now = true;
  CHECK(found(health).empty());
  health.holds = {{HoldKind::tree_in_use, "another works there", std::nullopt}};
  CHECK(found(health) == Words{"stranded_in_ready critical"});
}

TEST_CASE("full slots are told once, as a warning that names the cap") {
  const Hold cap{HoldKind::cap_total, "4 workers are running, the limit (max_in_progress) is 4",
                 std::nullopt};
  const Diagnostic told = slots_full(cap, 12, k_now - 24h, k_context);
  CHECK(told.severity == Severity::warning);
  CHECK(told.title ==
        "12 tasks wait for a slot, the longest for 24.0 h: 4 workers are running, the limit "
        "(max_in_progress) is 4");
  CHECK(told.count == 12);
}

TEST_CASE("twenty rate-limited runs in a row are told") {
  TaskHealth health = sound();
  for (int i = 0; i < 19; ++i) {
    health.runs.push_back({100 - i, Outcome::rate_limited, ExitKind::exited, k_now, ""});
  }
  CHECK(found(health).empty());
  health.runs.push_back(health.runs.back());
  CHECK(found(health) == Words{"rate_limit_streak warning"});
  health.runs.insert(health.runs.begin(), {200, Outcome::failed, ExitKind::exited, k_now, ""});
  CHECK(found(health).empty());
}

TEST_CASE("a heartbeat that has stopped and a workspace that cannot be made are told") {
  TaskHealth running = sound(Status::running);
  running.heartbeat_at = k_now - 59min;
  CHECK(found(running).empty());
  running.heartbeat_at = k_now - 1h;
  CHECK(found(running) == Words{"heartbeat_stale warning"});
  const auto detail = [&](const DiagnosticContext& context) {
    return diagnose(running, context).front().detail;
  };
  CHECK(detail(k_context).find("it is stopped") == 0);
  DiagnosticContext never = k_context;
  never.limits.stale_timeout = 0s;
  CHECK(detail(never).find("nothing stops it") == 0);
  running.by_hand = true;
  CHECK(detail(k_context).find("claimed by hand") != std::string::npos);
  TaskHealth nowhere = with_runs({Outcome::spawn_failed}, 1);
  CHECK(found(nowhere).empty());
  nowhere.runs.front().exit_kind = ExitKind::workspace_failed;
  CHECK(found(nowhere) == Words{"workspace_failed error"});
}

TEST_CASE("a profile is told of while tasks wait for it, a pause always") {
  const auto kinds = [](const ProfileHealth& profile) {
    Words words;
    for (const Diagnostic& one : diagnose(profile, k_context)) {
      words.emplace_back(to_word(one.kind));
    }
    return words;
  };
  CHECK(kinds({.name = "a", .waiting = 1}).empty());
  CHECK(kinds({.name = "a", .waiting = 0, .exists = false}).empty());
  CHECK(kinds({.name = "a", .waiting = 1, .exists = false}) == Words{"profile_missing"});
  CHECK(kinds({.name = "a", .waiting = 1, .problem = "x"}) == Words{"profile_unusable"});
  CHECK(kinds({.name = "a", .gate = Gate{.paused_until = k_now + 1s}}) == Words{"profile_paused"});
  CHECK(kinds({.name = "a", .gate = Gate{.paused_until = k_now}}).empty());
  CHECK(kinds({.name = "a", .gate = Gate{}}).empty());
}

TEST_CASE("the worst comes first, then what was seen last") {
  std::vector<Diagnostic> all{{.severity = Severity::warning, .last_seen = Instant{9}},
                              {.severity = Severity::error, .last_seen = Instant{1}},
                              {.severity = Severity::error, .last_seen = Instant{2}},
                              {.severity = Severity::critical}};
  sort_diagnostics(all);
  CHECK(all[0].severity == Severity::critical);
  CHECK(all[1].last_seen == Instant{2});
  CHECK(all[2].last_seen == Instant{1});
  CHECK(all[3].severity == Severity::warning);
}
