#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/base/instant.hpp"
#include "kernel/model/words.hpp"

namespace hermes {

// A card of the board, as stored. "" as assignee or tenant means none.
struct Task {
  std::string id;
  std::string title;
  std::optional<std::string> body;
  Status status = Status::ready;
  Lane lane = Lane::work;
  std::string assignee;
  std::string tenant;
  std::int64_t priority = 0;  // larger is sooner
  std::string created_by;
  std::optional<std::string> origin;  // session that created it
  Instant created_at;
  Instant updated_at;
  std::optional<Instant> ready_since;
  std::optional<Instant> eligible_at;  // max(ready_since, held_until)
  std::optional<Instant> completed_at;
  std::optional<Instant> wake_at;
  std::optional<Instant> held_until;
  std::optional<HoldReason> hold_reason;
  WorkspaceKind workspace_kind = WorkspaceKind::scratch;
  std::optional<std::string> workspace_path;  // as requested
  std::optional<std::string> branch;          // as requested
  std::optional<std::string> idempotency_key;
  std::optional<Millis> max_runtime;
  std::optional<std::int64_t> failure_limit;
  std::int64_t failures = 0;
  std::int64_t violations = 0;
  std::optional<std::string> last_failure_kind;
  std::optional<std::string> last_failure;
  std::optional<BlockSource> block_source;
  std::optional<BlockKind> block_kind;
  std::optional<std::string> block_reason;
  std::int64_t block_streak = 0;
  std::int64_t block_total = 0;
  std::string skills = "[]";          // JSON array of names
  std::string worker_options = "{}";  // JSON object: model, provider …
  bool goal_mode = false;
  std::optional<std::int64_t> goal_max_turns;
  std::optional<std::string> workflow_template_id;
  std::optional<std::string> step_key;
  std::optional<std::string> result;
  std::optional<std::int64_t> current_run_id;
  std::optional<Instant> started_at;  // of its first run; read from runs
};

struct Link {
  std::string parent_id;
  std::string child_id;
  LinkCondition condition = LinkCondition::done;
  std::optional<Instant> satisfied_at;
};

struct Comment {
  std::int64_t id = 0;
  std::string author;
  std::string body;
  Instant at;
};

// What a planner has been asked about a task in triage. There is none while it has neither been
// asked nor failed.
struct Planning {
  PlanKind kind = PlanKind::specify;  // the last that was asked
  std::optional<Instant> asked_at;    // while it is at work
  std::int64_t failures = 0;          // in a row
  Instant next_at;                    // automation does not ask before
  std::optional<std::string> last_error;
};

// A file that belongs to a task, kept below the board's attachments/<task>/.
struct Attachment {
  std::int64_t id = 0;
  std::string task_id;
  std::string filename;     // as people see it
  std::string stored_name;  // of the file in attachments/<task>/
  std::optional<std::string> content_type;
  std::int64_t size = 0;  // bytes
  std::string added_by;
  Instant at;
};

}  // namespace hermes
