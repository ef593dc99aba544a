#include "kernel/board/edit.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/tasks.hpp"

namespace hermes::board {

namespace {

using nlohmann::json;

bool has_outcome(const Edit& edit) { return edit.result || edit.summary || edit.metadata; }

Result<void> check_edit(const Edit& edit) {
  if (edit.title) {
    TRY(check_title(*edit.title));
  }
  if (edit.priority) {
    TRY(check_priority(*edit.priority));
  }
  TRY(check_text("the body", edit.body.value_or(""), k_body_bytes));
  return check_handoff({edit.summary, edit.result, edit.metadata});
}

// Remembers what changed, for the event and for the answer.
class Changes {
 public:
  explicit Changes(const Change& change) : payload_{{"by", change.actor.name}} {}

  void add(const std::string& field) { fields_.push_back(field); }
  void add(const std::string& field, const json& before, const json& after) {
    add(field);
    payload_[field] = {{"old", before}, {"new", after}};
  }
  bool empty() const { return fields_.empty(); }
  void note(const char* key, json value) { payload_[key] = std::move(value); }

  std::vector<std::string> commit(Change& change, const std::string& id) {
    if (!fields_.empty()) {
      payload_["fields"] = fields_;
      append_event(change, id, std::nullopt, EventKind::edited, dump(payload_));
    }
    return fields_;
  }

 private:
  std::vector<std::string> fields_;
  json payload_;
};

void edit_card(Change& change, Task& task, const Edit& edit, Changes& changes) {
  if (const auto title = text_to_store(edit.title); title && *title != task.title) {
    changes.add("title", task.title, *title);
    task.title = *title;
  }
  const auto body =
      edit.body && !trim(*edit.body).empty() ? body_to_store(edit.body) : std::nullopt;
  if (edit.body && body != task.body) {
    changes.add("body");  // bodies are long and may be private: the event does not repeat them
    task.body = body;
  }
  if (!changes.empty()) {  // a planner that failed at the old text may try the new one
    change.tx.execute("DELETE FROM plannings WHERE task_id = $1", task.id);
  }
  if (edit.priority && *edit.priority != task.priority) {
    changes.add("priority", task.priority, *edit.priority);
    task.priority = *edit.priority;
  }
  change.tx.execute("UPDATE tasks SET title = $1, body = $2, priority = $3 WHERE id = $4",
                    task.title, task.body, task.priority, task.id);
}

// The latest completed run.
std::optional<Run> completed_run(db::Reader& tx, const Task& task) {
  auto row = tx.query("SELECT " + k_run_columns +
                          " FROM runs r WHERE r.task_id = $1 AND r.outcome = 'completed'"
                          " ORDER BY r.attempt DESC LIMIT 1",
                      task.id);
  return row.next() ? std::optional(read_run(row)) : std::nullopt;
}

Result<void> edit_outcome(Change& change, Task& task, const Edit& edit, Changes& changes) {
  if (edit.result && text_to_store(edit.result) != task.result) {
    changes.add("result");
    task.result = text_to_store(edit.result);
    changes.note("result_len", task.result.value_or("").size());
  }
  if (!edit.summary && !edit.metadata) {
    return {};
  }
  const std::optional<Run> before = completed_run(change.tx, task);
  const Run run = before.value_or(Run{});
  const auto summary = edit.summary ? text_to_store(edit.summary) : run.summary;
  TRY_ASSIGN(const auto given, metadata_to_store(edit.metadata));
  const auto metadata = given ? given : run.metadata;
  if (summary == run.summary && metadata == run.metadata) {
    return {};
  }
  if (summary != run.summary) {
    changes.add("summary");
    changes.note("summary",
                 summary ? json(clip(first_line(*summary), k_event_text_bytes)) : json());
  }
  if (metadata != run.metadata) {
    changes.add("metadata");
  }
  if (before) {
    change.tx.execute("UPDATE runs SET summary = $1, metadata = $2 WHERE id = $3", summary,
                      metadata, run.id);
  } else {
    record_zero_run(change, task,
                    {.outcome = Outcome::completed, .summary = summary, .metadata = metadata});
  }
  return {};
}

}  // namespace

Result<Edited> edit(Change& change, const std::string& id, const Edit& edit) {
  TRY(check_edit(edit));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::edit));
  if (has_outcome(edit) && task.status != Status::done) {
    return fail(ErrorCode::conflict,
                fmt::format("cannot edit the result of {}: it is {}", id, to_word(task.status)),
                fmt::format("only a done task has a result, a summary and metadata; `hermes kanban "
                            "complete {}` gives them",
                            id));
  }
  Changes changes(change);
  edit_card(change, task, edit, changes);
  if (has_outcome(edit)) {
    TRY(edit_outcome(change, task, edit, changes));
  }
  Edited done{std::move(task), changes.commit(change, id)};
  if (!done.fields.empty()) {
    save_task(change, done.task);
  }
  return done;
}

Result<Edited> set_model(Change& change, const std::string& id, const WorkerModel& wanted) {
  TRY(check_text("the model", wanted.model, k_name_bytes));
  TRY(check_text("the provider", wanted.provider, k_name_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::edit));
  const std::string options = with_model(task.worker_options, wanted.model, wanted.provider);
  const json before = parse_json<json>(task.worker_options);
  const json after = parse_json<json>(options);
  const auto value = [](const json& from, const char* key) {
    return from.is_object() && from.contains(key) ? from.at(key) : json();
  };
  Changes changes(change);
  for (const char* key : {"model", "provider"}) {
    if (value(before, key) != value(after, key)) {
      changes.add(key, value(before, key), value(after, key));
    }
  }
  Edited done{std::move(task), changes.commit(change, id)};
  if (!done.fields.empty()) {
    done.task.worker_options = options;
    change.tx.execute("UPDATE tasks SET worker_options = $1 WHERE id = $2", options, id);
    save_task(change, done.task);
  }
  return done;
}

}  // namespace hermes::board
