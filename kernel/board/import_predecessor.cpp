#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "kernel/base/text.hpp"
#include "kernel/board/import.hpp"
#include "kernel/board/import_values.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/db/database.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::board {

namespace {

using Json = nlohmann::json;

// Every column that any version of the predecessor had and that means something here. A board of an
// older version lacks some of them.
constexpr auto k_tasks = std::to_array<std::string_view>({"id",
                                                          "title",
                                                          "body",
                                                          "assignee",
                                                          "status",
                                                          "priority",
                                                          "created_by",
                                                          "created_at",
                                                          "started_at",
                                                          "completed_at",
                                                          "workspace_kind",
                                                          "workspace_path",
                                                          "branch_name",
                                                          "tenant",
                                                          "result",
                                                          "idempotency_key",
                                                          "consecutive_failures",
                                                          "spawn_failures",
                                                          "last_failure_error",
                                                          "last_spawn_error",
                                                          "max_runtime_seconds",
                                                          "workflow_template_id",
                                                          "current_step_key",
                                                          "skills",
                                                          "model_override",
                                                          "provider_override",
                                                          "max_retries",
                                                          "goal_mode",
                                                          "goal_max_turns",
                                                          "session_id",
                                                          "block_kind",
                                                          "block_recurrences",
                                                          "project_id"});
constexpr auto k_links = std::to_array<std::string_view>({"parent_id", "child_id"});
constexpr auto k_comments =
    std::to_array<std::string_view>({"task_id", "author", "body", "created_at"});
constexpr auto k_events =
    std::to_array<std::string_view>({"task_id", "run_id", "kind", "payload", "created_at"});
constexpr auto k_runs = std::to_array<std::string_view>(
    {"id", "task_id", "profile", "step_key", "status", "last_heartbeat_at", "started_at",
     "ended_at", "outcome", "summary", "metadata", "error"});
constexpr auto k_some = std::to_array<std::string_view>({"task_id"});
constexpr auto k_attachments = std::to_array<std::string_view>(
    {"task_id", "filename", "stored_path", "content_type", "uploaded_by"});

struct Translated {
  std::string_view there;
  Status here;
};
// The one table of statuses. What waits for links (todo) or does not is decided by the plan.
constexpr Translated k_statuses[] = {
    {"triage", Status::triage}, {"todo", Status::todo},     {"scheduled", Status::scheduled},
    {"ready", Status::ready},   {"running", Status::ready}, {"blocked", Status::blocked},
    {"review", Status::review}, {"done", Status::done},     {"archived", Status::archived},
};

struct Renamed {
  std::string_view from;
  std::string_view to;
};
// Kinds of events that the predecessor renamed itself.
constexpr Renamed k_kinds[] = {
    {"ready", "promoted"}, {"priority", "reprioritized"}, {"spawn_auto_blocked", "gave_up"}};
// Keys of payloads that mean something else, or something more exact, on this board.
constexpr Renamed k_keys[] = {{"from", "source_from"},
                              {"to", "source_to"},
                              {"limit", "source_limit"},
                              {"run_id", "source_run_id"}};

// The last word about a block among a task's events.
struct BlockHistory {
  std::string kind;
  bool by_run = false;
  std::string reason;
};

class Reading {
 public:
  Reading(const db::ForeignCopy& copy, Instant now) : copy_(copy), now_(now) {
    board_.origin = "kanban.db";
  }

  Result<ImportedBoard> take() {
    TRY(copy_.each("tasks", k_tasks, [&](const db::ForeignRow& row) { take_task(row); }));
    TRY(each_of("task_links", k_links, [&](const db::ForeignRow& row) { take_link(row); }));
    TRY(each_of("task_comments", k_comments,
                [&](const db::ForeignRow& row) { take_comment(row); }));
    TRY(each_of("task_runs", k_runs, [&](const db::ForeignRow& row) { take_run(row); }));
    TRY(each_of("task_events", k_events, [&](const db::ForeignRow& row) { take_event(row); }));
    TRY(each_of("task_attachments", k_attachments,
                [&](const db::ForeignRow& row) { take_attachment(row); }));
    TRY(count_the_rest());
    for (std::size_t i = 0; i < board_.tasks.size(); ++i) {
      finish(board_.tasks[i], history_[i]);
    }
    return std::move(board_);
  }

