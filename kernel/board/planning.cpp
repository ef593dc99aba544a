#include "kernel/board/planning.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "kernel/base/duration.hpp"
#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/rules/plan.hpp"

namespace hermes::board {

namespace {

constexpr std::size_t k_reason_bytes = 1000;
constexpr std::size_t k_title_in_comment = 100;

// When automation may ask again, as it is at $1, with rests of at most $2 and a slack of $3: a rest
// that is longer than any, and a planner that is asked in the future, are of a clock that was set
// back since. They are over, whoever reads them.
const std::string k_next_at =
    "(CASE WHEN p.asked_at > $1 + $3 OR (p.asked_at IS NULL AND p.next_at > $1 + $2) THEN $1"
    " ELSE p.next_at END)";
const std::string k_planning_columns =
    "p.kind, p.asked_at, p.failures, " + k_next_at + ", p.last_error";

Planning read_planning(const db::Cursor& row, int first) {
  return {row.word<PlanKind>(first), row.maybe_instant(first + 1), row.integer(first + 2),
          row.instant(first + 3), row.maybe_text(first + 4)};
}

// Stores the failure of the attempt that began at `began` and tells it. The mark of another attempt
// that has begun since then stays.
Planning count_failure(Change& change, const std::string& id, PlanKind kind, Instant began,
                       const std::string& reason, const PlanningLimits& limits) {
  const auto before = planning_of(change.tx, id, change.now, limits);
  const std::int64_t failures = (before ? before->failures : 0) + 1;
  Planning planning{.kind = kind,
                    .asked_at = std::nullopt,
                    .failures = failures,
                    .next_at = rules::next_attempt(failures, change.now, limits),
                    .last_error = mask_secrets(clip(trim(reason), k_reason_bytes))};
  if (before && before->asked_at && before->asked_at != began) {
    planning.kind = before->kind;
    planning.asked_at = before->asked_at;
    planning.next_at = before->next_at;
  }
  change.tx.execute(
      "INSERT INTO plannings (task_id, kind, asked_at, failures, next_at, last_error)"
      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (task_id) DO UPDATE SET kind = $2,"
      " asked_at = $3, failures = $4, next_at = $5, last_error = $6",
      id, planning.kind, planning.asked_at, planning.failures, planning.next_at,
      planning.last_error);
  append_event(change, id, std::nullopt, EventKind::planning_failed,
               dump({{"kind", to_word(kind)},
                     {"reason", *planning.last_error},
                     {"failures", planning.failures},
                     {"next_at", planning.next_at.seconds()},
                     {"next_at_ms", planning.next_at.ms},
                     {"by", change.actor.name}}));
  return planning;
}

Result<void> check_due(const Task& task, const std::optional<Planning>& planning, Instant now,
                       const PlanningLimits& limits) {
  if (const auto reason = rules::not_due(task.block_source.has_value(), planning, now, limits)) {
    return fail(ErrorCode::conflict, fmt::format("{} is not due: {}", task.id, reason->text),
                "without --if-due it is asked at once");
  }
  return {};
}

// The task, if nothing has happened to it since the planner was given it.
Result<Task> still_asked(Change& change, const Asked& asked, rules::Move move) {
  TRY_ASSIGN(Task task, task_to_move(change, asked.task.id, move));
  if (task.updated_at != asked.task.updated_at) {
    return fail(ErrorCode::conflict,
                fmt::format("{} was changed while the planner worked on it", task.id),
                "its answer was dropped, and nothing was changed: ask again");
  }
  return task;
}

// What is proposed, as it is stored; nothing when it is blank or changes nothing.
std::optional<std::string> new_text(const std::optional<std::string>& proposed,
                                    const std::optional<std::string>& present) {
  return proposed && !trim(*proposed).empty() && proposed != present ? proposed : std::nullopt;
}

// The words it had before belong to somebody.
std::string rewrite_comment(const Task& before, const std::vector<std::string>& fields) {
  std::string text = fmt::format("Specified: {} changed.", join(fields, ", "));
  if (std::ranges::find(fields, "title") != fields.end()) {
    text += fmt::format("\n\nThe title was:\n{}", before.title);
  }
  if (std::ranges::find(fields, "body") != fields.end() && before.body) {
    text += fmt::format("\n\nThe body was:\n{}", *before.body);
  }
  return text;
}

// A part that waits for no other part waits for what its root still waits for; the others do so
// through their parents.
Result<std::string> create_child(Change& change, const Task& root, const rules::PlannedTask& child,
                                 const std::vector<std::string>& ids, const DecomposeTerms& terms) {
  TRY_ASSIGN(const rules::Place place, rules::place_of(child, root, terms.default_workdir));
  NewTask task;
  task.title = child.title;
  task.body = child.body;
  task.assignee = child.assignee;
  for (const std::int64_t parent : child.parents) {
    task.parents.push_back(ids[static_cast<std::size_t>(parent)]);
  }
  task.tenant = root.tenant;
  task.priority = root.priority;
  task.origin = root.origin;
  task.created_by = terms.author;
  task.decomposed_from = root.id;
  task.workspace_kind = place.kind;
  task.workspace_path = place.path;
  TRY_ASSIGN(const Created created, create(change, task));
  if (child.parents.empty()) {
    for (const rules::OpenParent& parent : open_parents(change.tx, root.id)) {
      TRY(link(change, parent.id, created.task.id, parent.condition));
    }
  }
  return created.task.id;
}

std::string graph_comment(const rules::Graph& graph, const std::vector<std::string>& ids,
                          const std::vector<std::string>& notes) {
  std::string text =
      fmt::format("Decomposed into {} task{}:", ids.size(), ids.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    text +=
        fmt::format("\n- {} {}", ids[i], clip(trim(graph.children[i].title), k_title_in_comment));
  }
  for (const std::string& note : notes) {
    text += "\n" + note;
  }
  return std::string(clip(text, k_text_bytes));
}

}  // namespace

std::optional<Planning> planning_of(db::Reader& tx, const std::string& task_id, Instant now,
                                    const PlanningLimits& limits) {
  auto row = tx.query("SELECT " + k_planning_columns + " FROM plannings p WHERE p.task_id = $4",
                      now, limits.retry_max.count(), rules::k_clock_slack.count(), task_id);
  return row.next() ? std::optional(read_planning(row, 0)) : std::nullopt;
}

Result<Asked> begin_planning(Change& change, const std::string& id, PlanKind kind,
                             const PlanningTerms& terms, const PlanningLimits& limits) {
  TRY_ASSIGN(Task task, task_to_move(change, id,
                                     kind == PlanKind::specify ? rules::Move::specify
                                                               : rules::Move::decompose));
  const auto planning = planning_of(change.tx, id, change.now, limits);
  if (terms.if_due) {
    TRY(check_due(task, planning, change.now, limits));
  }
  if (planning && planning->asked_at && *planning->asked_at <= change.now &&
      planning->next_at <= change.now) {
    count_failure(change, id, planning->kind, *planning->asked_at,
                  "it was asked and never answered: whoever asked it was killed", limits);
  }
  change.tx.execute(
      "INSERT INTO plannings (task_id, kind, asked_at, next_at) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (task_id) DO UPDATE SET kind = $2, asked_at = $3, next_at = $4",
      id, kind, change.now, change.now + terms.term);
  return Asked{std::move(task), change.now};
}

Result<Specified> specify(Change& change, const Asked& asked, const rules::Rewrite& rewrite,
                          const std::string& author) {
  TRY(rules::check_rewrite(rewrite));
  TRY_ASSIGN(Task task, still_asked(change, asked, rules::Move::specify));
  Specified done;
  const Task before = task;
  const auto title =
      rewrite.title ? std::optional(mask_secrets(trim(*rewrite.title))) : std::nullopt;
  if (const auto changed = new_text(title, task.title)) {
    task.title = *changed;
    done.fields.emplace_back("title");
  }
  if (const auto changed = new_text(body_to_store(rewrite.body), task.body)) {
    task.body = *changed;
    done.fields.emplace_back("body");
  }
  if (const std::string assignee = to_lower(trim(rewrite.assignee));
      task.assignee.empty() && !assignee.empty()) {
    TRY(check_assignee(assignee));
    task.assignee = assignee;
    done.fields.emplace_back("assignee");
  }
  change.tx.execute("UPDATE tasks SET title = $1, body = $2, assignee = $3 WHERE id = $4",
                    task.title, task.body, task.assignee, task.id);
  reset_breaker(task);
  requeue_task(change, task, EventKind::specified,
               {{"changed_fields", done.fields}, {"by", change.actor.name}}, std::nullopt);
  if (!done.fields.empty()) {
    TRY(add_comment(change, task.id, author, rewrite_comment(before, done.fields)));
  }
  done.task = std::move(task);
  return done;
}

Result<Decomposed> decompose(Change& change, const Asked& asked, const rules::Graph& graph,
                             const DecomposeTerms& terms) {
  TRY_ASSIGN(const auto order, rules::check_graph(graph, terms.limits));
  TRY_ASSIGN(Task task, still_asked(change, asked, rules::Move::decompose));
  Decomposed done;
  done.child_ids.resize(graph.children.size());
  for (const std::size_t place : order) {
    TRY_ASSIGN(done.child_ids[place],
               create_child(change, task, graph.children[place], done.child_ids, terms));
  }
  for (const std::string& child : done.child_ids) {
    TRY(link(change, child, task.id, LinkCondition::done));
  }
  if (const std::string assignee = to_lower(trim(graph.root_assignee));
      task.assignee.empty() && !assignee.empty()) {
    TRY(check_assignee(assignee));
    task.assignee = assignee;
    change.tx.execute("UPDATE tasks SET assignee = $1 WHERE id = $2", assignee, task.id);
  }
  reset_breaker(task);
  requeue_task(
      change, task, EventKind::decomposed,
      {{"child_ids", done.child_ids},
       {"root_assignee", task.assignee.empty() ? nlohmann::json() : nlohmann::json(task.assignee)},
       {"by", change.actor.name}},
      std::nullopt);
  TRY(add_comment(change, task.id, terms.author,
                  graph_comment(graph, done.child_ids, terms.notes)));
  done.task = std::move(task);
  return done;
}

Result<std::optional<Planning>> fail_planning(Change& change, const Asked& asked, PlanKind kind,
                                              const std::string& reason,
                                              const PlanningLimits& limits) {
  const std::string& id = asked.task.id;
  const auto task = find_task(change.tx, id);
  if (!task || task->status != Status::triage || task->updated_at != asked.task.updated_at) {
    forget_planning(change, asked);
    return std::nullopt;
  }
  return count_failure(change, id, kind, asked.at, reason, limits);
}

void forget_planning(Change& change, const Asked& asked) {
  change.tx.execute("DELETE FROM plannings WHERE task_id = $1 AND asked_at = $2 AND failures = 0",
                    asked.task.id, asked.at);
  change.tx.execute(
      "UPDATE plannings SET asked_at = NULL, next_at = $3 WHERE task_id = $1 AND asked_at = $2",
      asked.task.id, asked.at, change.now);
}

namespace {

enum class Of { all, not_escalated };

// Every task in triage by priority, then the oldest first, until `take` says false.
void each_triaged(db::Reader& tx, Of of, Instant now, const PlanningLimits& limits,
                  const std::function<bool(Triaged)>& take) {
  // The index holds those that nobody escalated.
  const bool all = of == Of::all;
  auto row =
      tx.query("SELECT t.id, t.tenant, t.block_source IS NOT NULL, p.task_id IS NOT NULL, " +
                   k_planning_columns + " FROM tasks t " + (all ? "" : "INDEXED BY tasks_triage") +
                   " LEFT JOIN plannings p ON p.task_id = t.id WHERE t.status = 'triage'" +
                   (all ? "" : " AND t.block_source IS NULL") +
                   " ORDER BY t.priority DESC, t.created_at, t.id",
               now, limits.retry_max.count(), rules::k_clock_slack.count());
  while (row.next() &&
         take({row.text(0), row.text(1), row.integer(2) == 1,
               row.integer(3) == 1 ? std::optional(read_planning(row, 4)) : std::nullopt})) {
  }
}

}  // namespace

std::vector<Triaged> triaged(db::Reader& tx, Instant now, const PlanningLimits& limits,
                             std::size_t most) {
  std::vector<Triaged> found;
  each_triaged(tx, Of::all, now, limits, [&](Triaged task) {
    found.push_back(std::move(task));
    return found.size() < most;
  });
  return found;
}

DuePlannings due_plannings(db::Reader& tx, Instant now, const PlanningLimits& limits,
                           std::size_t most) {
  DuePlannings due;
  std::vector<std::pair<std::int64_t, std::string>> candidates;  // failures, id
  each_triaged(tx, Of::not_escalated, now, limits, [&](Triaged task) {
    if (const auto reason = rules::not_due(task.escalated, task.planning, now, limits)) {
      if (reason->until && (!due.next_at || *reason->until < *due.next_at)) {
        due.next_at = reason->until;
      }
    } else {
      candidates.emplace_back(task.planning ? task.planning->failures : 0, std::move(task.id));
    }
    return true;
  });
  std::ranges::stable_sort(candidates, {}, [](const auto& one) { return one.first; });
  candidates.resize(std::min(candidates.size(), most));
  for (auto& [failures, id] : candidates) {
    due.ids.push_back(std::move(id));
  }
  return due;
}

std::int64_t count_triaged(db::Reader& tx) {
  auto row = tx.query(
      "SELECT count(*) FROM tasks INDEXED BY tasks_triage WHERE status = 'triage' AND block_source "
      "IS NULL");
  return row.next() ? row.integer(0) : 0;
}

}  // namespace hermes::board
