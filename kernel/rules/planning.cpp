#include "kernel/rules/planning.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"
#include "kernel/rules/fate.hpp"

namespace hermes::rules {

namespace {

std::string name_of(const Graph& graph, std::size_t place) {
  return fmt::format("child {} ('{}')", place,
                     printable(clip(trim(graph.children[place].title), 60)));
}

Result<void> check_child(const Graph& graph, std::size_t place) {
  const PlannedTask& child = graph.children[place];
  if (trim(child.title).empty()) {
    return fail(ErrorCode::invalid, fmt::format("child {} has no title", place),
                "each child needs one");
  }
  const std::string name = name_of(graph, place);
  TRY(check_text("the title of " + name, child.title, k_title_bytes));
  TRY(check_text("the body of " + name, child.body.value_or(""), k_body_bytes));
  TRY(check_text("the assignee of " + name, child.assignee, k_name_bytes));
  TRY(check_text("the workspace of " + name, child.workspace_path.value_or(""), k_path_bytes));
  for (const std::int64_t parent : child.parents) {
    if (parent < 0 || parent >= static_cast<std::int64_t>(graph.children.size())) {
      return fail(ErrorCode::invalid,
                  fmt::format("{} waits for child {}, which is not there", name, parent),
                  fmt::format("the {} children are counted from 0", graph.children.size()));
    }
    if (parent == static_cast<std::int64_t>(place)) {
      return fail(ErrorCode::invalid, fmt::format("{} waits for itself", name));
    }
  }
  return {};
}

// From one that could not be placed from parent to parent, until one comes again: "2 -> 0 -> 2",
// each of them a parent of the one after it.
std::string cycle_among(const Graph& graph, const std::vector<bool>& placed) {
  std::vector<std::size_t> way{
      static_cast<std::size_t>(std::ranges::find(placed, false) - placed.begin())};
  while (true) {
    const auto& parents = graph.children[way.back()].parents;
    const auto next = static_cast<std::size_t>(*std::ranges::find_if(
        parents, [&](std::int64_t parent) { return !placed[static_cast<std::size_t>(parent)]; }));
    const auto seen = std::ranges::find(way, next);
    if (seen == way.end()) {
      way.push_back(next);
      continue;
    }
    std::string text = std::to_string(next);
    for (auto step = way.end(); step != seen; --step) {
      text += fmt::format(" -> {}", *std::prev(step));
    }
    return text;
  }
}

bool all_placed(const std::vector<std::int64_t>& parents, const std::vector<bool>& placed) {
  return std::ranges::all_of(
      parents, [&](std::int64_t parent) { return placed[static_cast<std::size_t>(parent)]; });
}

}  // namespace

Result<void> check_rewrite(const Rewrite& rewrite) {
  if (trim(rewrite.title.value_or("")).empty() && trim(rewrite.body.value_or("")).empty()) {
    return fail(ErrorCode::invalid, "the planner proposes neither a title nor a body",
                "one of them is needed");
  }
  TRY(check_text("the planner's title", rewrite.title.value_or(""), k_title_bytes));
  TRY(check_text("the planner's body", rewrite.body.value_or(""), k_body_bytes));
  return check_text("the planner's assignee", rewrite.assignee, k_name_bytes);
}

Result<std::vector<std::size_t>> check_graph(const Graph& graph, const PlanningLimits& limits) {
  const std::size_t number = graph.children.size();
  if (number == 0) {
    return fail(ErrorCode::invalid, "the planner proposes no children",
                "a task that need not be split is answered with \"fanout\": false");
  }
  if (number > static_cast<std::size_t>(limits.max_children)) {
    return fail(ErrorCode::invalid,
                fmt::format("the planner proposes {} children, the limit is {}", number,
                            limits.max_children),
                "raise [planner] max_children, or let it split into larger parts");
  }
  TRY(check_text("the planner's assignee", graph.root_assignee, k_name_bytes));
  for (std::size_t place = 0; place < number; ++place) {
    TRY(check_child(graph, place));
  }
  // Kahn's algorithm: those whose parents are all placed come next.
  std::vector<std::size_t> order;
  std::vector<bool> placed(number, false);
  for (std::size_t before = number; before != order.size();) {
    before = order.size();
    for (std::size_t place = 0; place < number; ++place) {
      if (!placed[place] && all_placed(graph.children[place].parents, placed)) {
        placed[place] = true;
        order.push_back(place);
      }
    }
  }
  if (order.size() < number) {
    return fail(ErrorCode::invalid,
                "children wait for each other in a circle: " + cycle_among(graph, placed),
                "none of them could ever start");
  }
  return order;
}

Result<Place> place_of(const PlannedTask& child, const Task& root,
                       const std::string& default_workdir) {
  Place place{child.workspace_kind.value_or(root.workspace_kind), child.workspace_path};
  const std::string title = printable(clip(trim(child.title), 60));
  if (place.kind == WorkspaceKind::scratch) {
    if (place.path) {
      return fail(ErrorCode::invalid,
                  fmt::format("'{}' names a path, and a scratch workspace has none", title),
                  "the kinds with a path are dir and worktree");
    }
    return place;
  }
  if (!place.path && place.kind == root.workspace_kind) {
    place.path = root.workspace_path;
  }
  if (!place.path && !default_workdir.empty()) {
    place.path = default_workdir;
  }
  if (!place.path || !place.path->starts_with('/')) {
    return fail(
        ErrorCode::invalid,
        fmt::format("'{}' has a workspace {} without an absolute path", title, to_word(place.kind)),
        "name one, or set the board's default workdir");
  }
  return place;
}

bool is_given_up(const Planning& planning, const PlanningLimits& limits) {
  return planning.failures + (planning.asked_at ? 1 : 0) >= limits.failure_limit;
}

std::optional<NotDue> not_due(bool escalated, const std::optional<Planning>& planning, Instant now,
                              const PlanningLimits& limits) {
  using Why = NotDue::Why;
  if (escalated) {
    return NotDue{Why::for_a_person,
                  "its worker's blocks have brought it to triage, and a person is to answer",
                  std::nullopt};
  }
  if (!planning) {
    return std::nullopt;
  }
  const bool is_left = is_given_up(*planning, limits);
  if (planning->next_at > now) {
    const auto until = is_left ? std::nullopt : std::optional(planning->next_at);
    const std::string left = format_duration(planning->next_at - now);
    if (planning->asked_at) {
      return NotDue{Why::being_asked,
                    "a planner is being asked, and may take its time for another " + left, until};
    }
    return NotDue{
        Why::resting,
        fmt::format("the planner has failed at it ({}), and rests for another {}",
                    first_line(planning->last_error.value_or("no reason recorded")), left),
        until};
  }
  if (is_left) {
    return NotDue{Why::given_up,
                  fmt::format("the planner has failed at it {} times",
                              planning->failures + (planning->asked_at ? 1 : 0)),
                  std::nullopt};
  }
  return std::nullopt;
}

Instant next_attempt(std::int64_t failures, Instant now, const PlanningLimits& limits) {
  return now + backoff(failures, limits.retry_base, limits.retry_factor, limits.retry_max);
}

}  // namespace hermes::rules