 private:
  Result<void> each_of(std::string_view table, std::span<const std::string_view> columns,
                       const std::function<void(const db::ForeignRow&)>& take_row) {
    return copy_.has_table(table) ? copy_.each(table, columns, take_row) : Result<void>{};
  }

  ImportedTask* find(const db::ForeignValue& id) {
    const auto found = places_.find(text_of(id).value_or(""));
    return found == places_.end() ? nullptr : &board_.tasks[found->second];
  }

  // A time of the row, or `otherwise`; garbage (a row once held "%s") is noted, null is not.
  Instant time(const db::ForeignValue& value, Instant otherwise, const std::string& id) {
    if (const auto at = instant_of(value)) {
      return *at;
    }
    if (!is_null(value)) {
      board_.findings.note(std::string(k_bad_time), id);
    }
    return otherwise;
  }

  static std::string word(const db::ForeignValue& value) {
    return std::string(trim(text_of(value).value_or("")));
  }
  static std::optional<std::string> words(const db::ForeignValue& value) {
    auto text = text_of(value);
    return text && trim(*text).empty() ? std::nullopt : text;
  }

  void take_task(const db::ForeignRow& row) {
    const std::string id = word(row["id"]);
    if (id.empty()) {
      board_.findings.skip("", "a task without an id");
      return;
    }
    if (!places_.emplace(id, board_.tasks.size()).second) {
      board_.findings.skip(id, "a second task with this id");
      return;
    }
    ImportedTask& imported = board_.tasks.emplace_back();
    history_.emplace_back();
    imported.source_id = id;
    imported.source_status = word(row["status"]);
    Task& task = imported.task;
    task.title = text_of(row["title"]).value_or("");
    task.body = words(row["body"]);
    task.assignee = word(row["assignee"]);
    task.tenant = word(row["tenant"]);
    task.created_by = word(row["created_by"]);
    task.priority = integer_of(row["priority"]).value_or(0);
    task.result = words(row["result"]);
    task.idempotency_key = words(row["idempotency_key"]);
    task.origin = words(row["session_id"]);
    task.workflow_template_id = words(row["workflow_template_id"]);
    task.step_key = words(row["current_step_key"]);
    imported.source_created = instant_of(row["created_at"]);
    task.created_at = time(row["created_at"], now_, id);
    take_status(row, imported);
    take_workspace(row, imported);
    take_limits(row, imported);
    take_worker(row, imported);
    if (!is_null(row["project_id"]) && !word(row["project_id"]).empty()) {
      board_.findings.note("the link to a project is left out: boards have none", id);
    }
  }

  void take_status(const db::ForeignRow& row, ImportedTask& imported) {
    Task& task = imported.task;
    const auto* found = std::ranges::find(k_statuses, imported.source_status, &Translated::there);
    if (found == std::end(k_statuses)) {
      board_.findings.note(unknown_status(imported.source_status), imported.source_id);
      task.status = Status::triage;
    } else {
      task.status = found->here;
    }
    const Instant started = time(row["started_at"], task.created_at, imported.source_id);
    task.started_at = started;
    task.updated_at = std::max(task.created_at, started);
    if (task.status == Status::done || task.status == Status::archived) {
      if (!is_null(row["completed_at"]) || task.status == Status::done) {
        task.completed_at = time(row["completed_at"], task.updated_at, imported.source_id);
        task.updated_at = std::max(task.updated_at, *task.completed_at);
      }
    }
  }

