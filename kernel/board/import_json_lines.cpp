#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "kernel/base/text.hpp"
#include "kernel/board/import.hpp"
#include "kernel/board/import_values.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/rows.hpp"

namespace hermes::board {

namespace {

using Json = nlohmann::json;

struct Translated {
  std::string_view there;
  Status here;
};
// The one table of statuses: those of beads, and ours, for lists that somebody wrote by hand.
// Whether an open one is ready or todo is decided by the plan.
constexpr Translated k_statuses[] = {
    {"open", Status::ready},         {"in_progress", Status::ready},
    {"blocked", Status::blocked},    {"closed", Status::done},
    {"deferred", Status::scheduled}, {"triage", Status::triage},
    {"todo", Status::ready},         {"ready", Status::ready},
    {"running", Status::ready},      {"scheduled", Status::scheduled},
    {"review", Status::review},      {"done", Status::done},
    {"archived", Status::archived},  {"", Status::ready},
};

// In beads 0 is the most urgent of five and 2 the ordinary one; here larger is sooner and 0 is
// ordinary.
constexpr std::int64_t k_ordinary_priority = 2;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return {};
  }
  return found->is_string() ? found->get<std::string>() : found->is_primitive() ? dump(*found) : "";
}

std::optional<Instant> time_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) {
    return std::nullopt;
  }
  return found->is_number()   ? instant_of_number(found->get<double>())
         : found->is_string() ? parse_timestamp(trim(found->get_ref<const std::string&>()))
                              : std::nullopt;
}

// Only objects and only what is listed: a list, or nothing.
const Json& list_at(const Json& object, const char* key) {
  static const Json k_none = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : k_none;
}

class Reading {
 public:
  explicit Reading(Instant now) : now_(now) { board_.origin = "json-lines"; }

  void take_line(std::string_view line, std::size_t number) {
    if (trim(line).empty()) {
      return;
    }
    const Json object = parse_json<Json>(line);
    if (!object.is_object()) {
      board_.findings.skip(fmt::format("line {}", number), "a line that is no JSON object");
      return;
    }
    const std::string id(trim(text_at(object, "id")));
    if (id.empty()) {
      board_.findings.skip(fmt::format("line {}", number), "a task without an id");
    } else if (text_at(object, "status") == "tombstone" || object.contains("deleted_at")) {
      board_.findings.skip(id, "deleted there");
    } else if (!places_.emplace(id, board_.tasks.size()).second) {
      board_.findings.skip(id, "a second task with this id");
    } else {
      take_task(object, id);
    }
  }

  Result<ImportedBoard> finish() {
    if (board_.tasks.empty()) {
      return fail(ErrorCode::invalid, "no line of it is a task",
                  "give an SQLite kanban.db, or JSON Lines: one object with id and title per line");
    }
    for (const auto& [parent, child] : blocks_) {  // the other way round: known only at the end
      if (const auto found = places_.find(child); found != places_.end()) {
        board_.tasks[found->second].parents.push_back(parent);
      } else {
        board_.findings.skip(fmt::format("{} -> {}", parent, child), std::string(k_stray_link));
      }
    }
    return std::move(board_);
  }

 private:
  void take_task(const Json& object, const std::string& id) {
    ImportedTask imported;
    imported.source_id = id;
    imported.source_status = text_at(object, "status");
    Task& task = imported.task;
    task.title = text_at(object, "title");
    task.body = body_of(object);
    task.assignee = std::string(trim(text_at(object, "assignee")));
    task.created_by = std::string(trim(text_at(object, "created_by")));
    task.priority = priority_of(object, id);
    take_times(object, imported);
    take_status(imported);
    take_dependencies(object, imported);
    for (const Json& comment : list_at(object, "comments")) {
      if (comment.is_object()) {
        const std::string text = text_at(comment, "text");
        imported.comments.push_back({std::string(trim(text_at(comment, "author"))),
                                     text.empty() ? text_at(comment, "body") : text,
                                     time_at(comment, "created_at").value_or(task.created_at)});
      }
    }
    if (task.status == Status::done || task.status == Status::archived) {
      const std::string reason = text_at(object, "close_reason");
      task.result = reason.empty() ? std::nullopt : std::optional(reason);
    }
    board_.tasks.push_back(std::move(imported));
  }

