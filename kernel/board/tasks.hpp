#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/task.hpp"

namespace hermes::board {

// The rule for the name of an assignee, wherever one is given: one line of at most k_name_bytes.
// Error: invalid.
Result<void> check_assignee(std::string_view name);

// What `create` may be given. Names are trimmed; assignees lower-cased. "" means none.
struct NewTask {
  std::string title;
  std::optional<std::string> body;
  std::string assignee;
  bool assignee_given = false;       // a given but blank assignee is refused
  std::vector<std::string> parents;  // whole ids
  LinkCondition condition = LinkCondition::done;
  std::string tenant;
  std::int64_t priority = 0;
  std::string created_by;
  std::optional<std::string> origin;
  bool triage = false;
  bool blocked = false;
  bool scheduled = false;          // at most one of the three
  std::optional<Instant> wake_at;  // of a scheduled task; without: until unblock
  std::optional<std::string> idempotency_key;
  std::optional<Millis> max_runtime;
  std::optional<std::int64_t> failure_limit;
  WorkspaceKind workspace_kind = WorkspaceKind::scratch;
  std::optional<std::string> workspace_path;
  std::optional<std::string> branch;
  std::vector<std::string> skills;
  std::string model;  // asked of its worker, as provider is
  std::string provider;
  bool goal_mode = false;
  std::optional<std::int64_t> goal_max_turns;  // at least 1; only with goal_mode
  std::optional<std::string> workflow_template_id;
  std::optional<std::string> step_key;
  std::optional<std::string> decomposed_from;  // the task that it is a part of, for its event
};

struct Created {
  Task task;
  bool existing = false;  // a live task had the idempotency key; nothing was written
};

// Validates, then looks the key up, then writes row, links and event. Error: invalid (blank title,
// bounds, skills), not_found (every unknown parent named), not_yours.
Result<Created> create(Change& change, const NewTask& request);

// Error: usage for a blank key, which everybody who forgot one would share; invalid for a long one.
Result<void> check_key(const std::optional<std::string>& key);

// The bounds of a title and of a priority, for whoever sets them. Error: invalid.
Result<void> check_title(std::string_view title);
Result<void> check_priority(std::int64_t priority);

// `options` (JSON) with model and provider replaced; "" takes them out.
std::string with_model(const std::string& options, const std::string& model,
                       const std::string& provider);

// Error: not_found.
Result<Task> get_task(db::Reader& tx, const std::string& id);
// A body as it is stored: one that may be a program, so that only what surely is a secret is
// masked.
std::optional<std::string> body_to_store(const std::optional<std::string>& body);

std::optional<Task> find_task(db::Reader& tx, const std::string& id);

// A whole id or a unique beginning of one ("t_1c52", "1c52"). Error: not_found, or invalid naming
// the first matches.
Result<std::string> resolve_id(db::Reader& tx, std::string_view text);

enum class Sort { priority, priority_asc, created, created_desc, status, assignee, title, updated };
}  // namespace hermes::board

template <>
inline constexpr auto hermes::k_words<hermes::board::Sort> =
    std::to_array<std::string_view>({"priority", "priority-asc", "created", "created-desc",
                                     "status", "assignee", "title", "updated"});

namespace hermes::board {

struct ListFilter {
  std::optional<std::string> assignee;  // "" lists those without one
  std::optional<Status> status;
  std::optional<std::string> tenant;
  std::optional<std::string> origin;  // session
  std::optional<std::string> workflow_template_id;
  std::optional<std::string> step_key;
  bool archived = false;
  Sort sort = Sort::priority;
  std::int64_t limit = 0;  // 0: all
};
Result<std::vector<Task>> list_tasks(db::Reader& tx, const ListFilter& filter);

}  // namespace hermes::board
