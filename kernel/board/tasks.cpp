#include "kernel/board/tasks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/rules/links.hpp"

namespace hermes::board {

Result<void> check_assignee(std::string_view name) {
  TRY(check_text("the assignee", name, k_name_bytes));
  if (printable(name) != name) {
    return fail(ErrorCode::invalid,
                fmt::format("the assignee '{}' contains control characters", printable(name)),
                "a name is one line of visible text");
  }
  return {};
}

namespace {

Result<void> check_names(const NewTask& request) {
  if (request.assignee_given && trim(request.assignee).empty()) {
    return fail(ErrorCode::invalid, "the assignee is blank",
                "name a profile or leave --assignee out");
  }
  TRY(check_assignee(request.assignee));
  TRY(check_text("the tenant", request.tenant, k_name_bytes));
  TRY(check_text("the creator", request.created_by, k_name_bytes));
  TRY(check_text("the idempotency key", request.idempotency_key.value_or(""), k_name_bytes));
  TRY(check_text("the branch", request.branch.value_or(""), k_name_bytes));
  TRY(check_text("the workspace path", request.workspace_path.value_or(""), k_path_bytes));
  return {};
}

Result<void> check_numbers(const NewTask& request) {
  if (request.priority > k_most_priority || request.priority < -k_most_priority) {
    return fail(ErrorCode::invalid, fmt::format("priority {} is out of range", request.priority),
                fmt::format("use a number from -{0} to {0}", k_most_priority));
  }
  if (request.max_runtime && request.max_runtime->count() <= 0) {
    return fail(ErrorCode::invalid, "the maximum runtime is not positive", "leave it out for none");
  }
  if (request.failure_limit && *request.failure_limit < 1) {
    return fail(ErrorCode::usage,
                fmt::format("max-retries is {}, it must be at least 1", *request.failure_limit),
                "use 1 to give up at the first failure");
  }
  if (request.parents.size() > k_most_parents) {
    return fail(ErrorCode::invalid,
                fmt::format("{} parents, the limit is {}", request.parents.size(), k_most_parents),
                "collect them under one task and wait for that");
  }
  return {};
}

Result<std::vector<std::string>> check_skills(const std::vector<std::string>& given) {
  std::vector<std::string> skills;
  for (const std::string& raw : given) {
    const std::string skill(trim(raw));
    if (skill.find(',') != std::string::npos) {
      return fail(ErrorCode::invalid, fmt::format("skill '{}' contains a comma", printable(skill)),
                  "give --skill once for each name");
    }
    TRY(check_text("the skill", skill, k_name_bytes));
    if (!skill.empty() && std::find(skills.begin(), skills.end(), skill) == skills.end()) {
      skills.push_back(skill);
    }
  }
  return skills;
}

Result<std::vector<Task>> find_parents(db::Reader& tx, const std::vector<std::string>& ids) {
  std::vector<Task> parents;
  std::vector<std::string> missing;
  std::set<std::string> seen;
  for (const std::string& id : ids) {
    if (!seen.insert(id).second) {
      continue;
    }
    if (auto parent = find_task(tx, id)) {
      parents.push_back(std::move(*parent));
    } else {
      missing.push_back(printable(clip(id, 40)));
    }
  }
  if (!missing.empty()) {
    return fail(ErrorCode::not_found, fmt::format("unknown parent(s): {}", join(missing, ", ")),
                "nothing was created; see `hermes kanban list` for the ids of this board");
  }
  return parents;
}

Status first_status(const NewTask& request, bool open_link) {
  if (request.blocked) {
    return Status::blocked;
  }
  if (request.triage) {
    return Status::triage;
  }
  return open_link ? Status::todo : Status::ready;
}

std::string insert_row(Change& change, const NewTask& request,
                       const std::vector<std::string>& skills, Status status) {
  const auto since = status == Status::ready ? std::optional(change.now) : std::nullopt;
  const auto source = status == Status::blocked ? std::optional(BlockSource::human) : std::nullopt;
  // 32 random bits collide now and then on a large board: another id is drawn.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::string id = new_task_id(change.random);
    const int added = change.tx.execute(
        "INSERT INTO tasks (id, title, body, status, assignee, tenant, priority, created_by, "
        "origin, created_at,"
        " updated_at, ready_since, eligible_at, workspace_kind, workspace_path, branch, "
        "idempotency_key, max_runtime_ms,"
        " failure_limit, block_source, skills) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "$10, $11, $11, $12,"
        " $13, $14, $15, $16, $17, $18, $19) ON CONFLICT (id) DO NOTHING",
        id, std::string(trim(request.title)), request.body, status,
        to_lower(trim(request.assignee)), std::string(trim(request.tenant)), request.priority,
        std::string(trim(request.created_by)), request.origin, change.now, since,
        request.workspace_kind, request.workspace_path, request.branch, request.idempotency_key,
        request.max_runtime, request.failure_limit, source, dump(skills));
    if (added == 1) {
      return id;
    }
  }
  return {};
}

}  // namespace

