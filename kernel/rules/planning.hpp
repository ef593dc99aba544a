#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/model/limits.hpp"
#include "kernel/model/task.hpp"

// What a planner may propose for a task in triage, and when it is asked again after it has failed.
// Pure: from its reply, as values, to a verdict. Nothing is mended here: a proposal that is wrong
// in one place is refused as a whole, because work that starts before what it needs is worse than
// work that has not started.
namespace hermes::rules {

// A better text for the task itself. At least one of title and body.
struct Rewrite {
  std::optional<std::string> title;
  std::optional<std::string> body;
  std::string assignee;  // "": none is proposed
};

struct PlannedTask {
  std::string title;
  std::optional<std::string> body;
  std::string assignee;               // "": none is proposed
  std::vector<std::int64_t> parents;  // places of others in the same list, from 0
  std::optional<WorkspaceKind> workspace_kind;
  std::optional<std::string> workspace_path;
};

// The tasks that a task is split into. It waits for all of them.
struct Graph {
  std::vector<PlannedTask> children;
  std::string root_assignee;  // "": none is proposed
};

// Error: invalid, naming what is missing or too long.
Result<void> check_rewrite(const Rewrite& rewrite);

// The places of the children in an order in which each comes after its parents. Error: invalid,
// naming the child and the rule: how many there may be, a blank or long text, a parent that is not
// in the list or is the child itself, children that wait for each other.
Result<std::vector<std::size_t>> check_graph(const Graph& graph, const PlanningLimits& limits);

// Where a child works. What it leaves out is as its root has it, where both are of one kind; then
// the board's default directory is taken. Error: invalid (no path to be had, or not absolute).
struct Place {
  WorkspaceKind kind = WorkspaceKind::scratch;
  std::optional<std::string> path;
};
Result<Place> place_of(const PlannedTask& child, const Task& root,
                       const std::string& default_workdir);

// Whether automation leaves the task to a person: it has failed too often. An attempt that is
// still open counts, since whoever made it may have been killed.
bool is_given_up(const Planning& planning, const PlanningLimits& limits);

// Why nobody asks the planner about a task in triage unbidden, as an end of the sentence "it is not
// due:". Nothing when it may be asked. `escalated`: its worker's blocks have brought it there.
struct NotDue {
  enum class Why { for_a_person, being_asked, resting, given_up };
  Why why;
  std::string text;
  std::optional<Instant> until;  // nothing: until a person does something
};
std::optional<NotDue> not_due(bool escalated, const std::optional<Planning>& planning, Instant now,
                              const PlanningLimits& limits);

// Nobody is to be asked before then: base, then `factor` times as long, to at most `max`.
Instant next_attempt(std::int64_t failures, Instant now, const PlanningLimits& limits);

}  // namespace hermes::rules