  // The path of a scratch workspace is one that the predecessor chose itself: not what was asked
  // for, and gone.
  void take_workspace(const db::ForeignRow& row, ImportedTask& imported) {
    Task& task = imported.task;
    const std::string kind = word(row["workspace_kind"]);
    const auto path = words(row["workspace_path"]);
    task.workspace_kind = from_word<WorkspaceKind>(kind).value_or(WorkspaceKind::scratch);
    const bool absolute = path && path->starts_with('/');
    if (task.workspace_kind == WorkspaceKind::dir && !absolute) {
      board_.findings.note("a dir workspace without an absolute path: scratch instead",
                           imported.source_id);
      task.workspace_kind = WorkspaceKind::scratch;
    } else if (!kind.empty() && !from_word<WorkspaceKind>(kind)) {
      board_.findings.note("an unknown kind of workspace: scratch instead", imported.source_id);
    }
    if (task.workspace_kind != WorkspaceKind::scratch && absolute) {
      task.workspace_path = path;
    }
    if (task.workspace_kind == WorkspaceKind::worktree) {
      task.branch = words(row["branch_name"]);
    }
  }

  void take_limits(const db::ForeignRow& row, ImportedTask& imported) {
    Task& task = imported.task;
    constexpr std::int64_t k_most_seconds = 1'000'000'000;
    constexpr std::int64_t k_most_retries = 1'000'000;
    const auto in_range = [&](std::string_view name, std::int64_t most) {
      const auto number = integer_of(row[name]);
      if (is_null(row[name]) || (number && *number >= 1 && *number <= most)) {
        return number;
      }
      board_.findings.note(fmt::format("{} is out of range: left out", name), imported.source_id);
      return std::optional<std::int64_t>();
    };
    if (const auto seconds = in_range("max_runtime_seconds", k_most_seconds)) {
      task.max_runtime = Millis{*seconds * 1000};
    }
    task.failure_limit = in_range("max_retries", k_most_retries);
    task.goal_max_turns = in_range("goal_max_turns", k_most_retries);
    task.goal_mode = integer_of(row["goal_mode"]).value_or(0) != 0;
    // A half migrated board holds both counters: the newer one counts.
    const bool newer = !is_null(row["consecutive_failures"]);
    task.failures = std::clamp<std::int64_t>(
        integer_of(row[newer ? "consecutive_failures" : "spawn_failures"]).value_or(0), 0,
        k_most_retries);
    task.last_failure =
        words(row[is_null(row["last_failure_error"]) ? "last_spawn_error" : "last_failure_error"]);
    task.block_kind = from_word<BlockKind>(word(row["block_kind"]));
    task.block_streak = std::clamp<std::int64_t>(integer_of(row["block_recurrences"]).value_or(0),
                                                 0, k_most_retries);
    task.block_total = task.block_streak;
  }

  void take_worker(const db::ForeignRow& row, ImportedTask& imported) {
    if (const auto text = words(row["skills"])) {
      const Json skills = parse_json<Json>(*text);
      const bool names = skills.is_array() && std::ranges::all_of(skills, [](const Json& skill) {
                           return skill.is_string();
                         });
      if (names) {
        imported.task.skills = dump(skills);
      } else if (!skills.is_null()) {
        board_.findings.note("skills is no list of names: left out", imported.source_id);
      }
    }
    Json options = Json::object();
    for (const auto& [column, key] :
         {std::pair("model_override", "model"), std::pair("provider_override", "provider")}) {
      const auto value = words(row[column]);
      if (value && is_utf8(*value) && value->size() <= k_name_bytes) {
        options[key] = *value;
      } else if (value) {
        board_.findings.skip(imported.source_id, fmt::format("{} is no name: left out", column));
      }
    }
    imported.task.worker_options = dump(options);
  }

  void take_link(const db::ForeignRow& row) {
    ImportedTask* child = find(row["child_id"]);
    const std::string parent = word(row["parent_id"]);
    if (child == nullptr || parent.empty()) {
      board_.findings.skip(fmt::format("{} -> {}", parent, word(row["child_id"])),
                           std::string(k_stray_link));
      return;
    }
    child->parents.push_back(parent);
  }

  void take_comment(const db::ForeignRow& row) {
    ImportedTask* task = find(row["task_id"]);
    if (task == nullptr) {
      ++strays_;
      return;
    }
    const auto& comments = task->comments;
    const Instant before = comments.empty() ? task->task.created_at : comments.back().at;
    task->comments.push_back({word(row["author"]), text_of(row["body"]).value_or(""),
                              time(row["created_at"], before, task->source_id)});
  }

