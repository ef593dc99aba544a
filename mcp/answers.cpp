#include "mcp/answers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "kernel/base/text.hpp"

namespace hermes::mcp {

namespace {

constexpr std::size_t k_newest = 50;      // comments, events and runs of one task
constexpr std::size_t k_text = 8 * 1024;  // bytes of a text within those
constexpr std::size_t k_attachments = 200;
constexpr std::int64_t k_most_listed = 200;

struct Key {
  std::string_view name;
  std::string_view type;  // of JSON Schema; with '?' it may be null
};

constexpr Key k_show[] = {
    {"task", "object"},       {"parents", "array"},        {"children", "array"},
    {"comments", "array"},    {"events", "array"},         {"runs", "array"},
    {"attachments", "array"}, {"diagnostics", "array"},    {"latest_summary", "string?"},
    {"left_out", "object"},   {"worker_context", "string"}};
constexpr Key k_list[] = {{"tasks", "array"},
                          {"count", "integer"},
                          {"limit", "integer"},
                          {"truncated", "boolean"},
                          {"next_limit", "integer?"}};
constexpr Key k_moved[] = {
    {"task_id", "string"}, {"ok", "boolean"}, {"status", "string"}, {"run_id", "integer?"}};
constexpr Key k_heartbeat[] = {{"task_id", "string"}, {"ok", "boolean"}, {"run_id", "integer"}};
constexpr Key k_comment[] = {
    {"task_id", "string"}, {"comment_id", "integer"}, {"author", "string"}};
constexpr Key k_create[] = {
    {"task_id", "string"}, {"status", "string"}, {"assignee", "string?"}, {"existing", "boolean"}};
constexpr Key k_link[] = {{"parent_id", "string"},
                          {"child_id", "string"},
                          {"condition", "string"},
                          {"existing", "boolean"}};
constexpr Key k_attach[] = {
    {"id", "integer"}, {"task_id", "string"}, {"filename", "string"}, {"size", "integer"}};
constexpr Key k_kept[] = {{"attachments", "array"}, {"count", "integer"}, {"truncated", "boolean"}};

struct Form {
  std::string_view verb;
  std::span<const Key> keys;
};
constexpr Form k_forms[] = {
    {"show", k_show},     {"list", k_list},           {"complete", k_moved},  {"block", k_moved},
    {"unblock", k_moved}, {"heartbeat", k_heartbeat}, {"comment", k_comment}, {"create", k_create},
    {"link", k_link},     {"attach", k_attach},       {"attachments", k_kept}};

// A long text as its beginning, with what is missing said.
void cut_texts(Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > k_text) {
      const std::string_view kept = clip(text, k_text);
      value = fmt::format("{} … ({} more bytes)", kept, text.size() - kept.size());
    }
  } else if (value.is_structured()) {
    for (Json& item : value) {
      cut_texts(item);
    }
  }
}

// The newest of a list, which has them last; how many were left out.
std::size_t keep_newest(Json& list) {
  const std::size_t left_out = list.size() > k_newest ? list.size() - k_newest : 0;
  list.erase(list.begin(), list.begin() + static_cast<Json::difference_type>(left_out));
  cut_texts(list);
  return left_out;
}

Result<Json> show(const Session& session, Session::Given given) {
  Session::Given again;
  again.values.add("task_id", given.values.text_or("task_id", ""));
  again.board = given.board;
  TRY_ASSIGN(verbs::Answer answer, session.call(kanban_verb("show"), std::move(given)));
  TRY_ASSIGN(const verbs::Answer context, session.call(kanban_verb("context"), std::move(again)));
  Json& value = answer.value;
  Json left_out = Json::object();
  for (const char* name : {"comments", "events", "runs"}) {
    left_out[name] = keep_newest(value[name]);
  }
  value["left_out"] = std::move(left_out);
  value["worker_context"] = context.value["text"];
  return std::move(value);
}

