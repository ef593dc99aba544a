#include "verbs/bulk.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "kernel/base/text.hpp"
#include "kernel/board/tasks.hpp"
#include "verbs/stop.hpp"

namespace hermes::verbs {

Json refused_item(const std::string& given, const Error& error) {
  return {{"task_id", given}, {"ok", false}, {"error", error.message}};
}

std::vector<std::string> ids_of(const Call& call) {
  std::vector<std::string> ids = call.values.list("task_id");
  std::ranges::copy(call.values.list("ids"), std::back_inserter(ids));
  return ids;
}

namespace {

// Two beginnings of one id are one task. What is none is left for the verb to refuse.
std::vector<std::string> each_task_once(OpenBoard& open, const std::vector<std::string>& given) {
  const auto once = open.database.read([&](db::Reader& tx) -> Result<std::vector<std::string>> {
    std::vector<std::string> kept;
    std::set<std::string> seen;
    for (const std::string& text : given) {
      if (seen.insert(board::resolve_id(tx, text).value_or(text)).second) {
        kept.push_back(text);
      }
    }
    return kept;
  });
  return once ? *once : given;
}

// A failure of the board, not of the item: the next one would wait and fail the same way.
bool is_of_board(const Error& error) {
  using enum ErrorCode;
  return error.code == busy || error.code == damaged || error.code == schema ||
         error.code == unavailable || error.code == internal;
}

// Who waits for a process sees in the report where the task went and whether the process is gone.
void complete_report(OpenBoard& open, const Stopping& stopping, Json& report) {
  const auto state = stop_state(open, stopping);
  if (state) {
    report["status"] = to_word(state->status);
    report["gone"] = state->gone;
    if (state->outcome) {
      report["outcome"] = to_word(*state->outcome);
    }
  }
}

}  // namespace

Result<Answer> bulk(
    Call& call, OpenBoard& open, const std::vector<std::string>& given_ids,
    const std::function<Result<ItemDone>(const std::string& given)>& one,
    const std::function<Json(const std::string& given, const Error& error)>& failed) {
  if (given_ids.size() > k_most_ids) {
    return fail(ErrorCode::usage,
                fmt::format("{} tasks in one call, the limit is {}", given_ids.size(), k_most_ids),
                "give them in several calls");
  }
  const std::vector<std::string> ids = each_task_once(open, given_ids);
  Answer answer;
  answer.value = Json::array();
  std::vector<std::pair<std::size_t, Stopping>> stopping;
  std::optional<Error> board_failure;
  for (const std::string& given : ids) {
    if (board_failure) {
      answer.value.push_back(failed(given, *board_failure));
      continue;
    }
    auto done = one(given);
    if (!done) {
      answer.exit_status = 1;
      answer.value.push_back(failed(given, done.error()));
      board_failure = is_of_board(done.error()) ? std::optional(done.error()) : std::nullopt;
      answer.failures.push_back(std::move(done).error());
      continue;
    }
    if (done->stopping) {
      stopping.emplace_back(answer.value.size(), *done->stopping);
    }
    answer.value.push_back(std::move(done->report));
  }
  std::vector<Stopping> awaited;
  std::ranges::transform(stopping, std::back_inserter(awaited),
                         [](const auto& item) { return item.second; });
  await_stops(open, call, awaited, answer);
  for (const auto& [index, item] : stopping) {
    complete_report(open, item, answer.value[index]);
  }
  if (ids.size() == 1) {
    Json only = std::move(answer.value[0]);
    answer.value = std::move(only);
  }
  tell_config_error(open, answer);
  return answer;
}

}  // namespace hermes::verbs
