#include "kernel/board/notify.hpp"

#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "kernel/board/tasks.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

Json subscription_json(const board::Subscription& sub) {
  return {{"task_id", or_null(sub.task_id)},
          {"platform", sub.target.channel},
          {"chat_id", sub.target.address},
          {"thread_id", sub.target.thread},
          {"user_id", or_null(sub.user_id)},
          {"notifier_profile", or_null(sub.owner)},
          {"created_at", sub.created_at.seconds()},
          {"last_event_id", sub.cursor},
          {"id", sub.id},
          {"kinds", sub.kinds},
          {"pending", sub.pending},
          {"created_at_ms", sub.created_at.ms},
          {"ended_at_ms", ms_or_null(sub.ended_at)}};
}

Result<void> check_whom(const Values& values) {
  if (values.has("task_id") == values.flag("board-wide")) {
    return fail(ErrorCode::usage, "a task or --board-wide has to be named, and not both",
                "for example hermes kanban notify-subscribe t_1a2b3c4d --platform telegram "
                "--chat-id 123");
  }
  return {};
}

Result<std::optional<std::string>> task_meant(db::Reader& tx, const Values& values) {
  const auto given = values.text("task_id");
  if (!given) {
    return std::optional<std::string>();
  }
  TRY_ASSIGN(std::string id, board::resolve_id(tx, *given));
  return std::optional(std::move(id));
}

board::Target target_of(const Values& values) {
  const auto part = [&](std::string_view name) {
    return std::string(trim(values.text_or(name, "")));
  };
  return {to_lower(part("platform")), part("chat-id"), part("thread-id")};
}

Result<std::vector<EventKind>> kinds_of(const Values& values) {
  std::vector<EventKind> kinds;
  for (const std::string& word : split_list(values.text_or("kinds", ""), ',')) {
    const auto kind = from_word<EventKind>(word);
    if (!kind) {
      return fail(
          ErrorCode::usage,
          fmt::format("--kinds: there is no kind of event '{}'", printable(clip(word, 100))),
          "the kinds are " + word_list<EventKind>());
    }
    kinds.push_back(*kind);
  }
  if (values.has("kinds") && kinds.empty()) {
    return fail(ErrorCode::usage, "--kinds names no kind of event",
                "the kinds are " + word_list<EventKind>());
  }
  return kinds;
}

std::optional<std::string> not_blank(const std::optional<std::string>& text) {
  return text && !trim(*text).empty() ? std::optional(std::string(trim(*text))) : std::nullopt;
}

}  // namespace

Result<Answer> notify_subscribe(Call& call) {
  TRY(check_whom(call.values));
  board::SubscribeRequest request;
  TRY_ASSIGN(request.kinds, kinds_of(call.values));
  request.target = target_of(call.values);
  request.user_id = not_blank(call.values.text("user-id"));
  request.owner = not_blank(call.values.text("notifier-profile"));
  if (!request.owner) {
    request.owner = call.environment.author();
  }
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  Answer answer;
  bool over = false;
  TRY_ASSIGN(const board::Subscribed done,
             change(open, call, [&](board::Change& c) -> Result<board::Subscribed> {
               TRY_ASSIGN(request.task_id, task_meant(c.tx, call.values));
               if (request.task_id) {
                 TRY_ASSIGN(const Task task, board::get_task(c.tx, *request.task_id));
                 over = task.status == Status::done || task.status == Status::archived;
               }
               return board::subscribe(c, request);
             }));
  answer.value = subscription_json(done.subscription);
  answer.value["existing"] = done.existing;
  if (over) {
    answer.advice.push_back("note: that task is done already; what has happened is not told again");
  }
  tell_config_error(open, answer);
  return answer;
}

Result<Answer> notify_unsubscribe(Call& call) {
  TRY(check_whom(call.values));
  const board::Target target = target_of(call.values);
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  Answer answer;
  TRY_ASSIGN(answer.value, change(open, call, [&](board::Change& c) -> Result<Json> {
               TRY_ASSIGN(const auto task_id, task_meant(c.tx, call.values));
               TRY(board::unsubscribe(c, task_id, target));
               return Json{{"task_id", or_null(task_id)},
                           {"platform", target.channel},
                           {"chat_id", target.address},
                           {"thread_id", target.thread},
                           {"removed", true}};
             }));
  return answer;
}

Result<Answer> notify_list(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_read(call));
  Answer answer;
  TRY_ASSIGN(answer.value, open.database.read([&](db::Reader& tx) -> Result<Json> {
    TRY_ASSIGN(const auto task_id, task_meant(tx, call.values));
    Json rows = Json::array();
    for (const board::Subscription& sub : board::subscriptions(tx, task_id)) {
      rows.push_back(subscription_json(sub));
    }
    return rows;
  }));
  return answer;
}

}  // namespace hermes::verbs
