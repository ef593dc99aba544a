#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/board/why.hpp"
#include "kernel/model/task.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

// What binds the starts of all boards of the home, seen once.
struct FleetView {
  home::DispatcherState dispatcher;
  std::map<std::string, std::int64_t> running;  // live workers per profile, over all boards
  std::map<std::string, std::int64_t> ended;    // workers that ended a moment ago

  // As if those had not ended: nothing that was started since can be told apart from them, so this
  // is the most that can have been running.
  FleetView a_moment_ago() const;
};
FleetView look_at_fleet(const OpenBoard& open, Call& call);

// Everything that keeps one task from running, and the profile that works on it.
struct TaskHolds {
  Task task;
  std::vector<rules::Hold> holds;
  std::string profile;
};

// What binds everybody. Error: not_found.
Result<TaskHolds> task_holds(OpenBoard& open, const Call& call, const std::string& given_id);

// What binds the dispatcher's starts of tasks of this profile in this lane.
std::vector<rules::Hold> dispatcher_holds(OpenBoard& open, const Call& call, const FleetView& fleet,
                                          const std::string& profile, Lane lane);
// Adds it.
void add_dispatcher_holds(OpenBoard& open, const Call& call, const FleetView& fleet,
                          TaskHolds& seen);

}  // namespace hermes::verbs