  void take_run(const db::ForeignRow& row) {
    ImportedTask* task = find(row["task_id"]);
    if (task == nullptr) {
      ++strays_;
      return;
    }
    ImportedRun& imported = task->runs.emplace_back();
    imported.key = word(row["id"]);
    Run& run = imported.run;
    run.profile = word(row["profile"]);
    run.step_key = words(row["step_key"]);
    run.started_at = time(row["started_at"], task->task.created_at, task->source_id);
    run.heartbeat_at = instant_of(row["last_heartbeat_at"]);
    run.summary = words(row["summary"]);
    run.error = words(row["error"]);
    take_metadata(row, *task, run);
    take_end(row, *task, run);
  }

  void take_metadata(const db::ForeignRow& row, const ImportedTask& task, Run& run) {
    const auto text = words(row["metadata"]);
    if (!text) {
      return;
    }
    const Json metadata = parse_json<Json>(*text);
    if (metadata.is_object()) {
      run.metadata = *text;
      run.metadata->erase(0, run.metadata->find('{'));
    } else if (metadata.is_discarded()) {
      board_.findings.skip(task.source_id, "metadata of a run that is no JSON");
    } else if (!metadata.is_null()) {
      run.metadata = dump({{"value", metadata}});
    }
  }

  // What was running there is not running here: closed, and nobody's fault.
  void take_end(const db::ForeignRow& row, const ImportedTask& task, Run& run) {
    const std::string status = word(row["status"]);
    const std::string outcome = word(row["outcome"]);
    const std::string said = !outcome.empty() ? outcome : status;
    const bool open = is_null(row["ended_at"]) && outcome.empty();
    run.ended_at = open ? std::max(now_, run.started_at)
                        : time(row["ended_at"], run.started_at, task.source_id);
    if (*run.ended_at < run.started_at) {
      board_.findings.note("a run that ended before it began (a clock went back) has no length",
                           task.source_id);
      run.ended_at = run.started_at;
    }
    run.gone_at = run.ended_at;
    if (open) {
      run.outcome = Outcome::aborted;
      run.error = run.error.value_or("it was running when the board was imported");
    } else if (said == "done") {
      run.outcome = Outcome::completed;
    } else if (said == "gave_up") {
      run.outcome = Outcome::spawn_failed;  // the predecessor closed only these runs so
    } else if (const auto known = from_word<Outcome>(said)) {
      run.outcome = known;
    } else {
      board_.findings.note(
          fmt::format("a run's outcome '{}' is unknown: aborted", printable(clip(said, 40))),
          task.source_id);
      run.outcome = Outcome::aborted;
    }
  }

  void take_event(const db::ForeignRow& row) {
    ImportedTask* task = find(row["task_id"]);
    if (task == nullptr) {
      ++strays_;
      return;
    }
    ImportedEvent event;
    event.run_key = word(row["run_id"]);
    event.kind = word(row["kind"]);
    const auto* renamed = std::ranges::find(k_kinds, event.kind, &Renamed::from);
    if (renamed != std::end(k_kinds)) {
      event.kind = renamed->to;
    }
    const Instant before = task->events.empty() ? task->task.created_at : task->events.back().at;
    event.at = time(row["created_at"], before, task->source_id);
    const Json payload = payload_of(row, *task, event);
    if (event.kind == "blocked" || event.kind == "unblocked" || event.kind == "gave_up") {
      const auto reason = [&](const char* key) {
        return payload.is_object() && payload.contains(key) && payload[key].is_string()
                   ? payload[key].get<std::string>()
                   : std::string();
      };
      history_[static_cast<std::size_t>(task - board_.tasks.data())] = {
          event.kind, !event.run_key.empty(), reason(event.kind == "gave_up" ? "error" : "reason")};
    }
    task->events.push_back(std::move(event));
  }

