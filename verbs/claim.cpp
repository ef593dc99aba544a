#include "kernel/board/claims.hpp"

#include "kernel/board/tasks.hpp"
#include "kernel/home/workspace.hpp"
#include "verbs/handlers.hpp"
#include "verbs/names.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

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

}  // namespace

Result<Answer> claim(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  board::ClaimRequest request;
  request.host = call.host.identity();
  request.holder = call.host.holder();
  request.profile = assignee_name(call.values.text_or("as", open.actor.name));
  request.ttl = call.values.duration("ttl").value_or(open.config.limits.claim_ttl);
  TRY_ASSIGN(const Task task, rehearse(open, call, request));
  TRY_ASSIGN(request.workspace_path, home::prepare_workspace(open.paths, task));
  TRY_ASSIGN(const Run run, change(open, call, [&](board::Change& tx) {
               return board::claim(tx, task.id, request);
             }));
  Answer answer;
  answer.value = {{"task_id", task.id},
                  {"run_id", run.id},
                  {"token", run.token},
                  {"attempt", run.attempt},
                  {"profile", or_null(run.profile)},
                  {"workspace", or_null(request.workspace_path)},
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
