// The database of the predecessor, with anything in it: see database_input.hpp.
#include <filesystem>

#include "fuzz/board.hpp"
#include "fuzz/database_input.hpp"
#include "fuzz/harness.hpp"

using namespace hermes;

namespace {

constexpr const char* k_base = R"(
  CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT, assignee TEXT,
    status TEXT NOT NULL, priority INTEGER DEFAULT 0, created_by TEXT, created_at INTEGER NOT NULL,
    started_at INTEGER, completed_at INTEGER, workspace_kind TEXT NOT NULL DEFAULT 'scratch',
    workspace_path TEXT, branch_name TEXT, claim_lock TEXT, tenant TEXT, result TEXT,
    idempotency_key TEXT, consecutive_failures INTEGER NOT NULL DEFAULT 0, last_failure_error TEXT,
    max_runtime_seconds INTEGER, current_run_id INTEGER, skills TEXT, model_override TEXT,
    provider_override TEXT, max_retries INTEGER, goal_mode INTEGER NOT NULL DEFAULT 0,
    goal_max_turns INTEGER, session_id TEXT, block_kind TEXT);
  CREATE TABLE task_links (parent_id TEXT NOT NULL, child_id TEXT NOT NULL,
    PRIMARY KEY (parent_id, child_id));
  CREATE TABLE task_comments (id INTEGER PRIMARY KEY, task_id TEXT, author TEXT, body TEXT,
    created_at INTEGER);
  CREATE TABLE task_events (id INTEGER PRIMARY KEY, task_id TEXT, run_id INTEGER, kind TEXT,
    payload TEXT, created_at INTEGER);
  CREATE TABLE task_runs (id INTEGER PRIMARY KEY, task_id TEXT, profile TEXT, step_key TEXT,
    status TEXT, worker_pid INTEGER, max_runtime_seconds INTEGER, last_heartbeat_at INTEGER,
    started_at INTEGER, ended_at INTEGER, outcome TEXT, summary TEXT, metadata TEXT, error TEXT);
  CREATE TABLE task_attachments (id INTEGER PRIMARY KEY, task_id TEXT, filename TEXT,
    stored_path TEXT, content_type TEXT, size INTEGER, uploaded_by TEXT, created_at INTEGER);
  INSERT INTO tasks (id, title, status, created_at, skills) VALUES
    ('t_00000001', 'first', 'done', 1600000000, '["a"]'),
    ('t_00000002', 'second', 'running', 1600000001, NULL),
    ('t_00000003', 'third', 'blocked', 1600000002, '');
  INSERT INTO task_links VALUES ('t_00000001', 't_00000002'), ('t_00000002', 't_00000003');
  INSERT INTO task_comments VALUES (1, 't_00000001', 'ann', 'words', 1600000003);
  INSERT INTO task_events VALUES (1, 't_00000001', 1, 'completed', '{"a": 1}', 1600000004);
  INSERT INTO task_runs (id, task_id, profile, status, started_at, ended_at, outcome, metadata)
    VALUES (1, 't_00000001', 'p', 'done', 1600000003, 1600000004, 'completed', '{"x": [1]}'),
           (2, 't_00000002', 'p', 'running', 1600000005, NULL, NULL, NULL);
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::ThrowAwayBoard ground;
  static const test::TempDir dir;
  static const bool made = (fuzz::make_base(dir / "base", k_base), true);
  fuzz::require(made, "there is a base");
  ground.renew();
  fuzz::make_database(dir / "base", ground.source(), fuzz::text_of(data, size));
  const auto copy = db::ForeignCopy::take(ground.source());
  fuzz::require_told(copy);
  if (!copy) {
    return 0;
  }
  const auto read = [&] { return board::read_predecessor(*copy, ground.now()); };
  const auto imported = read();
  fuzz::require_told(imported);
  if (imported) {
    ground.require_imported(read);
  }
  return 0;
}