Result<Created> create(Change& change, const NewTask& request) {
  if (trim(request.title).empty()) {
    return fail(ErrorCode::invalid, "a task needs a title",
                "say in a few words what is to be done");
  }
  TRY(check_text("the title", request.title, k_title_bytes));
  TRY(check_text("the body", request.body.value_or(""), k_body_bytes));
  TRY(check_names(request));
  TRY(check_numbers(request));
  TRY_ASSIGN(const auto skills, check_skills(request.skills));
  TRY_ASSIGN(const auto parents, find_parents(change.tx, request.parents));
  if (request.idempotency_key) {
    auto row =
        change.tx.query("SELECT " + k_task_columns +
                            " FROM tasks t WHERE t.idempotency_key = $1 AND t.status <> 'archived'",
                        *request.idempotency_key);
    if (row.next()) {
      return Created{read_task(row), true};
    }
  }
  const auto satisfied = [&](const Task& parent) {
    return rules::satisfies(request.condition, parent.status, parent.block_source);
  };
  const bool open =
      std::any_of(parents.begin(), parents.end(), [&](const Task& p) { return !satisfied(p); });
  const Status status = first_status(request, open);
  const std::string id = insert_row(change, request, skills, status);
  if (id.empty()) {
    return fail(ErrorCode::internal, "no free task id was found", "try again");
  }
  std::vector<std::string> parent_ids;
  for (const Task& parent : parents) {
    change.tx.execute(
        "INSERT INTO links (parent_id, child_id, condition, satisfied_at) VALUES ($1, $2, $3, $4)",
        parent.id, id, request.condition,
        satisfied(parent) ? std::optional(change.now) : std::nullopt);
    parent_ids.push_back(parent.id);
  }
  TRY_ASSIGN(Task task, get_task(change.tx, id));
  const auto or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::json() : nlohmann::json(text);
  };
  append_event(change, id, std::nullopt, EventKind::created,
               dump({{"assignee", or_null(task.assignee)},
                     {"status", to_word(status)},
                     {"to", to_word(status)},
                     {"parents", parent_ids},
                     {"tenant", or_null(task.tenant)},
                     {"by", or_null(task.created_by)}}));
  return Created{std::move(task), false};
}

std::optional<Task> find_task(db::Reader& tx, const std::string& id) {
  auto row = tx.query("SELECT " + k_task_columns + " FROM tasks t WHERE t.id = $1", id);
  return row.next() ? std::optional(read_task(row)) : std::nullopt;
}

Result<Task> get_task(db::Reader& tx, const std::string& id) {
  if (auto task = find_task(tx, id)) {
    return std::move(*task);
  }
  return fail(ErrorCode::not_found, fmt::format("no such task: {}", printable(clip(id, 40))),
              "see `hermes kanban list` for the ids of this board");
}

Result<std::string> resolve_id(db::Reader& tx, std::string_view text) {
  const std::string given = to_lower(trim(text));
  if (!is_task_id_prefix(given)) {
    return fail(ErrorCode::not_found, fmt::format("no such task: '{}'", printable(clip(text, 40))),
                "a task id is t_ and 8 hexadecimal digits, or a unique beginning of one");
  }
  const std::string prefix = given.starts_with("t_") ? given : "t_" + given;
  std::vector<std::string> matches;
  auto row = tx.query("SELECT id FROM tasks WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 4", prefix,
                      prefix + "g");
  while (row.next()) {
    matches.push_back(row.text(0));
  }
  if (matches.size() == 1) {
    return matches.front();
  }
  if (matches.empty()) {
    return fail(ErrorCode::not_found, fmt::format("no such task: {}", given),
                "see `hermes kanban list` for the ids of this board");
  }
  return fail(ErrorCode::invalid,
              fmt::format("'{}' is the beginning of more than one id: {}{}", given,
                          join(matches, ", "), matches.size() == 4 ? " ..." : ""),
              "give more digits");
}

}  // namespace hermes::board
