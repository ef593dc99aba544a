#include <fmt/core.h>

#include <filesystem>

#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/tasks.hpp"
#include "verbs/handlers.hpp"
#include "verbs/moving.hpp"
#include "verbs/names.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"
#include "verbs/workspace.hpp"

namespace hermes::verbs {

namespace {

// A project that is silently dropped would be missed only when the work is in the wrong place.
Result<void> check_project(const Values& values) {
  if (!values.has("project")) {
    return {};
  }
  return fail(ErrorCode::invalid,
              fmt::format("there is no project '{}': this board keeps no registry of projects",
                          printable(clip(values.text_or("project", ""), 100))),
              "name the place with --workspace dir:PATH, and the project with --tenant");
}

// Everything that can be judged without the board, in the order in which the predecessor's users
// know the refusals.
Result<board::NewTask> request_of(Call& call) {
  const Values& values = call.values;
  TRY_ASSIGN(WorkspaceForm workspace, parse_workspace(values.text_or("workspace", "scratch"),
                                                      call.environment.variable("HOME")));
  const auto branch = values.text("branch");
  TRY(check_branch(branch, workspace.kind));
  board::NewTask request;
  TRY_ASSIGN(request.body, body_of(call));
  request.title = values.text_or("title", "");
  request.assignee = values.text_or("assignee", "");
  request.assignee_given = values.has("assignee");
  request.condition = *from_word<LinkCondition>(values.text_or("link-condition", "done"));
  request.tenant = values.text_or("tenant", call.environment.variable("HERMES_TENANT"));
  request.priority = values.integer("priority").value_or(0);
  request.created_by = values.text_or("created-by", call.environment.author());
  const std::string session =
      values.text_or("session", call.environment.variable("HERMES_SESSION_ID"));
  request.origin = session.empty() ? std::nullopt : std::optional(session);
  TRY(check_project(values));
  TRY_ASSIGN(request.wake_at, wake_time(call));
  request.scheduled = request.wake_at.has_value();
  request.triage = values.flag("triage");
  request.blocked = values.text("initial-status") == "blocked";
  request.idempotency_key = values.text("idempotency-key");
  request.max_runtime = values.duration("max-runtime");
  request.failure_limit = values.integer("max-retries");
  request.workspace_kind = workspace.kind;
  request.workspace_path = workspace.path;
  request.branch = branch;
  request.skills = values.list("skill");
  request.model = values.text_or("model", "");
  request.provider = values.text_or("provider", "");
  request.goal_mode = values.flag("goal");
  request.goal_max_turns = values.integer("goal-max-turns");
  request.workflow_template_id = values.text("workflow-template-id");
  request.step_key = values.text("step-key");
  return request;
}

// Beginnings of ids become ids. All that name no task are named in one error.
Result<std::vector<std::string>> parents_of(db::Reader& tx, const std::vector<std::string>& given) {
  std::vector<std::string> parents;
  std::vector<std::string> unknown;
  for (const std::string& text : given) {
    auto id = board::resolve_id(tx, text);
    if (id) {
      parents.push_back(*std::move(id));
    } else if (id.error().code == ErrorCode::not_found) {
      unknown.push_back(printable(clip(text, 100)));
    } else {
      return std::unexpected(std::move(id).error());
    }
  }
  if (!unknown.empty()) {
    return fail(ErrorCode::not_found,
                fmt::format("no such parent task{}: {}", unknown.size() == 1 ? "" : "s",
                            join(unknown, ", ")),
                "nothing was created; `hermes kanban list` shows the tasks there are");
  }
  return parents;
}

// Where a task works that has named no path: never for scratch, whose directory is removed one day.
Result<void> inherit_workdir(const OpenBoard& open, board::NewTask& request) {
  if (request.workspace_kind == WorkspaceKind::scratch || request.workspace_path) {
    return {};
  }
  TRY_ASSIGN(const home::BoardSettings settings, home::load_board_settings(open.paths));
  if (settings.default_workdir.empty()) {
    const std::string_view kind = to_word(request.workspace_kind);
    return fail(ErrorCode::usage,
                fmt::format("workspace {} names no path, and board {} has no default_workdir", kind,
                            open.paths.slug),
                fmt::format("give one ({}:PATH), or set it: hermes kanban boards "
                            "set-default-workdir {} PATH",
                            kind, open.paths.slug));
  }
  request.workspace_path = settings.default_workdir;
  return {};
}

void warn_when_nobody_starts_it(Call& call, const OpenBoard& open, const Task& task,
                                Answer& answer) {
  if (call.json || task.status != Status::ready || task.assignee.empty()) {
    return;
  }
  std::error_code ignored;
  if (home::parse_profile_name(task.assignee) &&
      fs::exists(open.home.profile(task.assignee), ignored) &&
      !call.host.dispatcher_state(open.home).alive) {
    answer.people_advice.push_back(
        "warning: no dispatcher is running, so nothing starts it; start one with `hermes "
        "dispatcher start`");
  }
}

}  // namespace

namespace {

// An archived parent that was never done cannot become done any more.
void warn_of_dead_parents(OpenBoard& open, const Task& task, Answer& answer) {
  if (task.status != Status::todo) {
    return;
  }
  (void)open.database.read([&](db::Reader& tx) -> Result<void> {
    for (const rules::OpenParent& parent : board::open_parents(tx, task.id)) {
      if (parent.status == Status::archived) {
        answer.advice.push_back(
            fmt::format("note: {} is archived and was never done, so {} waits for it until `hermes "
                        "kanban unlink {} {}`",
                        parent.id, task.id, parent.id, task.id));
      }
    }
    return {};
  });
}

}  // namespace

Result<Answer> create(Call& call) {
  TRY_ASSIGN(board::NewTask request, request_of(call));
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY(inherit_workdir(open, request));
  TRY_ASSIGN(const board::Created created,
             change(open, call, [&](board::Change& tx) -> Result<board::Created> {
               TRY_ASSIGN(request.parents, parents_of(tx.tx, call.values.list("parent")));
               return board::create(tx, request);
             }));
  Answer answer;
  answer.value = task_json(created.task);
  answer.value["existing"] = created.existing;
  if (created.existing && created.task.title != trim(request.title)) {
    answer.advice.push_back(fmt::format(
        "note: {} has this idempotency key already, with the title '{}'; nothing was changed",
        created.task.id, printable(created.task.title)));
  }
  tell_config_error(open, answer);
  if (!created.existing) {
    tell_masked_body(request.body, created.task, answer);
    tell_past_wake_time(call, request.wake_at, answer);
  }
  warn_of_dead_parents(open, created.task, answer);
  if (!created.existing) {
    tell_unknown_assignee(open, created.task.assignee, answer);
    if (created.task.status == Status::ready && created.task.assignee.empty() &&
        open.config.limits.default_assignee.empty()) {
      answer.people_advice.push_back(fmt::format(
          "note: nobody is to work on it yet; `hermes kanban assign {} PROFILE`", created.task.id));
    }
    warn_when_nobody_starts_it(call, open, created.task, answer);
  }
  return answer;
}

}  // namespace hermes::verbs
