#include "verbs/moving.hpp"

#include <fmt/core.h>

#include "kernel/base/duration.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::verbs {

ItemDone item_of(const board::Moved& moved) {
  return {{{"task_id", moved.task.id},
           {"ok", true},
           {"status", to_word(moved.task.status)},
           {"run_id", moved.run ? Json(moved.run->id) : Json(nullptr)},
           {"stopping", moved.stopping},
           {"error", nullptr}},
          moved.stopping && moved.run ? std::optional(Stopping{moved.task.id, moved.run->id})
                                      : std::nullopt};
}

std::optional<std::string> not_blank(std::string text) {
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

Result<std::optional<Instant>> wake_time(const Call& call) {
  if (call.values.has("at") && call.values.has("in")) {
    return fail(ErrorCode::usage, "a time (at) and a delay (in) are both given",
                "give one of them");
  }
  if (const auto length = call.values.duration("in")) {
    return call.environment.now + *length;
  }
  return call.values.time("at");
}

void tell_masked_body(const std::optional<std::string>& given, const Task& stored, Answer& answer) {
  if (given && !trim(*given).empty() && stored.body != given) {
    answer.advice.push_back(
        "note: what has the form of a secret was masked in the body; give it to the worker with "
        "the env_file of its profile");
  }
}

void tell_past_wake_time(const Call& call, std::optional<Instant> wake_at, Answer& answer) {
  if (wake_at && *wake_at < call.environment.now) {
    answer.advice.push_back(
        fmt::format("note: {} has passed, so it wakes at once", format_local_minute(*wake_at)));
  }
}

Result<std::optional<std::string>> body_of(Call& call) {
  const auto path = call.values.text("body-file");
  if (!path) {
    return call.values.text("body");
  }
  if (call.values.has("body")) {
    return fail(ErrorCode::usage, "--body and --body-file are both given", "give one of them");
  }
  if (*path == "-") {
    TRY_ASSIGN(std::string text, call.host.read_input(k_body_bytes));
    return text;
  }
  TRY_ASSIGN(std::string text, read_input_file(*path, k_body_bytes));
  return text;
}

}  // namespace hermes::verbs
