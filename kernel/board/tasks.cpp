#include "kernel/board/tasks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "kernel/base/ids.hpp"
#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/rules/links.hpp"

namespace hermes::board {

std::optional<std::string> body_to_store(const std::optional<std::string>& body) {
  return body ? std::optional(mask_surely_secret(*body)) : std::nullopt;
}

Result<void> check_assignee(std::string_view name) {
  TRY(check_text("the assignee", name, k_name_bytes));
  if (!is_plain(name)) {
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
                "name a profile or leave the assignee out");
  }
  TRY(check_assignee(request.assignee));
  TRY(check_text("the tenant", request.tenant, k_name_bytes));
  TRY(check_text("the creator", request.created_by, k_name_bytes));
  TRY(check_key(request.idempotency_key));
  TRY(check_text("the branch", request.branch.value_or(""), k_name_bytes));
  TRY(check_text("the workspace path", request.workspace_path.value_or(""), k_path_bytes));
  TRY(check_text("the model", request.model, k_name_bytes));
  TRY(check_text("the provider", request.provider, k_name_bytes));
  TRY(check_text("the workflow", request.workflow_template_id.value_or(""), k_name_bytes));
  TRY(check_text("the step", request.step_key.value_or(""), k_name_bytes));
  return {};
}

Result<void> check_start(const NewTask& request) {
  if (request.blocked + request.triage + request.scheduled > 1) {
    return fail(ErrorCode::usage, "a task begins in one state: blocked, in triage or scheduled",
                "ask for one of them");
  }
  if (request.goal_max_turns && !request.goal_mode) {
    return fail(ErrorCode::usage, "the most turns of a goal are given, but it is no goal",
                "make it a goal, or leave them out");
  }
  if (request.goal_max_turns && *request.goal_max_turns < 1) {
    return fail(ErrorCode::usage,
                fmt::format("the most turns of a goal are {}, they must be at least 1",
                            *request.goal_max_turns),
                "leave it out for the worker's own number");
  }
  return {};
}

Result<void> check_numbers(const NewTask& request) {
  TRY(check_priority(request.priority));
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
                  "give each skill by itself");
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
  if (request.scheduled) {
    return Status::scheduled;
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
        " failure_limit, block_source, skills, wake_at, worker_options, goal_mode, goal_max_turns, "
        "workflow_template_id, step_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "$10, $11, $11, $12,"
        " $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25) ON CONFLICT (id) DO "
        "NOTHING",
        id, mask_secrets(trim(request.title)), body_to_store(request.body), status,
        to_lower(trim(request.assignee)), std::string(trim(request.tenant)), request.priority,
        signed_by(change, std::string(trim(request.created_by))), request.origin, change.now, since,
        request.workspace_kind, request.workspace_path, request.branch, request.idempotency_key,
        request.max_runtime, request.failure_limit, source, dump(skills),
        request.scheduled ? request.wake_at : std::nullopt,
        with_model("{}", request.model, request.provider), request.goal_mode,
        request.goal_max_turns, request.workflow_template_id, request.step_key);
    if (added == 1) {
      return id;
    }
  }
  return {};
}

}  // namespace

Result<Created> create(Change& change, const NewTask& request) {
  TRY(may_add(change));
  TRY(check_title(request.title));
  TRY(check_text("the body", request.body.value_or(""), k_body_bytes));
  TRY(check_names(request));
  TRY(check_numbers(request));
  TRY(check_start(request));
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
    return rules::satisfies(request.condition, parent);
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
  nlohmann::json payload{{"assignee", or_null(task.assignee)},
                         {"status", to_word(status)},
                         {"to", to_word(status)},
                         {"parents", parent_ids},
                         {"tenant", or_null(task.tenant)},
                         {"by", or_null(task.created_by)}};
  if (task.wake_at) {
    payload["wake_at_ms"] = task.wake_at->ms;
  }
  if (request.decomposed_from) {
    payload["from_decompose_of"] = *request.decomposed_from;
  }
  append_event(change, id, std::nullopt, EventKind::created, dump(payload));
  return Created{std::move(task), false};
}

Result<void> check_key(const std::optional<std::string>& key) {
  if (key && trim(*key).empty()) {
    return fail(ErrorCode::usage, "the idempotency key is blank",
                "name what is to be made only once, or leave the key out");
  }
  return check_text("the idempotency key", key.value_or(""), k_name_bytes);
}

Result<void> check_title(std::string_view title) {
  if (trim(title).empty()) {
    return fail(ErrorCode::invalid, "a task needs a title",
                "say in a few words what is to be done");
  }
  return check_text("the title", title, k_title_bytes);
}

Result<void> check_priority(std::int64_t priority) {
  if (priority > k_most_priority || priority < -k_most_priority) {
    return fail(ErrorCode::invalid, fmt::format("priority {} is out of range", priority),
                fmt::format("use a number from -{0} to {0}", k_most_priority));
  }
  return {};
}

std::string with_model(const std::string& options, const std::string& model,
                       const std::string& provider) {
  nlohmann::json all = parse_json<nlohmann::json>(options);
  if (!all.is_object()) {
    all = nlohmann::json::object();
  }
  for (const auto& [key, value] : {std::pair("model", &model), std::pair("provider", &provider)}) {
    if (trim(*value).empty()) {
      all.erase(key);
    } else {
      all[key] = std::string(trim(*value));
    }
  }
  return dump(all);
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
