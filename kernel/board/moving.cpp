#include "kernel/board/moving.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

Result<void> check_handoff(const Handoff& handoff) {
  TRY(check_text("the summary", handoff.summary.value_or(""), k_text_bytes));
  TRY(check_text("the result", handoff.result.value_or(""), k_text_bytes));
  TRY(check_text("the metadata", handoff.metadata.value_or(""), k_metadata_bytes));
  if (handoff.metadata && !parse_json<nlohmann::json>(*handoff.metadata).is_object()) {
    return fail(
        ErrorCode::usage,
        fmt::format("the metadata is not a JSON object of at most {} levels", k_deepest_json),
        "for example {\"files\": 3}");
  }
  return {};
}

bool is_worker(const Change& change) { return change.actor.worker.has_value(); }

Result<Task> task_to_move(Change& change, const std::string& id, rules::Move move) {
  TRY_ASSIGN(Task task, task_to_change(change, id));
  if (!rules::may_move(move, task.status)) {
    return std::unexpected(rules::refuse_move(move, id, task.status));
  }
  return task;
}

Result<Moved> close_open_run(Change& change, const Task& task, rules::Move move,
                             std::optional<StopKind> overrule, const Closing& closing) {
  Moved moved;
  if (is_worker(change) || !overrule) {
    TRY_ASSIGN(moved.run, open_run_for(change, task, move));
  } else {
    moved.run = find_run(change.tx, *task.current_run_id);
  }
  const bool has_process = moved.run->holder_kind != HolderKind::external;
  if (has_process && !is_worker(change)) {
    TRY(intend_stop(change, *moved.run, overrule.value_or(StopKind::force), std::nullopt));
    moved.stopping = true;
  }
  close_run(change, *moved.run, closing);
  return moved;
}

Result<void> person_only(const Change& change, std::string_view verb, const std::string& id) {
  if (!is_worker(change)) {
    return {};
  }
  return fail(ErrorCode::forbidden, fmt::format("a worker cannot {} {}", verb, id),
              "end with complete, block, or exit code 75 to be tried again later");
}

Result<void> add_note(Change& change, const std::string& id, std::string_view prefix,
                      const std::optional<std::string>& reason) {
  if (reason && !trim(*reason).empty()) {
    // The reason itself is kept whole elsewhere; what its prefix leaves no room for is cut here.
    const std::string note = fmt::format("{}: {}", prefix, trim(*reason));
    TRY(add_comment(change, id, change.actor.name, std::string(clip(note, k_text_bytes))));
  }
  return {};
}

std::optional<std::string> text_to_store(const std::optional<std::string>& text) {
  return text && !trim(*text).empty() ? std::optional(mask_secrets(trim(*text))) : std::nullopt;
}

namespace {

Result<void> mask_leaves(nlohmann::json& value, std::string_view name, bool is_secret) {
  if (value.is_structured()) {
    for (auto& [key, inner] : value.items()) {
      const bool named = value.is_object() && is_secret_name(key);
      TRY(mask_leaves(inner, named ? std::string_view(key) : name, is_secret || named));
    }
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    value = is_secret ? masked_value(text) : mask_secrets(text);
  } else if (is_secret && !value.is_null() && !value.is_boolean()) {
    return fail(ErrorCode::invalid,
                fmt::format("the metadata holds a number under '{}', the name of a secret",
                            printable(name)),
                "give it as text, which is masked, or leave it out");
  }
  return {};
}

}  // namespace

Result<std::optional<std::string>> metadata_to_store(const std::optional<std::string>& metadata) {
  if (!metadata) {
    return std::nullopt;
  }
  nlohmann::json value = parse_json<nlohmann::json>(*metadata);
  const nlohmann::json given = value;
  TRY(mask_leaves(value, "", false));
  return value == given ? metadata : std::optional(dump(value));
}

nlohmann::json or_null(const std::optional<std::string>& text) {
  return text ? nlohmann::json(*text) : nlohmann::json();
}

}  // namespace hermes::board
