#include <catch2/catch.hpp>

#include <chrono>

#include "kernel/base/duration.hpp"
#include "kernel/rules/fate.hpp"
#include "kernel/rules/hold.hpp"
#include "rules/every.hpp"

using namespace hermes;
using namespace hermes::rules;
using namespace std::chrono_literals;
using hermes::test::every;

namespace {

constexpr Instant k_now{1'800'000'000'000};

Task ready_task() {
  Task task;
  task.id = "t_00000001";
  task.status = Status::ready;
  task.eligible_at = k_now;
  return task;
}

// The one hold that the task has.
Hold only_hold(const TaskFacts& facts) {
  const auto holds = task_holds(facts, k_now);
  REQUIRE(holds.size() == 1);
  return holds.front();
}

Hold only_hold(const Task& task) { return only_hold(TaskFacts{.task = &task}); }

// Nothing keeps a start of this profile back.
FleetFacts all_clear() {
  FleetFacts facts;
  facts.has_profile = true;
  facts.cap = 16;
  return facts;
}

Hold only_hold(const FleetFacts& facts, const std::string& profile = "shell") {
  const auto holds = fleet_holds(profile, facts, k_now);
  REQUIRE(holds.size() == 1);
  return holds.front();
}

void check_hold(const Hold& hold, HoldKind kind, const std::string& text,
                std::optional<Instant> until = {}) {
  CHECK(to_word(hold.kind) == to_word(kind));
  CHECK(hold.text == text);
  CHECK(hold.until == until);
}

}  // namespace

TEST_CASE("ready and review tasks are not held by their status, every other but todo is") {
  for (const Status status : every<Status>()) {
    Task task = ready_task();
    task.status = status;
    INFO(to_word(status));
    const auto holds = task_holds({.task = &task}, k_now);
    if (status == Status::ready || status == Status::review || status == Status::todo) {
      CHECK(holds.empty());
    } else {
      REQUIRE(holds.size() == 1);
      CHECK(holds.front().kind == HoldKind::status);
    }
  }
}

TEST_CASE("the status hold says what releases the task") {
  Task task = ready_task();
  task.status = Status::triage;
  check_hold(
      only_hold(task), HoldKind::status,
      "it is in triage: a person promotes it, or lets the planner `specify` or `decompose` it");
  task.status = Status::running;
  check_hold(only_hold(task), HoldKind::status, "it is running");
  task.status = Status::done;
  check_hold(only_hold(task), HoldKind::status, "it is done");
  task.status = Status::archived;
  check_hold(only_hold(task), HoldKind::status, "it is archived");
}

TEST_CASE("a task in triage tells what became of its planning") {
  Task task = ready_task();
  task.status = Status::triage;
  const auto told = [&](const Planning& planning) {
    const auto holds = task_holds({.task = &task, .planning = planning}, k_now);
    REQUIRE(holds.size() == 2);
    return holds.back();
  };
  check_hold(told({.kind = PlanKind::decompose,
                   .asked_at = k_now - 5s,
                   .next_at = k_now + 1min,
                   .last_error = {}}),
             HoldKind::planning, "the planner has been at work on it (decompose) for 5 s");
  check_hold(
      told({.failures = 2, .next_at = k_now + 40s, .last_error = "no answer"}), HoldKind::planning,
      "the planner has failed at it 2 times in a row (no answer), and rests for another 40 s",
      k_now + 40s);
  check_hold(told({.failures = 1, .next_at = k_now, .last_error = "no answer"}), HoldKind::planning,
             "the planner has failed at it once (no answer)");
  check_hold(
      told({.kind = PlanKind::specify, .asked_at = k_now - 5s, .next_at = k_now, .last_error = {}}),
      HoldKind::planning, "the planner was asked (specify) and never answered");
}

