#include "kernel/board/notify.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/rules/moves.hpp"

namespace hermes::board {

namespace {

// What is told when nothing was chosen: a result, or something that a person may have to look at.
constexpr std::array k_usual_kinds{
    EventKind::completed, EventKind::blocked,        EventKind::block_loop_detected,
    EventKind::gave_up,   EventKind::failed,         EventKind::crashed,
    EventKind::timed_out, EventKind::profile_paused, EventKind::profile_resumed};

std::string usual_kinds() {
  std::string text;
  for (const EventKind kind : k_usual_kinds) {
    text += (text.empty() ? "" : ",") + std::string(to_word(kind));
  }
  return text;
}

std::string joined(const std::vector<EventKind>& kinds) {
  std::vector<std::string> words;
  for (const EventKind kind : kinds) {
    words.emplace_back(to_word(kind));
  }
  return join(words, ",");
}

// NULL stands for the usual ones, whichever they are when the event comes.
bool wants(const std::optional<std::string>& kinds, EventKind kind) {
  if (!kinds) {
    return std::find(k_usual_kinds.begin(), k_usual_kinds.end(), kind) != k_usual_kinds.end();
  }
  const auto words = split_list(*kinds, ',');
  return std::find(words.begin(), words.end(), to_word(kind)) != words.end();
}

constexpr std::string_view k_columns =
    "s.id, s.task_id, s.kinds, s.channel, s.address, s.thread, s.user_id, s.owner, s.cursor, "
    "s.created_at, s.disabled_at, (SELECT count(*) FROM deliveries d WHERE d.sub_id = s.id AND "
    "d.state = 'pending')";

Subscription read_subscription(const db::Cursor& row) {
  return {.id = row.integer(0),
          .task_id = row.maybe_text(1),
          .kinds = split_list(row.maybe_text(2).value_or(usual_kinds()), ','),
          .target = {row.text(3), row.text(4), row.text(5)},
          .user_id = row.maybe_text(6),
          .owner = row.maybe_text(7),
          .cursor = row.integer(8),
          .created_at = row.instant(9),
          .ended_at = row.maybe_instant(10),
          .pending = row.integer(11)};
}

std::optional<Subscription> find_subscription(db::Reader& tx,
                                              const std::optional<std::string>& task_id,
                                              const Target& target) {
  auto row = tx.query("SELECT " + std::string(k_columns) +
                          " FROM notify_subs s WHERE COALESCE(s.task_id, '') = $1 AND s.channel = "
                          "$2 AND s.address = $3 AND s.thread = $4",
                      task_id.value_or(""), target.channel, target.address, target.thread);
  return row.next() ? std::optional(read_subscription(row)) : std::nullopt;
}

Result<void> check_part(std::string_view what, const std::string& text, bool may_be_blank) {
  TRY(check_text(what, text, k_name_bytes));
  if (!may_be_blank && trim(text).empty()) {
    return fail(ErrorCode::invalid, fmt::format("{} is blank", what),
                "name whom to tell, for example --platform telegram --chat-id 123");
  }
  return {};
}

Result<void> check_target(const Target& target) {
  TRY(check_part("the platform", target.channel, false));
  TRY(check_part("the chat", target.address, false));
  TRY(check_part("the thread", target.thread, true));
  if (target.channel.find_first_of(": \t\n") != std::string::npos) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' is no platform: blanks and ':' are not allowed in its name",
                            printable(target.channel)),
                "for example --platform telegram");
  }
  return {};
}

Result<void> may_subscribe(Change& change, const std::optional<std::string>& task_id) {
  if (task_id) {
    TRY(task_to_change(change, *task_id));
    return {};
  }
  return change.actor.worker
             ? fail(ErrorCode::forbidden, "a worker cannot subscribe for the whole board",
                    "it may subscribe for its own task")
             : Result<void>{};
}

std::string name_of(const std::optional<std::string>& task_id) {
  return task_id.value_or("the whole board");
}

}  // namespace

