#include "kernel/rules/planning.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace hermes;
using namespace hermes::rules;
using Catch::Matchers::Contains;

namespace {

Graph graph_of(std::vector<std::vector<std::int64_t>> parents) {
  Graph graph;
  for (std::size_t i = 0; i < parents.size(); ++i) {
    graph.children.push_back({.title = "part " + std::to_string(i),
                              .body = {},
                              .assignee = "",
                              .parents = std::move(parents[i]),
                              .workspace_kind = {},
                              .workspace_path = {}});
  }
  return graph;
}

std::string refusal_of(const Graph& graph) {
  const auto order = check_graph(graph, {});
  REQUIRE_FALSE(order);
  CHECK(order.error().code == ErrorCode::invalid);
  return order.error().message;
}

PlannedTask child(std::optional<WorkspaceKind> kind, std::optional<std::string> path) {
  return {.title = "t",
          .body = {},
          .assignee = "",
          .parents = {},
          .workspace_kind = kind,
          .workspace_path = std::move(path)};
}

}  // namespace

TEST_CASE("a graph is given in an order in which each child comes after its parents") {
  const Graph graph = graph_of({{2, 3}, {}, {1}, {1, 1}});
  const auto order = check_graph(graph, {});
  REQUIRE(order);
  REQUIRE(order->size() == 4);
  for (std::size_t i = 0; i < order->size(); ++i) {
    for (const std::int64_t parent : graph.children[(*order)[i]].parents) {
      CHECK(std::find(order->begin(), order->begin() + static_cast<std::ptrdiff_t>(i),
                      static_cast<std::size_t>(parent)) !=
            order->begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

TEST_CASE("a graph with a circle is refused, and the circle is named") {
  CHECK(refusal_of(graph_of({{}, {3}, {1}, {2, 0}})) ==
        "children wait for each other in a circle: 1 -> 2 -> 3 -> 1");
  CHECK(refusal_of(graph_of({{0}})) == "child 0 ('part 0') waits for itself");
}

TEST_CASE("a parent that is not in the list is refused, not dropped") {
  CHECK(refusal_of(graph_of({{}, {2}})) ==
        "child 1 ('part 1') waits for child 2, which is not there");
  CHECK(refusal_of(graph_of({{-1}})) ==
        "child 0 ('part 0') waits for child -1, which is not there");
}

TEST_CASE("a graph has at least one child, at most as many as allowed, and each has a title") {
  CHECK_THAT(refusal_of({}), Contains("no children"));
  PlanningLimits limits;
  limits.max_children = 2;
  CHECK(check_graph(graph_of({{}, {}}), limits));
  CHECK_FALSE(check_graph(graph_of({{}, {}, {}}), limits));
  Graph untitled = graph_of({{}, {}});
  untitled.children[1].title = " \n";
  CHECK(refusal_of(untitled) == "child 1 has no title");
  Graph long_title = graph_of({{}});
  long_title.children[0].title = std::string(k_title_bytes + 1, 'x');
  CHECK_THAT(refusal_of(long_title), Contains("1001 bytes"));
  Graph torn = graph_of({{}});
  torn.children[0].body = "ab";
  torn.children[0].body->push_back('\0');
  CHECK_THAT(refusal_of(torn), Contains("the body of child 0"));
}

TEST_CASE("a better text needs a title or a body") {
  CHECK_FALSE(check_rewrite({.title = {}, .body = {}, .assignee = "ann"}));
  CHECK_FALSE(check_rewrite({.title = " ", .body = "\n", .assignee = ""}));
  CHECK(check_rewrite({.title = "t", .body = {}, .assignee = ""}));
  CHECK(check_rewrite({.title = {}, .body = "b", .assignee = ""}));
}

TEST_CASE("a child works where its root does, unless it says otherwise") {
  Task root;
  root.workspace_kind = WorkspaceKind::dir;
  root.workspace_path = "/srv/x";
  CHECK(place_of(child({}, {}), root, "")->path == "/srv/x");
  CHECK(place_of(child(WorkspaceKind::dir, {}), root, "/srv/board")->path == "/srv/x");
  CHECK(place_of(child(WorkspaceKind::dir, "/srv/y"), root, "")->path == "/srv/y");
  CHECK_FALSE(place_of(child(WorkspaceKind::scratch, {}), root, "/srv/board")->path);
  CHECK(place_of(child(WorkspaceKind::worktree, {}), root, "/srv/board")->path == "/srv/board");
  CHECK_FALSE(place_of(child(WorkspaceKind::worktree, {}), root, ""));
  CHECK_FALSE(place_of(child({}, "relative"), root, ""));
  CHECK_FALSE(place_of(child(WorkspaceKind::scratch, "/srv/y"), root, ""));
}

TEST_CASE("whom the planner is not asked about unbidden, and until when") {
  PlanningLimits limits;
  limits.failure_limit = 3;
  const Instant now{1'000'000};
  const auto text = [&](bool escalated, const std::optional<Planning>& planning) {
    const auto reason = not_due(escalated, planning, now, limits);
    return reason ? reason->text : "";
  };
  const auto until = [&](const Planning& planning) {
    return not_due(false, planning, now, limits)->until;
  };
  CHECK(text(false, std::nullopt).empty());
  CHECK(text(true, std::nullopt) ==
        "its worker's blocks have brought it to triage, and a person is to answer");
  const Planning rests{.failures = 2, .next_at = now + Millis{5000}, .last_error = "no\nanswer"};
  CHECK(text(false, rests) == "the planner has failed at it (no), and rests for another 5 s");
  CHECK(until(rests) == rests.next_at);
  const Planning is_asked{.asked_at = now, .next_at = now + Millis{5000}, .last_error = {}};
  CHECK(text(false, is_asked) == "a planner is being asked, and may take its time for another 5 s");
  CHECK(until(is_asked) == is_asked.next_at);
  CHECK(text(false, Planning{.failures = 2, .next_at = now, .last_error = "no"}).empty());
  // The attempt that was open when its asker was killed is the third.
  const Planning left{.asked_at = now, .failures = 2, .next_at = now, .last_error = {}};
  CHECK(text(false, left) == "the planner has failed at it 3 times");
  CHECK_FALSE(until(left));
  const Planning last_rest{.failures = 3, .next_at = now + Millis{5000}, .last_error = {}};
  CHECK_FALSE(until(last_rest));
}

TEST_CASE("a planner that fails is asked ever more seldom, and then no more without a person") {
  PlanningLimits limits;
  limits.failure_limit = 3;
  const Instant now{1'000'000};
  CHECK(next_attempt(1, now, limits) - now == std::chrono::minutes{1});
  CHECK(next_attempt(2, now, limits) - now == std::chrono::minutes{4});
  CHECK(next_attempt(3, now, limits) - now == std::chrono::minutes{16});
  CHECK(next_attempt(1'000'000, now, limits) - now == std::chrono::hours{1});
  CHECK_FALSE(is_given_up({.failures = 2, .next_at = now, .last_error = {}}, limits));
  CHECK(is_given_up({.failures = 3, .next_at = now, .last_error = {}}, limits));
  // Whoever asks at this moment may be killed before it can count.
  CHECK(is_given_up({.asked_at = now, .failures = 2, .next_at = now, .last_error = {}}, limits));
}