TEST_CASE("a scheduled task is held until its time, or until it is unblocked when it has none") {
  Task task = ready_task();
  task.status = Status::scheduled;
  check_hold(only_hold(task), HoldKind::status,
             "it is scheduled without a time: `unblock` releases it");
  task.wake_at = k_now + 2h;
  check_hold(only_hold(task), HoldKind::status,
             "it is scheduled for " + format_local_minute(k_now + 2h), k_now + 2h);
}

TEST_CASE("a blocked task names who blocked it, and why") {
  Task task = ready_task();
  task.status = Status::blocked;
  check_hold(only_hold(task), HoldKind::status, "it is blocked by a person: `unblock` releases it");
  task.block_source = BlockSource::human;
  task.block_reason = "wait for Monday";
  check_hold(only_hold(task), HoldKind::status,
             "it is blocked by a person: wait for Monday: `unblock` releases it");
  task.block_source = BlockSource::worker;
  task.block_reason = "which port?";
  check_hold(only_hold(task), HoldKind::status,
             "it is blocked by its worker: which port?: `unblock` releases it");
  task.block_source = BlockSource::breaker;
  task.block_reason = "exit code 3";
  check_hold(only_hold(task), HoldKind::status,
             "it is blocked by the breaker: exit code 3: `unblock` releases it");
}

TEST_CASE("every open parent is named with its status") {
  Task task = ready_task();
  task.status = Status::todo;
  const TaskFacts facts{.task = &task,
                        .open_parents = {{"t_0000000a", Status::running, LinkCondition::done},
                                         {"t_0000000b", Status::blocked, LinkCondition::ended}}};
  const auto holds = task_holds(facts, k_now);
  REQUIRE(holds.size() == 2);
  check_hold(holds[0], HoldKind::open_link, "it waits for t_0000000a (running)");
  check_hold(holds[1], HoldKind::open_link, "it waits for t_0000000b (blocked)");
}

TEST_CASE("a parent archived without being done is told as a dead end") {
  Task task = ready_task();
  task.status = Status::todo;
  check_hold(only_hold({.task = &task,
                        .open_parents = {{"t_0000000a", Status::archived, LinkCondition::done}}}),
             HoldKind::open_link,
             "it waits for t_0000000a (archived), which was put away and will never be done: "
             "`hermes kanban unlink t_0000000a t_00000001` lets it go on");
}

TEST_CASE("a task that backs off says how often it failed, why, and when it is tried again") {
  Task task = ready_task();
  task.eligible_at = k_now + 32s;
  task.hold_reason = HoldReason::backoff;
  task.failures = 3;
  task.last_failure = "exit code 3";
  check_hold(
      only_hold(task), HoldKind::held,
      "failure 3 in a row (exit code 3): `promote` tries it now, else it is tried again in 32 s",
      k_now + 32s);
  task.last_failure.reset();
  check_hold(only_hold(task), HoldKind::held,
             "failure 3 in a row (no reason recorded): `promote` tries it now, else it is tried "
             "again in 32 s",
             k_now + 32s);
}

TEST_CASE("a rate-limited task and one that could not be set up say so") {
  Task task = ready_task();
  task.eligible_at = k_now + 5min;
  task.hold_reason = HoldReason::rate_limited;
  check_hold(only_hold(task), HoldKind::held,
             "its last run was rate-limited (exit 75): `promote` tries it now, else it is held for "
             "another 5 min",
             k_now + 5min);
  task.hold_reason = HoldReason::setup;
  check_hold(
      only_hold(task), HoldKind::held,
      "its worker could not be set up: `promote` tries it now, else it is held for another 5 min",
      k_now + 5min);
}

TEST_CASE("a hold is over at its end, not one moment later") {
  Task task = ready_task();
  task.hold_reason = HoldReason::backoff;
  task.eligible_at = k_now;
  CHECK(task_holds({.task = &task}, k_now).empty());
  task.eligible_at = k_now + 1ms;
  CHECK(only_hold(task).until == k_now + 1ms);
  task.status = Status::review;
  CHECK(only_hold(task).kind == HoldKind::held);
}

