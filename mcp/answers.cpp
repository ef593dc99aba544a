#include "mcp/answers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "kernel/base/text.hpp"
#include "mcp/bounds.hpp"

namespace hermes::mcp {

namespace {

constexpr std::size_t k_body = 64 * 1024;  // bytes of the text of a task
constexpr std::size_t k_text = 8 * 1024;   // of every other one
constexpr std::size_t k_text_in_row = 300;
constexpr auto k_most_listed = static_cast<std::int64_t>(k_most_rows);

struct Bounded {
  const char* name = nullptr;
  ListBounds bounds;
};
// The lists of one task. Those in the order of time keep the newest.
constexpr Bounded k_lists[] = {
    {"parents", {.rows = k_most_rows}},
    {"children", {.rows = k_most_rows}},
    {"comments", {.rows = 50}},
    {"events", {.rows = 50}},
    {"runs", {.rows = 50}},
    {"attachments", {.rows = 50}},
    {"diagnostics", {.rows = 50, .keep = Keep::first}},
};

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

// What is left out of the body, and how to read it; null when nothing is.
Json cut_task(Json& task) {
  Json body = std::move(task["body"]);
  const bool too_long = body.is_string() && body.get_ref<const std::string&>().size() > k_body;
  cut_text(body, k_body);
  task["body"] = nullptr;
  cut_values(task, k_text);
  task["body"] = std::move(body);
  return too_long ? Json(fmt::format("the body is cut; `hermes kanban show {}` prints all of it",
                                     task["id"].get<std::string>()))
                  : Json(nullptr);
}

Result<Json> show(const Session& session, Session::Given given) {
  Session::Given again;
  again.values.add("task_id", given.values.text_or("task_id", ""));
  again.board = given.board;
  TRY_ASSIGN(verbs::Answer answer, session.call(kanban_verb("show"), std::move(given)));
  TRY_ASSIGN(const verbs::Answer context, session.call(kanban_verb("context"), std::move(again)));
  Json& value = answer.value;
  Json left_out = Json::object();
  for (const Bounded& list : k_lists) {
    left_out[list.name] = cut_list(value[list.name], list.bounds);
  }
  value["left_out"] = std::move(left_out);
  cut_text(value["latest_summary"], k_text);
  const Json cut = cut_task(value["task"]);
  value["worker_context"] = context.value["text"];
  if (!cut.is_null()) {
    value["notes"].push_back(cut);
  }
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

// `count` is of all there are; the newest are shown.
Json attachments(Json kept) {
  const auto count = kept.size();
  const std::size_t left_out = cut_list(kept, {.rows = k_most_rows});
  Json value = {{"attachments", std::move(kept)}, {"count", count}, {"truncated", left_out > 0}};
  if (left_out > 0) {
    value["notes"] = Json::array({"`hermes kanban attachments` lists all of them"});
  }
  return value;
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
  Json notes = value.value("notes", Json::array());
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
  cut_values(row, k_text_in_row);
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
  if (verb.name != "attachments") {  // a list bounds itself
    cut_values(value, k_text);
  }
  add_notes(value, answer);
  return value;
}

}  // namespace hermes::mcp