Result<Subscribed> subscribe(Change& change, const SubscribeRequest& request) {
  TRY(check_target(request.target));
  TRY(check_part("the user", request.user_id.value_or(""), true));
  TRY(check_part("the notifier's profile", request.owner.value_or(""), true));
  TRY(may_subscribe(change, request.task_id));
  const auto kinds = request.kinds.empty() ? std::nullopt : std::optional(joined(request.kinds));
  const auto before = find_subscription(change.tx, request.task_id, request.target);
  if (!before) {
    change.tx.execute(
        "INSERT INTO notify_subs (task_id, kinds, channel, address, thread, user_id, owner, cursor,"
        " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        request.task_id, kinds, request.target.channel, request.target.address,
        request.target.thread, request.user_id, request.owner, last_event(change.tx), change.now);
  } else {
    change.tx.execute(
        "UPDATE notify_subs SET user_id = COALESCE(user_id, $1), owner = COALESCE(owner, $2),"
        " kinds = COALESCE($3, kinds), cursor = CASE WHEN disabled_at IS NULL THEN cursor ELSE $4 "
        "END, disabled_at = NULL WHERE id = $5",
        request.user_id, request.owner, kinds, last_event(change.tx), before->id);
  }
  return Subscribed{*find_subscription(change.tx, request.task_id, request.target),
                    before && !before->ended_at};
}

Result<void> unsubscribe(Change& change, const std::optional<std::string>& task_id,
                         const Target& target) {
  TRY(may_subscribe(change, task_id));
  const auto found = find_subscription(change.tx, task_id, target);
  if (!found) {
    return fail(ErrorCode::not_found,
                fmt::format("{}:{}{}{} is not subscribed to {}", target.channel, target.address,
                            target.thread.empty() ? "" : ":", target.thread, name_of(task_id)),
                "`hermes kanban notify-list` shows who is");
  }
  change.tx.execute("DELETE FROM notify_subs WHERE id = $1", found->id);
  return {};
}

std::vector<Subscription> subscriptions(db::Reader& tx, const std::optional<std::string>& task_id) {
  std::vector<Subscription> found;
  const std::string sql = "SELECT " + std::string(k_columns) + " FROM notify_subs s";
  auto row = task_id ? tx.query(sql + " WHERE COALESCE(s.task_id, '') = $1 ORDER BY s.id", *task_id)
                     : tx.query(sql + " ORDER BY s.id");
  while (row.next()) {
    found.push_back(read_subscription(row));
  }
  return found;
}

void resume_subscriptions(Change& change, const std::string& task_id) {
  change.tx.execute(
      "UPDATE notify_subs SET disabled_at = NULL WHERE COALESCE(task_id, '') = $1 AND disabled_at "
      "IS NOT NULL",
      task_id);
}

void write_deliveries(Change& change, const std::string& task_id, EventKind kind,
                      std::int64_t event_seq) {
  std::vector<std::int64_t> told;
  bool for_the_task = false;
  {
    // The term of the index notify_subs_key, word for word.
    auto row = change.tx.query(
        "SELECT id, kinds, task_id IS NOT NULL FROM notify_subs"
        " WHERE COALESCE(task_id, '') IN ($1, '') AND disabled_at IS NULL",
        task_id);
    while (row.next()) {
      for_the_task = for_the_task || row.boolean(2);
      if (wants(row.maybe_text(1), kind)) {
        told.push_back(row.integer(0));
      }
    }
  }
  for (const std::int64_t subscription : told) {
    change.tx.execute("INSERT INTO deliveries (sub_id, event_seq, next_at) VALUES ($1, $2, $3)",
                      subscription, event_seq, change.now);
  }
  if (for_the_task && (kind == EventKind::completed || kind == EventKind::archived)) {
    change.tx.execute(
        "UPDATE notify_subs SET disabled_at = $1 WHERE COALESCE(task_id, '') = $2 AND disabled_at "
        "IS NULL",
        change.now, task_id);
  }
}

}  // namespace hermes::board
