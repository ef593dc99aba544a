#include "kernel/rules/hold.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/duration.hpp"

namespace hermes::rules {

namespace {

// When the clock was set back since the task became ready, what was left of its hold then counts
// from now on, as board::rebase_clock stores it. A task that had none is not held.
Instant hold_end(const Task& task, Instant now) {
  return task.ready_since && *task.ready_since > now ? now + (*task.eligible_at - *task.ready_since)
                                                     : *task.eligible_at;
}

bool may_start(const Task& task) {
  return task.status == Status::ready || task.status == Status::review;
}

Hold held(const TaskFacts& facts, Instant until, Instant now) {
  const Task& task = *facts.task;
  const std::string left = format_duration(until - now);
  if (task.hold_reason == HoldReason::rate_limited) {
    return {HoldKind::held,
            fmt::format("its last run was rate-limited (exit 75): `promote` tries it now, else it "
                        "is held for another {}",
                        left),
            until};
  }
  if (task.hold_reason == HoldReason::setup) {
    return {HoldKind::held,
            fmt::format("its worker could not be set up{}{}: `promote` tries it now, else it is "
                        "held for another {}",
                        facts.setup_failure.empty() ? "" : ", because ", facts.setup_failure, left),
            until};
  }
  return {
      HoldKind::held,
      fmt::format("failure {} in a row ({}): `promote` tries it now, else it is tried again in {}",
                  task.failures, task.last_failure.value_or("no reason recorded"), left),
      until};
}

std::string status_text(const Task& task) {
  switch (task.status) {
    case Status::triage:
      return task.block_total > 0
                 ? fmt::format(
                       "it is in triage because its worker blocked it {} "
                       "times{}{}: answer it, then `promote` releases it",
                       task.block_total, task.block_reason ? ", last with: " : "",
                       task.block_reason.value_or(""))
                 : "it is in triage: a person promotes it, or lets the planner `specify` "
                   "or `decompose` it";
    case Status::scheduled:
      return task.wake_at
                 ? fmt::format("it is scheduled for {}", format_local_minute(*task.wake_at))
                 : "it is scheduled without a time: `unblock` releases it";
    case Status::blocked:
      return fmt::format("it is blocked by {}{}{}: `unblock` releases it",
                         task.block_source == BlockSource::breaker  ? "the breaker"
                         : task.block_source == BlockSource::worker ? "its worker"
                                                                    : "a person",
                         task.block_reason ? ": " : "", task.block_reason.value_or(""));
    case Status::running:
      return "it is running";
    default:
      return fmt::format("it is {}", to_word(task.status));
  }
}

Hold planning_hold(const Planning& planning, Instant now) {
  if (planning.asked_at && planning.next_at > now) {
    return {HoldKind::planning,
            fmt::format("the planner has been at work on it ({}) for {}", to_word(planning.kind),
                        format_duration(std::max(now - *planning.asked_at, Millis{0}))),
            std::nullopt};
  }
  const bool rests = planning.next_at > now;
  if (planning.asked_at && planning.failures == 0) {
    return {HoldKind::planning,
            fmt::format("the planner was asked ({}) and never answered", to_word(planning.kind)),
            std::nullopt};
  }
  return {
      HoldKind::planning,
      fmt::format(
          "the planner has failed at it {} ({}){}",
          planning.failures == 1 ? "once" : fmt::format("{} times in a row", planning.failures),
          planning.last_error.value_or("no reason recorded"),
          rests ? fmt::format(", and rests for another {}", format_duration(planning.next_at - now))
                : ""),
      rests ? std::optional(planning.next_at) : std::nullopt};
}

}  // namespace

std::optional<Instant> held_until(const Task& task, Instant now) {
  const bool is_held = may_start(task) && task.eligible_at && hold_end(task, now) > now;
  return is_held ? std::optional(hold_end(task, now)) : std::nullopt;
}

std::vector<Hold> task_holds(const TaskFacts& facts, Instant now) {
  const Task& task = *facts.task;
  std::vector<Hold> holds;
  if (!may_start(task) && task.status != Status::todo) {
    holds.push_back({HoldKind::status, status_text(task),
                     task.status == Status::scheduled ? task.wake_at : std::nullopt});
  }
  if (facts.planning && (facts.planning->asked_at || facts.planning->failures > 0)) {
    holds.push_back(planning_hold(*facts.planning, now));
  }
  for (const OpenParent& parent : facts.open_parents) {
    const bool dead_end = parent.status == Status::archived;
    holds.push_back(
        {HoldKind::open_link,
         fmt::format("it waits for {} ({}){}", parent.id, to_word(parent.status),
                     dead_end ? fmt::format(", which was put away and will never be done: `hermes "
                                            "kanban unlink {} {}` lets it go on",
                                            parent.id, task.id)
                              : ""),
         std::nullopt});
  }
  if (const auto until = held_until(task, now)) {
    holds.push_back(held(facts, *until, now));
  }
  if (facts.ending_run && task.status != Status::running) {
    holds.push_back({HoldKind::ending,
                     fmt::format("the process of its run {} has not gone yet; it is being stopped",
                                 *facts.ending_run),
                     std::nullopt});
  }
  if (facts.parent_in_our_dir) {
    holds.push_back({HoldKind::parent_ending,
                     fmt::format("the process of {} still works in the same directory",
                                 *facts.parent_in_our_dir),
                     std::nullopt});
  }
  if (facts.tree_user) {
    holds.push_back(
        {HoldKind::tree_in_use,
         fmt::format("{} works in its working tree now; it starts after that", *facts.tree_user),
         std::nullopt});
  }
  return holds;
}

std::optional<Hold> gate_hold(const std::string& profile, const Gate& gate, Instant now) {
  if (!is_paused(gate, now)) {
    return std::nullopt;
  }
  if (gate.probe_run) {
    return Hold{HoldKind::paused_profile,
                fmt::format("profile '{}' was paused and is being tried with one task: {}", profile,
                            gate.reason),
                std::nullopt};
  }
  return Hold{HoldKind::paused_profile,
              fmt::format("profile '{}' is paused for another {}: {}", profile,
                          format_duration(*gate.paused_until - now), gate.reason),
              gate.paused_until};
}

std::vector<Hold> fleet_holds(const std::string& profile, const FleetFacts& facts, Instant now) {
  std::vector<Hold> holds;
  if (profile.empty() && facts.in_review) {
    holds.push_back({HoldKind::no_reviewer,
                     "it waits for a person's review: `complete` approves it, `request-changes` "
                     "sends it back; [dispatcher] reviewer names a profile that does it",
                     std::nullopt});
  } else if (profile.empty()) {
    holds.push_back({HoldKind::no_assignee, "nobody is assigned: only an assigned task is started",
                     std::nullopt});
  } else if (!facts.has_profile) {
    holds.push_back({HoldKind::no_profile,
                     fmt::format("no profile '{0}' here: somebody outside claims it, or "
                                 "profiles/{0}/profile.toml is made",
                                 profile),
                     std::nullopt});
  }
  if (facts.gate) {
    if (auto hold = gate_hold(profile, *facts.gate, now)) {
      holds.push_back(*std::move(hold));
    }
  }
  if (facts.draining) {
    holds.push_back({HoldKind::drain, "the dispatcher is draining: no new starts", std::nullopt});
  }
  if (facts.starts_held_until && *facts.starts_held_until > now) {
    holds.push_back({HoldKind::starts_held,
                     fmt::format("workers could not be set up: starts are held for a moment{}{}",
                                 facts.starts_held_reason.empty() ? "" : ", because ",
                                 facts.starts_held_reason),
                     facts.starts_held_until});
  }
  if (!facts.board_trouble.empty()) {
    holds.push_back(
        {HoldKind::board_trouble,
         fmt::format("the dispatcher cannot serve this board for now: {}", facts.board_trouble),
         std::nullopt});
  }
  if (facts.running >= facts.cap) {
    holds.push_back({HoldKind::cap_total,
                     fmt::format("{} workers are running, the limit (max_in_progress) is {}",
                                 facts.running, facts.cap),
                     std::nullopt});
  }
  if (facts.profile_cap && facts.running_of_profile >= *facts.profile_cap) {
    holds.push_back({HoldKind::cap_profile,
                     fmt::format("{} workers of profile '{}' are running, its limit is {}",
                                 facts.running_of_profile, profile, *facts.profile_cap),
                     std::nullopt});
  }
  if (!facts.dispatcher_alive) {
    holds.push_back({HoldKind::no_dispatcher,
                     "no dispatcher is running: start one with `hermes dispatcher start`",
                     std::nullopt});
  }
  return holds;
}

Instant clamp_hold(Instant held_until, Instant now, const Limits& limits) {
  const Millis longest =
      std::max({limits.retry_max, limits.rate_limit_cooldown, Millis{std::chrono::hours{1}}});
  return std::min(held_until, now + longest);
}

}  // namespace hermes::rules
