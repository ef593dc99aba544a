#include "kernel/base/text.hpp"
#include "kernel/board/tasks.hpp"
#include "verbs/handlers.hpp"
#include "verbs/names.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

board::ListFilter filter_of(const Call& call) {
  const Values& values = call.values;
  board::ListFilter filter;
  if (values.has("assignee")) {
    filter.assignee = assignee_name(*values.text("assignee"));
  } else if (values.flag("mine")) {
    filter.assignee = assignee_name(call.environment.author());
  }
  if (const auto status = values.text("status")) {
    filter.status = from_word<Status>(*status);
  }
  filter.tenant = values.text("tenant");
  filter.origin = values.text("session");
  filter.workflow_template_id = values.text("workflow-template-id");
  filter.step_key = values.text("step-key");
  filter.archived = values.flag("archived") || filter.status == Status::archived;
  filter.sort =
      from_word<board::Sort>(values.text_or("sort", "priority")).value_or(board::Sort::priority);
  filter.limit = values.integer("limit").value_or(0);
  return filter;
}

}  // namespace

Result<Answer> list(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  const board::ListFilter filter = filter_of(call);
  TRY_ASSIGN(const std::vector<Task> tasks,
             open.database.read([&](db::Reader& tx) { return board::list_tasks(tx, filter); }));
  Answer answer;
  answer.value = Json::array();
  for (const Task& task : tasks) {
    answer.value.push_back(call.json ? task_json(task) : task_line_json(task));
  }
  if (!call.json) {
    answer.people = {{"board", open.paths.slug}, {"boards", home::list_boards(open.home).size()}};
  }
  return answer;
}

}  // namespace hermes::verbs
