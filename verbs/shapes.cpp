#include "verbs/shapes.hpp"

#include "kernel/base/files.hpp"
#include "kernel/board/json.hpp"

namespace hermes::verbs {

namespace {

template <class T>
Json number_or_null(const std::optional<T>& number) {
  return number ? Json(*number) : Json(nullptr);
}

template <class E>
Json word_or_null(const std::optional<E>& value) {
  return value ? Json(to_word(*value)) : Json(nullptr);
}

Json option_of(const Json& options, const char* key) {
  return options.is_object() && options.contains(key) ? options.at(key) : Json(nullptr);
}

// The 23 keys that the predecessor's readers know, in their order.
Json known_task_keys(const Task& task) {
  const Json options = parsed(task.worker_options);
  Json skills = parsed(task.skills);
  return Json::object({
      {"id", task.id},
      {"title", task.title},
      {"body", or_null(task.body)},
      {"assignee", or_null(task.assignee)},
      {"status", to_word(task.status)},
      {"priority", task.priority},
      {"tenant", or_null(task.tenant)},
      {"workspace_kind", to_word(task.workspace_kind)},
      {"workspace_path", or_null(task.workspace_path)},
      {"branch_name", or_null(task.branch)},
      {"project_id", nullptr},
      {"created_by", or_null(task.created_by)},
      {"created_at", task.created_at.seconds()},
      {"started_at", seconds_or_null(task.started_at)},
      {"completed_at", seconds_or_null(task.completed_at)},
      {"result", or_null(task.result)},
      {"skills", skills.is_array() ? std::move(skills) : Json::array()},
      {"max_retries", number_or_null(task.failure_limit)},
      {"session_id", or_null(task.origin)},
      {"workflow_template_id", or_null(task.workflow_template_id)},
      {"current_step_key", or_null(task.step_key)},
      {"provider_override", option_of(options, "provider")},
      {"model_override", option_of(options, "model")},
  });
}

}  // namespace

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

Json ms_or_null(const std::optional<Instant>& at) { return at ? Json(at->ms) : Json(nullptr); }

Json seconds_or_null(const std::optional<Instant>& at) {
  return at ? Json(at->seconds()) : Json(nullptr);
}

Json parsed(const std::optional<std::string>& text) {
  if (!text || text->empty()) {
    return nullptr;
  }
  if (*text == "[]" || *text == "{}") {  // what most tasks have
    return text->front() == '[' ? Json::array() : Json::object();
  }
  Json value = board::parse_json<Json>(*text);
  return value.is_discarded() ? Json(nullptr) : value;
}

Json task_json(const Task& task) {
  Json out = known_task_keys(task);
  const auto max_runtime =
      task.max_runtime ? std::optional(task.max_runtime->count()) : std::nullopt;
  out["lane"] = to_word(task.lane);
  out["idempotency_key"] = or_null(task.idempotency_key);
  out["failures"] = task.failures;
  out["violations"] = task.violations;
  out["last_failure_kind"] = or_null(task.last_failure_kind);
  out["last_failure"] = or_null(task.last_failure);
  out["block_source"] = word_or_null(task.block_source);
  out["block_kind"] = word_or_null(task.block_kind);
  out["block_reason"] = or_null(task.block_reason);
  out["hold_reason"] = word_or_null(task.hold_reason);
  out["held_until_ms"] = ms_or_null(task.held_until);
  out["wake_at_ms"] = ms_or_null(task.wake_at);
  out["ready_since_ms"] = ms_or_null(task.ready_since);
  out["created_at_ms"] = task.created_at.ms;
  out["updated_at_ms"] = task.updated_at.ms;
  out["completed_at_ms"] = ms_or_null(task.completed_at);
  out["max_runtime_ms"] = number_or_null(max_runtime);
  out["goal_mode"] = task.goal_mode;
  out["goal_max_turns"] = number_or_null(task.goal_max_turns);
  out["current_run_id"] = number_or_null(task.current_run_id);
  return out;
}

Json task_line_json(const Task& task) {
  return Json::object({{"id", task.id},
                       {"title", task.title},
                       {"assignee", or_null(task.assignee)},
                       {"status", to_word(task.status)},
                       {"tenant", or_null(task.tenant)}});
}

Json event_json(const Event& event) {
  return Json::object({{"seq", event.seq},
                       {"kind", event.kind},
                       {"payload", parsed(event.payload)},
                       {"created_at", event.at.seconds()},
                       {"created_at_ms", event.at.ms},
                       {"run_id", number_or_null(event.run_id)}});
}

Json watched_json(const board::WatchedEvent& watched) {
  const Event& event = watched.event;
  return Json::object({{"seq", event.seq},
                       {"task_id", or_null(event.task_id)},
                       {"kind", event.kind},
                       {"payload", parsed(event.payload)},
                       {"run_id", number_or_null(event.run_id)},
                       {"assignee", or_null(watched.assignee)},
                       {"tenant", or_null(watched.tenant)},
                       {"created_at", event.at.seconds()},
                       {"created_at_ms", event.at.ms}});
}

std::string run_status(const Run& run) {
  if (!run.ended_at) {
    return "running";
  }
  return run.outcome == Outcome::completed
             ? "done"
             : std::string(run.outcome ? to_word(*run.outcome) : "ended");
}

Json run_json(const Run& run) {
  return Json::object({{"id", run.id},
                       {"profile", or_null(run.profile)},
                       {"step_key", or_null(run.step_key)},
                       {"status", run_status(run)},
                       {"outcome", word_or_null(run.outcome)},
                       {"summary", or_null(run.summary)},
                       {"error", or_null(run.error)},
                       {"metadata", parsed(run.metadata)},
                       {"worker_pid", number_or_null(run.worker_pid)},
                       {"started_at", run.started_at.seconds()},
                       {"ended_at", seconds_or_null(run.ended_at)},
                       {"attempt", run.attempt},
                       {"holder", to_word(run.holder_kind)},
                       {"started_at_ms", run.started_at.ms},
                       {"heartbeat_at_ms", ms_or_null(run.heartbeat_at)},
                       {"heartbeat_note", or_null(run.heartbeat_note)},
                       {"stop_kind", word_or_null(run.stop_kind)},
                       {"stop_by", or_null(run.stop_by)},
                       {"ended_at_ms", ms_or_null(run.ended_at)},
                       {"gone_at_ms", ms_or_null(run.gone_at)},
                       {"exit_kind", word_or_null(run.exit_kind)},
                       {"exit_code", number_or_null(run.exit_code)},
                       {"max_rss_kb", number_or_null(run.max_rss_kb)},
                       {"cpu_ms", number_or_null(run.cpu_ms)},
                       {"workspace_path", or_null(run.workspace_path)},
                       {"branch_name", or_null(run.branch)}});
}

Json attachment_json(const Attachment& attachment, const home::BoardPaths& board) {
  const bool named = is_file_name(attachment.stored_name);  // else it could lead to any file
  const auto path = board.attachments_of(attachment.task_id) / attachment.stored_name;
  std::error_code ignored;
  return {{"id", attachment.id},
          {"task_id", attachment.task_id},
          {"filename", attachment.filename},
          {"content_type", or_null(attachment.content_type)},
          {"size", attachment.size},
          {"uploaded_by", or_null(attachment.added_by)},
          {"stored_path", named ? Json(path.string()) : Json(nullptr)},
          {"created_at", attachment.at.seconds()},
          {"created_at_ms", attachment.at.ms},
          {"missing", !named || !std::filesystem::is_regular_file(path, ignored)}};
}

Json attachments_json(const std::vector<Attachment>& attachments, const home::BoardPaths& board) {
  Json out = Json::array();
  for (const Attachment& attachment : attachments) {
    out.push_back(attachment_json(attachment, board));
  }
  return out;
}

Json comment_json(const Comment& comment) {
  return Json::object({{"id", comment.id},
                       {"author", comment.author},
                       {"body", comment.body},
                       {"created_at", comment.at.seconds()},
                       {"created_at_ms", comment.at.ms}});
}

Json holds_json(const std::vector<rules::Hold>& holds) {
  Json out = Json::array();
  for (const rules::Hold& hold : holds) {
    out.push_back({{"kind", to_word(hold.kind)},
                   {"text", hold.text},
                   {"until", seconds_or_null(hold.until)},
                   {"until_ms", ms_or_null(hold.until)}});
  }
  return out;
}

}  // namespace hermes::verbs
