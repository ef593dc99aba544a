#include "kernel/home/log_text.hpp"

#include <fmt/core.h>

#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"

namespace hermes::verbs {

namespace {

struct Attempt {
  std::string task_id;
  std::int64_t number = 0;
};

Result<Attempt> attempt_of(db::Reader& tx, const Values& values) {
  TRY_ASSIGN(const std::string id, board::resolve_id(tx, values.text_or("task_id", "")));
  const std::vector<Run> runs = board::runs_of(tx, id);
  if (runs.empty()) {
    return fail(ErrorCode::not_found, fmt::format("{} has no log: it has never been started", id),
                fmt::format("`hermes kanban why {}` says what it waits for", id));
  }
  const std::int64_t last = runs.back().attempt;
  const std::int64_t wanted = values.integer("attempt").value_or(last);
  if (wanted > last) {
    return fail(ErrorCode::not_found,
                fmt::format("{} has no attempt {}, the last is {}", id, wanted, last),
                fmt::format("`hermes kanban runs {}` lists them", id));
  }
  return Attempt{id, wanted};
}

}  // namespace

Result<Answer> log(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  TRY_ASSIGN(const Attempt attempt,
             open.database.read([&](db::Reader& tx) { return attempt_of(tx, call.values); }));
  const auto most = static_cast<std::size_t>(call.values.integer("tail").value_or(0));
  TRY_ASSIGN(std::string text, home::read_log(open.paths, attempt.task_id, attempt.number, most));
  Answer answer;
  const std::size_t size = text.size();
  answer.value = {{"task_id", attempt.task_id},
                  {"attempt", attempt.number},
                  {"path", open.paths.log(attempt.task_id, attempt.number).string()},
                  {"size", size},
                  {"text", std::move(text)}};
  return answer;
}

}  // namespace hermes::verbs
