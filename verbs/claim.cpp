#include "kernel/board/claims.hpp"

#include "kernel/board/tasks.hpp"
#include "kernel/board/trees.hpp"
#include "kernel/home/workspace.hpp"
#include "kernel/home/worktree.hpp"
#include "verbs/handlers.hpp"
#include "verbs/names.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

constexpr Millis k_tree_term{120'000};  // of all the git commands for one tree

// A claim that would be refused must leave no directory behind, and a directory that cannot be made
// must leave no claim behind. So the claim is rehearsed in a transaction that is rolled back; then
// the directory is made; then the task is claimed.
Result<Task> rehearse(OpenBoard& open, Call& call, const board::ClaimRequest& request) {
  std::optional<Task> task;
  const auto rolled_back = change(open, call, [&](board::Change& tx) -> Result<bool> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx.tx, call.values.text_or("task_id", "")));
    TRY_ASSIGN(const Task found, board::get_task(tx.tx, id));
    TRY(board::claim(tx, id, request));
    task = found;
    return fail(ErrorCode::internal, "rehearsed");
  });
  if (task) {
    return *std::move(task);
  }
  return std::unexpected(rolled_back.error());
}

// Where it is worked, into the request: made now, with git where it takes that.
Result<void> prepare(OpenBoard& open, const Task& task, board::ClaimRequest& request) {
  if (task.workspace_kind != WorkspaceKind::worktree) {
    TRY_ASSIGN(request.workspace_path, home::prepare_workspace(open.paths, task));
    return {};
  }
  home::Git git(k_tree_term);
  TRY_ASSIGN(const home::Tree tree,
             home::prepare_worktree(open.paths, {task.id, task.workspace_path, task.branch}, git));
  request.workspace_path = tree.path;
  request.branch = tree.branch;
  return {};
}

// The check is part of the transaction that claims, so that of two who name one tree one is
// refused.
Result<Run> claim_prepared(board::Change& tx, const Task& task,
                           const board::ClaimRequest& request) {
  if (task.workspace_kind == WorkspaceKind::worktree) {
    if (const auto user = board::tree_user(tx.tx, *request.workspace_path, task.id)) {
      return std::unexpected(board::tree_in_use(*request.workspace_path, *user));
    }
  }
  return board::claim(tx, task.id, request);
}

}  // namespace

Result<Answer> claim(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  board::ClaimRequest request;
  request.host = call.host.identity();
  request.holder = call.host.holder();
  request.profile = assignee_name(call.values.text_or("as", open.actor.name));
  request.ttl = call.values.duration("ttl").value_or(open.config.limits.claim_ttl);
  TRY(change(open, call, [&](board::Change& tx) -> Result<bool> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx.tx, call.values.text_or("task_id", "")));
    return board::expire_claim_by_hand(tx, id);
  }));
  TRY_ASSIGN(const Task task, rehearse(open, call, request));
  TRY(prepare(open, task, request));
  TRY_ASSIGN(const Run run, change(open, call, [&](board::Change& tx) {
               return claim_prepared(tx, task, request);
             }));
  Answer answer;
  answer.value = {{"task_id", task.id},
                  {"run_id", run.id},
                  {"token", run.token},
                  {"attempt", run.attempt},
                  {"profile", or_null(run.profile)},
                  {"workspace", or_null(request.workspace_path)},
                  {"branch", or_null(request.branch)},
                  {"ttl_ms", request.ttl.count()},
                  {"expires_at_ms", (call.environment.now + request.ttl).ms}};
  tell_config_error(open, answer);
  return answer;
}

Result<Answer> heartbeat(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  TRY_ASSIGN(const Run run, change(open, call, [&](board::Change& tx) -> Result<Run> {
               TRY_ASSIGN(const std::string id,
                          board::resolve_id(tx.tx, call.values.text_or("task_id", "")));
               return board::heartbeat(tx, id, call.values.text("note"));
             }));
  Answer answer;
  answer.value = {{"task_id", run.task_id},
                  {"ok", true},
                  {"run_id", run.id},
                  {"heartbeat_at_ms", ms_or_null(run.heartbeat_at)},
                  {"note", or_null(run.heartbeat_note)}};
  return answer;
}

}  // namespace hermes::verbs
