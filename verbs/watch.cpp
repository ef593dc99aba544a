#include "kernel/db/watch.hpp"

#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/tasks.hpp"
#include "verbs/handlers.hpp"
#include "verbs/names.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

constexpr std::int64_t k_page = 500;  // rows looked at in one read transaction

Result<board::EventFilter> filter_of(const Values& values) {
  board::EventFilter filter;
  if (const auto assignee = values.text("assignee")) {
    filter.assignee = assignee_name(*assignee);
  }
  filter.tenant = values.text("tenant");
  filter.kinds = split_list(values.text_or("kinds", ""), ',');
  for (const std::string& kind : filter.kinds) {
    if (!from_word<EventKind>(kind)) {
      return fail(
          ErrorCode::usage,
          fmt::format("--kinds: there is no kind of event '{}'", printable(clip(kind, 100))),
          "the kinds are " + word_list<EventKind>());
    }
  }
  if (values.has("kinds") && filter.kinds.empty()) {
    return fail(ErrorCode::usage, "--kinds names no kind of event",
                "the kinds are " + word_list<EventKind>());
  }
  return filter;
}

// Everything after the cursor, page by page. False: nobody reads any more.
Result<bool> emit_new(OpenBoard& open, Host& host, const board::EventFilter& filter,
                      std::int64_t& cursor) {
  while (true) {
    TRY_ASSIGN(const board::EventPage page,
               open.database.read([&](db::Reader& tx) -> Result<board::EventPage> {
                 return board::events_after(tx, cursor, k_page, filter);
               }));
    for (const board::WatchedEvent& watched : page.events) {
      if (!host.emit(watched_json(watched))) {
        return false;
      }
    }
    cursor = page.cursor;
    if (!page.more) {
      return true;
    }
  }
}

Result<std::int64_t> first_cursor(OpenBoard& open, const Values& values) {
  if (const auto since = values.integer("since")) {
    return *since;
  }
  return open.database.read(
      [](db::Reader& tx) -> Result<std::int64_t> { return board::last_event(tx); });
}

// From `cursor` on, until nobody reads any more, the call is to end, or `over` says so after what
// was committed has been printed.
template <class Over>
Result<Answer> follow(OpenBoard& open, Call& call, const board::EventFilter& filter,
                      std::int64_t cursor, Json facts, Over over) {
  // Before the first look, or a commit between look and watch would be seen only with the next one.
  TRY_ASSIGN(db::GateWatch changes, db::GateWatch::on(open.paths.lock()));
  facts["board"] = open.paths.slug;
  facts["since"] = cursor;
  call.host.begin(facts);
  const auto interval = call.values.duration("interval");
  Answer answer;
  while (true) {
    TRY_ASSIGN(const bool is_over, over());  // before the look, so that its last event is printed
    TRY_ASSIGN(const bool read_by_somebody, emit_new(open, call.host, filter, cursor));
    if (is_over || !read_by_somebody ||
        call.host.wait_for(changes, interval) == Host::Woken::stopped) {
      return answer;
    }
    if (changes.take() == db::GateWatch::Seen::lost) {
      TRY_ASSIGN(changes, db::GateWatch::on(open.paths.lock()));
    }
  }
}

}  // namespace

Result<Answer> watch(Call& call) {
  TRY_ASSIGN(const board::EventFilter filter, filter_of(call.values));
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  TRY_ASSIGN(const std::int64_t cursor, first_cursor(open, call.values));
  return follow(open, call, filter, cursor, Json::object(), []() -> Result<bool> { return false; });
}

Result<Answer> tail(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  board::EventFilter filter;
  TRY_ASSIGN(filter.task_id, open.database.read([&](db::Reader& tx) {
    return board::resolve_id(tx, call.values.text_or("task_id", ""));
  }));
  const bool until_terminal = call.values.flag("until-terminal");
  return follow(open, call, filter, call.values.integer("since").value_or(0),
                {{"task_id", *filter.task_id}}, [&]() -> Result<bool> {
                  if (!until_terminal) {
                    return false;
                  }
                  return open.database.read([&](db::Reader& tx) -> Result<bool> {
                    TRY_ASSIGN(const Task task, board::get_task(tx, *filter.task_id));
                    return task.status == Status::done || task.status == Status::archived;
                  });
                });
}

}  // namespace hermes::verbs
