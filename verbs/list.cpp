#include <algorithm>

#include "kernel/base/text.hpp"
#include "kernel/board/stats.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/db/watch.hpp"
#include "verbs/fleet.hpp"
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

// The filters as they were given, for the heading of a picture.
std::string filter_text(const Values& values) {
  std::string out;
  for (const auto& [name, given] : values.all()) {
    if (name != "watch" && !given.empty()) {
      out +=
          (out.empty() ? "--" : " --") + name + (given.front().empty() ? "" : " " + given.front());
    }
  }
  return out;
}

// Whatever happens, the terminal is given back as it was.
struct ScreenEnd {
  Host& host;
  explicit ScreenEnd(Host& one) : host(one) {}
  ~ScreenEnd() { host.end_screen(); }
  ScreenEnd(const ScreenEnd&) = delete;
  ScreenEnd& operator=(const ScreenEnd&) = delete;
};

// No more rows are read than the terminal has, so that a large board is drawn as fast as a small
// one.
Result<Answer> watch_list(OpenBoard& open, Call& call, const board::ListFilter& filter) {
  if (call.json) {
    return fail(ErrorCode::usage, "--watch draws for people and has no JSON form",
                "`hermes kanban watch --json` prints each event as it is committed");
  }
  TRY(call.host.begin_screen());
  const ScreenEnd end{call.host};
  TRY_ASSIGN(db::GateWatch changes, db::GateWatch::on(open.paths.lock()));
  Answer answer;
  answer.people = {{"watched", true}};
  while (true) {
    const auto rows = static_cast<std::int64_t>(call.host.screen().rows) + 1;
    board::ListFilter visible = filter;
    visible.limit = filter.limit == 0 ? rows : std::min(filter.limit, rows);
    TRY_ASSIGN(Json picture, open.database.read([&](db::Reader& tx) -> Result<Json> {
      TRY_ASSIGN(const std::vector<Task> tasks, board::list_tasks(tx, visible));
      Json lines = Json::array();
      for (const Task& task : tasks) {
        lines.push_back(task_line_json(task));
      }
      return Json{{"tasks", std::move(lines)}, {"counts", counts_json(board::stats(tx).by_status)}};
    }));
    picture["board"] = open.paths.slug;
    picture["filter"] = filter_text(call.values);
    if (!call.host.draw(picture) ||
        call.host.wait_for(changes, std::nullopt) == Host::Woken::stopped) {
      return answer;
    }
    if (changes.take() == db::GateWatch::Seen::lost) {
      TRY_ASSIGN(changes, db::GateWatch::on(open.paths.lock()));
    }
  }
}

}  // namespace

Result<Answer> list(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  const board::ListFilter filter = filter_of(call);
  if (call.values.flag("watch")) {
    return watch_list(open, call, filter);
  }
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