TEST_CASE(
    "an earlier run whose process is not gone holds the task, but not while it is that run's") {
  Task task = ready_task();
  check_hold(only_hold({.task = &task, .ending_run = 12}), HoldKind::ending,
             "the process of its run 12 has not gone yet; it is being stopped");
  task.status = Status::running;
  CHECK(only_hold({.task = &task, .ending_run = 12}).kind == HoldKind::status);
}

TEST_CASE("a parent that still works in the same directory holds the task") {
  const Task task = ready_task();
  check_hold(only_hold({.task = &task, .parent_in_our_dir = "t_0000000a"}), HoldKind::parent_ending,
             "the process of t_0000000a still works in the same directory");
}

TEST_CASE("another task in its working tree holds the task, and is named") {
  const Task task = ready_task();
  check_hold(only_hold({.task = &task, .tree_user = "t_0000000a"}), HoldKind::tree_in_use,
             "t_0000000a works in its working tree now; it starts after that");
}

TEST_CASE("a run that never started holds its task for as long as it is told, uncounted") {
  const Fate fate = fate_of({.kind = ExitKind::never_started, .hold = Millis{60'000}},
                            VerdictMode::by_call, std::nullopt);
  const Requeue next = after_run(ready_task(), fate, 0, Limits{});
  CHECK(next.hold == 60s);
  CHECK(next.hold_reason == HoldReason::setup);
  CHECK(next.failures == 0);
  Task task = ready_task();
  task.eligible_at = k_now + next.hold;
  task.hold_reason = next.hold_reason;
  check_hold(only_hold({.task = &task, .setup_failure = "its tree is in use"}), HoldKind::held,
             "its worker could not be set up, because its tree is in use: `promote` tries it now, "
             "else it is held for another 60 s",
             k_now + 60s);
}

TEST_CASE("everything that holds a task is told, not only the first") {
  Task task = ready_task();
  task.eligible_at = k_now + 8s;
  task.hold_reason = HoldReason::backoff;
  const auto holds =
      task_holds({.task = &task,
                  .open_parents = {{"t_0000000a", Status::ready, LinkCondition::done}},
                  .ending_run = 12,
                  .parent_in_our_dir = "t_0000000a"},
                 k_now);
  std::vector<HoldKind> kinds;
  for (const Hold& hold : holds) {
    kinds.push_back(hold.kind);
  }
  CHECK(kinds == std::vector{HoldKind::open_link, HoldKind::held, HoldKind::ending,
                             HoldKind::parent_ending});
}

TEST_CASE("with a profile, room and a dispatcher nothing keeps a start back") {
  CHECK(fleet_holds("shell", all_clear(), k_now).empty());
}

TEST_CASE("a task of nobody and a task of somebody outside are told apart") {
  FleetFacts facts = all_clear();
  facts.has_profile = false;
  check_hold(only_hold(facts, ""), HoldKind::no_assignee,
             "nobody is assigned: only an assigned task is started");
  check_hold(only_hold(facts, "alice"), HoldKind::no_profile,
             "no profile 'alice' here: somebody outside claims it, or profiles/alice/profile.toml "
             "is made");
}

TEST_CASE("a paused profile is held until the pause ends, with its reason") {
  FleetFacts facts = all_clear();
  facts.gate = Gate{.paused_until = k_now + 45s, .reason = "3 tasks failed alike: exit code 1"};
  check_hold(only_hold(facts), HoldKind::paused_profile,
             "profile 'shell' is paused for another 45 s: 3 tasks failed alike: exit code 1",
             k_now + 45s);
  facts.gate->paused_until = k_now;
  CHECK(fleet_holds("shell", facts, k_now).empty());
}

TEST_CASE("while a paused profile is tried with one task, the others wait for it") {
  FleetFacts facts = all_clear();
  facts.gate = Gate{.paused_until = k_now - 1s, .reason = "3 tasks failed alike", .probe_run = 7};
  check_hold(only_hold(facts), HoldKind::paused_profile,
             "profile 'shell' was paused and is being tried with one task: 3 tasks failed alike");
  facts.gate = Gate{};  // resumed by a person
  CHECK(fleet_holds("shell", facts, k_now).empty());
}

TEST_CASE("a drain holds every start and has no end of its own") {
  FleetFacts facts = all_clear();
  facts.draining = true;
  check_hold(only_hold(facts), HoldKind::drain, "the dispatcher is draining: no new starts");
}

TEST_CASE("starts of a home whose shims could not be set up wait for a moment") {
  FleetFacts facts = all_clear();
  facts.starts_held_until = k_now + 10s;
  check_hold(only_hold(facts), HoldKind::starts_held,
             "workers could not be set up: starts are held for a moment", k_now + 10s);
  facts.starts_held_until = k_now;
  CHECK(fleet_holds("shell", facts, k_now).empty());
}

TEST_CASE("the cap over all boards holds at the limit, not below it") {
  FleetFacts facts = all_clear();
  facts.cap = 4;
  facts.running = 3;
  CHECK(fleet_holds("shell", facts, k_now).empty());
  facts.running = 4;
  check_hold(only_hold(facts), HoldKind::cap_total,
             "4 workers are running, the limit (max_in_progress) is 4");
  facts.running = 5;
  CHECK(only_hold(facts).kind == HoldKind::cap_total);
}

TEST_CASE("the cap of a profile holds at the limit, not below it, without one there is none") {
  FleetFacts facts = all_clear();
  facts.running = 2;
  facts.running_of_profile = 2;
  CHECK(fleet_holds("shell", facts, k_now).empty());
  facts.profile_cap = 3;
  CHECK(fleet_holds("shell", facts, k_now).empty());
  facts.profile_cap = 2;
  check_hold(only_hold(facts), HoldKind::cap_profile,
             "2 workers of profile 'shell' are running, its limit is 2");
}

TEST_CASE("without a dispatcher it is said how to start one") {
  FleetFacts facts = all_clear();
  facts.dispatcher_alive = false;
  check_hold(only_hold(facts), HoldKind::no_dispatcher,
             "no dispatcher is running: start one with `hermes dispatcher start`");
}

TEST_CASE("everything that keeps a start back is told, not only the first") {
  FleetFacts facts;
  facts.dispatcher_alive = false;
  facts.draining = true;
  facts.starts_held_until = k_now + 1s;
  facts.gate = Gate{.paused_until = k_now + 1s};
  facts.running = 2;
  facts.running_of_profile = 1;
  facts.cap = 2;
  facts.profile_cap = 1;
  std::vector<HoldKind> kinds;
  for (const Hold& hold : fleet_holds("shell", facts, k_now)) {
    kinds.push_back(hold.kind);
  }
  CHECK(kinds == std::vector{HoldKind::no_profile, HoldKind::paused_profile, HoldKind::drain,
                             HoldKind::starts_held, HoldKind::cap_total, HoldKind::cap_profile,
                             HoldKind::no_dispatcher});
}

TEST_CASE("a hold within the longest there is stays as it was stored") {
  const Limits limits;
  for (const Millis ahead : {Millis{-1h}, Millis{0}, Millis{2s}, Millis{10min}, Millis{1h}}) {
    INFO(ahead.count() << " ms ahead");
    CHECK(clamp_hold(k_now + ahead, k_now, limits) == k_now + ahead);
  }
}

TEST_CASE("a hold that a clock ahead of ours has stored ends after the longest hold there is") {
  Limits limits;
  CHECK(clamp_hold(k_now + 1h + 1ms, k_now, limits) == k_now + 1h);
  CHECK(clamp_hold(k_now + 24h * 3650, k_now, limits) == k_now + 1h);
  limits.retry_max = 2h;
  CHECK(clamp_hold(k_now + 24h, k_now, limits) == k_now + 2h);
  limits.rate_limit_cooldown = 3h;
  CHECK(clamp_hold(k_now + 24h, k_now, limits) == k_now + 3h);
}
