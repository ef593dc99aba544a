#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/base/instant.hpp"
#include "kernel/model/limits.hpp"
#include "kernel/model/task.hpp"
#include "kernel/rules/fleet.hpp"

// What keeps a task from running. Claim, plan and `why` ask the same functions, so they cannot
// disagree.
namespace hermes::rules {

enum class HoldKind {
  status,         // it is not in a status that starts
  open_link,      // an unsatisfied parent
  held,           // backoff or cool-down, with an end
  ending,         // an earlier run's process is not gone yet
  planning,       // in triage: a planner is at work on it, or has failed at it
  parent_ending,  // a parent's process still works in the same directory
  tree_in_use,    // another task works in the working tree that it names
  no_assignee,
  no_profile,      // a lane worked by someone else
  no_reviewer,     // lane review, and a person reviews
  paused_profile,  // the fleet breaker
  cap_total,
  cap_profile,
  drain,
  starts_held,    // shims could not be set up: this home waits a moment
  board_trouble,  // the dispatcher cannot serve this board for now
  no_dispatcher,
};

}  // namespace hermes::rules

template <>
inline constexpr auto hermes::k_words<hermes::rules::HoldKind> = std::to_array<std::string_view>(
    {"status", "open_link", "held", "ending", "planning", "parent_ending", "tree_in_use",
     "no_assignee", "no_profile", "no_reviewer", "paused_profile", "cap_total", "cap_profile",
     "drain", "starts_held", "board_trouble", "no_dispatcher"});

namespace hermes::rules {

struct Hold {
  HoldKind kind = HoldKind::status;
  std::string text;              // one sentence for people, naming what would release it
  std::optional<Instant> until;  // when it ends by itself
};

struct OpenParent {
  std::string id;
  Status status = Status::ready;
  LinkCondition condition = LinkCondition::done;
};

// What binds everybody who claims the task, a person too.
struct TaskFacts {
  const Task* task = nullptr;
  std::vector<OpenParent> open_parents;
  std::optional<std::int64_t> ending_run;  // a run of this task whose process is not gone
  std::optional<std::string>
      parent_in_our_dir;                 // a parent whose process still works in the same directory
  std::optional<std::string> tree_user;  // another task whose process works in its working tree
  std::string setup_failure;             // why its last run could not be set up
  std::optional<Planning> planning;
};
std::vector<Hold> task_holds(const TaskFacts& facts, Instant now);

// When the back-off or cool-down of a ready or review task ends; nothing when it has none.
std::optional<Instant> held_until(const Task& task, Instant now);

// What binds the dispatcher's starts only.
struct FleetFacts {
  bool dispatcher_alive = true;
  bool draining = false;
  std::optional<Instant> starts_held_until;
  std::string starts_held_reason;
  std::string board_trouble;
  bool has_profile = false;
  std::optional<Gate> gate;  // of the profile on this board
  bool in_review = false;    // the task is in lane review
  std::int64_t running = 0;  // runs whose process is not gone, over all boards
  std::int64_t running_of_profile = 0;
  std::int64_t cap = 0;
  std::optional<std::int64_t> profile_cap;
};
// A gate that is shut, for the dispatcher.
std::optional<Hold> gate_hold(const std::string& profile, const Gate& gate, Instant now);
std::vector<Hold> fleet_holds(const std::string& profile, const FleetFacts& facts, Instant now);

// The end of a stored hold, clamped: a clock that was ahead must not hold a task longer than the
// longest hold there is.
Instant clamp_hold(Instant held_until, Instant now, const Limits& limits);

}  // namespace hermes::rules