  Json payload_of(const db::ForeignRow& row, const ImportedTask& task, ImportedEvent& event) {
    const auto text = words(row["payload"]);
    if (!text) {
      return {};
    }
    if (!is_utf8(*text)) {
      event.payload = *text;  // for `admit` to refuse
      return {};
    }
    Json payload = parse_json<Json>(*text);
    if (payload.is_null()) {
      return {};
    }
    if (!payload.is_object()) {
      const bool json = !payload.is_discarded();
      board_.findings.note("an event's payload that is no JSON object was wrapped into one",
                           task.source_id);
      event.payload = json ? dump({{"value", payload}}) : dump({{"text", *text}});
      return {};
    }
    for (const Renamed& key : k_keys) {
      if (const auto found = payload.find(key.from); found != payload.end()) {
        payload[std::string(key.to)] = *found;
        payload.erase(std::string(key.from));
      }
    }
    event.payload = payload.empty() ? "" : dump(payload);
    return payload;
  }

  void take_attachment(const db::ForeignRow& row) {
    ImportedTask* task = find(row["task_id"]);
    const std::string path = text_of(row["stored_path"]).value_or("");
    if (task == nullptr) {
      ++strays_;
    } else if (!path.starts_with('/')) {
      board_.findings.skip(task->source_id, "an attachment without the path of its file");
    } else {
      task->files.push_back({task->source_id, path, words(row["filename"]).value_or(path),
                             word(row["content_type"]), word(row["uploaded_by"]), ""});
    }
  }

  Result<void> count_the_rest() {
    std::int64_t rows = 0;
    const auto count = [&](const db::ForeignRow&) { ++rows; };
    TRY(each_of("kanban_notify_subs", k_some, count));
    board_.findings.note("notification subscriptions are not imported", rows);
    board_.findings.note("what belongs to tasks that are not on the board any more", strays_);
    return {};
  }

  // What only the whole history tells.
  void finish(ImportedTask& imported, const BlockHistory& history) {
    Task& task = imported.task;
    std::ranges::stable_sort(imported.comments, {}, &ImportedComment::at);
    std::ranges::stable_sort(imported.runs, {},
                             [](const ImportedRun& run) { return run.run.started_at; });
    for (const ImportedEvent& event : imported.events) {
      task.updated_at = std::max(task.updated_at, event.at);
    }
    task.updated_at = std::min(task.updated_at, now_);
    if (imported.source_status == "running") {
      board_.findings.note(std::string(k_was_running), imported.source_id);
      const bool known = std::ranges::any_of(imported.runs, [](const ImportedRun& run) {
        return run.run.outcome == Outcome::aborted;
      });
      if (!known) {  // of the time before runs were kept
        Run run;
        run.profile = task.assignee;
        run.started_at = *task.started_at;
        run.ended_at = run.gone_at = std::max(now_, run.started_at);
        run.outcome = Outcome::aborted;
        run.error = "it was running when the board was imported";
        imported.runs.push_back({"", run});
      }
    }
    if (task.status == Status::blocked) {
      finish_block(task, history);
    }
  }

  // The predecessor did not store who blocked a task. Its newest event about a block tells; a task
  // without one was created blocked, or the breaker of an older version did it.
  static void finish_block(Task& task, const BlockHistory& history) {
    const bool breaker =
        history.kind == "gave_up" || (history.kind != "blocked" && task.failures > 0);
    task.block_source = breaker                                       ? BlockSource::breaker
                        : history.kind == "blocked" && history.by_run ? BlockSource::worker
                                                                      : BlockSource::human;
    if (!history.reason.empty()) {
      task.block_reason = history.reason;
    } else if (breaker) {
      task.block_reason = task.last_failure;
    }
  }

  const db::ForeignCopy& copy_;
  Instant now_;
  ImportedBoard board_;
  std::vector<BlockHistory> history_;  // beside board_.tasks
  std::unordered_map<std::string, std::size_t> places_;
  std::int64_t strays_ = 0;
};

}  // namespace

Result<ImportedBoard> read_predecessor(const db::ForeignCopy& copy, Instant now) {
  if (copy.application_id() == db::k_application_id) {
    return fail(ErrorCode::invalid, "this is a board of Hermes itself, not one to import",
                "`hermes kanban boards import` makes a new board of it");
  }
  if (!copy.has_table("tasks")) {
    return fail(ErrorCode::invalid, "this database has no table of tasks: it is no kanban board",
                "give the path of the board's kanban.db");
  }
  return Reading(copy, now).take();
}

}  // namespace hermes::board