  std::int64_t priority_of(const Json& object, const std::string& id) {
    const auto found = object.find("priority");
    if (found == object.end() || found->is_null()) {
      return 0;
    }
    if (!found->is_number_integer() || found->get<std::int64_t>() < 0 ||
        found->get<std::int64_t>() > 4) {
      board_.findings.note("priority is not 0 to 4: 0 (ordinary) instead", id);
      return 0;
    }
    return k_ordinary_priority - found->get<std::int64_t>();
  }

  void take_times(const Json& object, ImportedTask& imported) {
    Task& task = imported.task;
    const auto created = time_at(object, "created_at");
    if (!created && object.contains("created_at")) {
      board_.findings.note(std::string(k_bad_time), imported.source_id);
    }
    imported.source_created = created;
    task.created_at = created.value_or(now_);
    task.updated_at =
        std::min(std::max(time_at(object, "updated_at").value_or(task.created_at), task.created_at),
                 std::max(now_, task.created_at));
    task.completed_at = time_at(object, "closed_at").value_or(task.updated_at);
  }

  void take_status(ImportedTask& imported) {
    Task& task = imported.task;
    const auto* found = std::ranges::find(k_statuses, imported.source_status, &Translated::there);
    if (found == std::end(k_statuses)) {
      board_.findings.note(unknown_status(imported.source_status), imported.source_id);
      task.status = Status::triage;
    } else {
      task.status = found->here;
    }
    if (imported.source_status == "in_progress" || imported.source_status == "running") {
      board_.findings.note(std::string(k_was_running), imported.source_id);
    }
    if (task.status == Status::blocked) {
      task.block_source = BlockSource::human;
    }
    if (task.status != Status::done && task.status != Status::archived) {
      task.completed_at.reset();
    }
  }

  // `dependencies` of beads: objects with depends_on_id and type. Also a list of ids, `depends_on`
  // as such a list, and `blocks`: the ids of what waits for this one.
  void take_dependencies(const Json& object, ImportedTask& imported) {
    for (const char* key : {"dependencies", "depends_on"}) {
      for (const Json& dependency : list_at(object, key)) {
        if (dependency.is_string()) {
          imported.parents.push_back(dependency.get<std::string>());
        } else if (dependency.is_object()) {
          const std::string type = text_at(dependency, "type");
          if (type.empty() || type == "blocks") {
            imported.parents.push_back(text_at(dependency, "depends_on_id"));
          } else {
            board_.findings.note(
                fmt::format(
                    "a dependency of type '{}' is left out: only 'blocks' makes a task wait",
                    printable(clip(type, 40))),
                imported.source_id);
          }
        }
      }
    }
    for (const Json& child : list_at(object, "blocks")) {
      if (child.is_string()) {
        blocks_.emplace_back(imported.source_id, child.get<std::string>());
      }
    }
    // "blocked" there mostly means a dependency, which here is todo.
    if (imported.source_status == "blocked" && !imported.parents.empty()) {
      imported.task.status = Status::todo;
      imported.task.block_source.reset();
    }
  }

  // A worker reads the body alone, so what else says what is to be done stands in it too.
  static std::optional<std::string> body_of(const Json& object) {
    std::string body = text_at(object, "description");
    if (body.empty()) {
      body = text_at(object, "body");
    }
    const auto add = [&](std::string_view title, const std::string& text) {
      if (!trim(text).empty()) {
        body += fmt::format("{}{}:\n{}", body.empty() ? "" : "\n\n", title, text);
      }
    };
    add("Design", text_at(object, "design"));
    add("Acceptance criteria", text_at(object, "acceptance_criteria"));
    add("Notes", text_at(object, "notes"));
    std::vector<std::string> labels;
    for (const Json& label : list_at(object, "labels")) {
      if (label.is_string()) {
        labels.push_back(label.get<std::string>());
      }
    }
    add("Labels", join(labels, ", "));
    const std::string type = text_at(object, "issue_type");
    add("Type", type == "task" ? "" : type);
    add("Reference", text_at(object, "external_ref"));
    return body.empty() ? std::nullopt : std::optional(body);
  }

  Instant now_;
  ImportedBoard board_;
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<std::pair<std::string, std::string>> blocks_;  // parent, child
};

}  // namespace

Result<ImportedBoard> read_json_lines(std::string_view text, Instant now) {
  Reading reading(now);
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reading.take_line(text.substr(0, end), ++number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reading.finish();
}

}  // namespace hermes::board
