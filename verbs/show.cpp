#include <fmt/core.h>

#include <ranges>

#include "kernel/base/text.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/context.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/planning.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "verbs/handlers.hpp"
#include "verbs/health.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

Result<void> check_state_filter(const Values& values) {
  if (values.has("state-type") != values.has("state-name")) {
    return fail(ErrorCode::usage, "--state-type and --state-name are given together or not at all",
                "for example --state-type outcome --state-name crashed");
  }
  return {};
}

Json runs_json(const Values& values, const std::vector<Run>& runs) {
  const auto type = values.text("state-type");
  const std::string name = values.text_or("state-name", "");
  Json out = Json::array();
  for (const Run& run : runs) {
    const std::string state =
        type == "outcome" ? std::string(run.outcome ? to_word(*run.outcome) : "") : run_status(run);
    if (!type || state == name) {
      out.push_back(run_json(run));
    }
  }
  return out;
}

Json latest_summary(const std::vector<Run>& runs) {
  for (const Run& run : runs | std::views::reverse) {
    if (run.summary) {
      return *run.summary;
    }
  }
  return nullptr;
}

Json planning_json(const std::optional<Planning>& planning) {
  if (!planning) {
    return nullptr;
  }
  return {{"kind", to_word(planning->kind)},    {"asked_at", seconds_or_null(planning->asked_at)},
          {"failures", planning->failures},     {"next_at", planning->next_at.seconds()},
          {"next_at_ms", planning->next_at.ms}, {"last_error", or_null(planning->last_error)}};
}

Result<Json> whole_task(db::Reader& tx, const Call& call, const OpenBoard& open) {
  const home::BoardPaths& board = open.paths;
  TRY_ASSIGN(const std::string id, board::resolve_id(tx, call.values.text_or("task_id", "")));
  TRY_ASSIGN(const Task task, board::get_task(tx, id));
  const std::vector<Run> runs = board::runs_of(tx, id);
  Json comments = Json::array();
  for (const Comment& comment : board::comments_of(tx, id)) {
    comments.push_back(comment_json(comment));
  }
  Json events = Json::array();
  for (const Event& event : board::events_of(tx, id)) {
    events.push_back(event_json(event));
  }
  return Json{{"task", task_json(task)},
              {"planning", planning_json(board::planning_of(tx, id, call.environment.now,
                                                            open.config.planner.limits))},
              {"latest_summary", latest_summary(runs)},
              {"parents", board::parents_of(tx, id)},
              {"children", board::children_of(tx, id)},
              {"attachments", attachments_json(board::attachments_of(tx, id), board)},
              {"comments", std::move(comments)},
              {"events", std::move(events)},
              {"runs", runs_json(call.values, runs)}};
}

}  // namespace

Result<Answer> show(Call& call) {
  TRY(check_state_filter(call.values));
  TRY_ASSIGN(OpenBoard open, open_with_config(call));
  Answer answer;
  TRY_ASSIGN(answer.value,
             open.database.read([&](db::Reader& tx) { return whole_task(tx, call, open); }));
  TRY_ASSIGN(const auto found, diagnose_task(open, call, answer.value["task"]["id"]));
  answer.value["diagnostics"] = diagnostics_json(found);
  answer.people = {{"failure_limit", open.config.limits.failure_limit},
                   {"now_ms", call.environment.now.ms}};
  return answer;
}

Result<Answer> runs(Call& call) {
  TRY(check_state_filter(call.values));
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  Answer answer;
  TRY_ASSIGN(answer.value, open.database.read([&](db::Reader& tx) -> Result<Json> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx, call.values.text_or("task_id", "")));
    answer.people = {{"task_id", id}, {"now_ms", call.environment.now.ms}};
    return runs_json(call.values, board::runs_of(tx, id));
  }));
  return answer;
}

namespace {

// The worker of the task is told how to work, whether it asks for that or not.
board::Contract contract_for(const Call& call, const OpenBoard& open, const std::string& id) {
  const Actor actor = call.environment.actor();
  const bool own = actor.worker && actor.worker->task_id == id &&
                   (actor.worker->board.empty() || actor.worker->board == open.paths.slug);
  return own || call.values.flag("contract") ? board::Contract::included
                                             : board::Contract::left_out;
}

}  // namespace

Result<Answer> context(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_with_config(call));
  Answer answer;
  TRY_ASSIGN(answer.value, open.database.read([&](db::Reader& tx) -> Result<Json> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx, call.values.text_or("task_id", "")));
    TRY_ASSIGN(
        const std::string text,
        board::context_text(tx, id, call.environment.now, open.config.limits,
                            open.paths.attachments().string(), contract_for(call, open, id)));
    return Json{{"task_id", id}, {"text", text}};
  }));
  return answer;
}

}  // namespace hermes::verbs