// One more than asked for is read: whether there are more need not be counted.
Result<Json> list(const Session& session, const Session::Given& given) {
  const std::int64_t limit = given.values.integer("limit").value_or(k_most_listed);
  verbs::Values values;
  for (const auto& [name, texts] : given.values.all()) {
    for (const std::string& text : texts) {
      values.add(name, name == "limit" ? std::to_string(limit + 1) : text);
    }
  }
  TRY_ASSIGN(verbs::Answer answer,
             session.call(kanban_verb("list"), {std::move(values), given.board, {}}));
  Json tasks = Json::array();
  const auto found = static_cast<std::int64_t>(answer.value.size());
  for (std::int64_t i = 0; i < std::min(found, limit); ++i) {
    tasks.push_back(task_row(answer.value[static_cast<std::size_t>(i)]));
  }
  const bool truncated = found > limit;
  const auto count = tasks.size();
  return Json{
      {"tasks", std::move(tasks)},
      {"count", count},
      {"limit", limit},
      {"truncated", truncated},
      {"next_limit", truncated && limit < k_most_listed ? Json(std::min(2 * limit, k_most_listed))
                                                        : Json(nullptr)}};
}

Json attachments(Json kept) {
  const bool truncated = kept.size() > k_attachments;
  const auto count = kept.size();
  if (truncated) {
    kept.erase(kept.begin() + k_attachments, kept.end());
  }
  return {{"attachments", std::move(kept)}, {"count", count}, {"truncated", truncated}};
}

Json created(const Json& task) {
  Json out = {{"task_id", task["id"]}};
  out.update(task_row(task));
  out.erase("id");
  out["existing"] = task["existing"];
  return out;
}

// What people would be told beside the answer helps a model as well.
void add_notes(Json& value, const verbs::Answer& answer) {
  Json notes = Json::array();
  for (const auto* lines : {&answer.advice, &answer.people_advice}) {
    for (const std::string& line : *lines) {
      notes.push_back(line);
    }
  }
  if (!notes.empty()) {
    value["notes"] = std::move(notes);
  }
}

}  // namespace

Json answer_schema(const verbs::Verb& verb) {
  const auto* form = std::ranges::find(k_forms, verb.name, &Form::verb);
  Json properties = Json::object();
  Json required = Json::array();
  for (const Key& key : form == std::end(k_forms) ? std::span<const Key>{} : form->keys) {
    const bool may_be_null = key.type.ends_with('?');
    const std::string type(key.type.substr(0, key.type.size() - (may_be_null ? 1 : 0)));
    properties[std::string(key.name)] = {
        {"type", may_be_null ? Json::array({type, "null"}) : Json(type)}};
    required.push_back(key.name);
  }
  properties["notes"] = {{"type", "array"}, {"items", {{"type", "string"}}}};
  return {
      {"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

Json task_row(const Json& task) {
  Json row = Json::object();
  for (const char* key :
       {"id", "title", "status", "assignee", "priority", "tenant", "created_by", "created_at",
        "started_at", "completed_at", "block_kind", "block_reason", "current_run_id"}) {
    row[key] = task[key];
  }
  return row;
}

Result<Json> answer_call(const verbs::Verb& verb, const Session& session, Session::Given given) {
  if (verb.name == "show") {
    return show(session, std::move(given));
  }
  if (verb.name == "list") {
    return list(session, given);
  }
  TRY_ASSIGN(verbs::Answer answer, session.call(verb, std::move(given)));
  if (!answer.failures.empty()) {  // of a bulk verb, which was given one task
    return std::unexpected(std::move(answer.failures.front()));
  }
  Json value = std::move(answer.value);
  if (verb.name == "attachments") {
    value = attachments(std::move(value));
  } else if (verb.name == "create") {
    value = created(value);
  }
  add_notes(value, answer);
  return value;
}

}  // namespace hermes::mcp
