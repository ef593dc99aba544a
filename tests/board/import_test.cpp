#include "kernel/board/import.hpp"

#include <catch2/catch.hpp>

#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "board/board_fixture.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

// The predecessor's schema as its last version made it.
constexpr const char* k_schema = R"(
  CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT, assignee TEXT,
    status TEXT NOT NULL, priority INTEGER DEFAULT 0, created_by TEXT, created_at INTEGER NOT NULL,
    started_at INTEGER, completed_at INTEGER, workspace_kind TEXT NOT NULL DEFAULT 'scratch',
    workspace_path TEXT, branch_name TEXT, project_id TEXT, claim_lock TEXT, claim_expires INTEGER,
    tenant TEXT, result TEXT, idempotency_key TEXT, consecutive_failures INTEGER NOT NULL DEFAULT 0,
    worker_pid INTEGER, last_failure_error TEXT, max_runtime_seconds INTEGER,
    last_heartbeat_at INTEGER, current_run_id INTEGER, workflow_template_id TEXT,
    current_step_key TEXT, skills TEXT, model_override TEXT, provider_override TEXT,
    max_retries INTEGER, goal_mode INTEGER NOT NULL DEFAULT 0, goal_max_turns INTEGER,
    session_id TEXT, block_kind TEXT, block_recurrences INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE task_links (parent_id TEXT NOT NULL, child_id TEXT NOT NULL,
    PRIMARY KEY (parent_id, child_id));
  CREATE TABLE task_comments (id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL,
    author TEXT NOT NULL, body TEXT NOT NULL, created_at INTEGER NOT NULL);
  CREATE TABLE task_events (id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL,
    run_id INTEGER, kind TEXT NOT NULL, payload TEXT, created_at INTEGER NOT NULL);
  CREATE TABLE task_runs (id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, profile TEXT,
    step_key TEXT, status TEXT NOT NULL, claim_lock TEXT, claim_expires INTEGER, worker_pid INTEGER,
    max_runtime_seconds INTEGER, last_heartbeat_at INTEGER, started_at INTEGER NOT NULL,
    ended_at INTEGER, outcome TEXT, summary TEXT, metadata TEXT, error TEXT);
  CREATE TABLE task_attachments (id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT, filename TEXT,
    stored_path TEXT NOT NULL, content_type TEXT, size INTEGER NOT NULL DEFAULT 0, uploaded_by TEXT,
    created_at INTEGER);
  CREATE TABLE kanban_notify_subs (task_id TEXT, platform TEXT, chat_id TEXT, thread_id TEXT,
    user_id TEXT, notifier_profile TEXT, created_at INTEGER, last_event_id INTEGER NOT NULL DEFAULT 0);
)";

// As it was before renames and before runs: row ids are text or null, counters have their old
// names, most columns do not exist.
constexpr const char* k_old_schema = R"(
  CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT, assignee TEXT,
    status TEXT NOT NULL, priority INTEGER, created_by TEXT, created_at INTEGER NOT NULL,
    started_at INTEGER, completed_at INTEGER, claim_lock TEXT, spawn_failures INTEGER DEFAULT 0,
    last_spawn_error TEXT);
  CREATE TABLE task_links (parent_id TEXT NOT NULL, child_id TEXT NOT NULL);
  CREATE TABLE task_comments (id TEXT PRIMARY KEY, task_id TEXT, author TEXT, body TEXT,
    created_at INTEGER);
  CREATE TABLE task_events (id TEXT PRIMARY KEY, task_id TEXT, kind TEXT, payload TEXT,
    created_at INTEGER);
  CREATE TABLE kanban_notify_subs (task_id TEXT, platform TEXT, chat_id TEXT, last_event_id TEXT);
)";

struct Ground : BoardFixture {
  std::filesystem::path source = dir / "kanban.db";

  void sql(const std::string& text) const {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(source.c_str(), &handle) == SQLITE_OK);
    char* problem = nullptr;
    const int code = sqlite3_exec(handle, text.c_str(), nullptr, nullptr, &problem);
    INFO((problem == nullptr ? "" : problem));
    sqlite3_free(problem);
    sqlite3_close(handle);
    REQUIRE(code == SQLITE_OK);
  }

  Result<board::ImportedBoard> read_source() const {
    TRY_ASSIGN(const db::ForeignCopy copy, db::ForeignCopy::take(source));
    TRY_ASSIGN(board::ImportedBoard imported, board::read_predecessor(copy, now));
    board::admit(imported);
    return imported;
  }
  board::ImportReport take(board::ImportedBoard imported) {
    auto report = change([&](board::Change& c) {
      return board::carry_out(c, board::plan_import(c.tx, std::move(imported), c.now, c.limits));
    });
    REQUIRE(report);
    return *std::move(report);
  }
  board::ImportReport import() {
    auto imported = read_source();
    REQUIRE(imported);
    return take(*std::move(imported));
  }
  board::ImportReport import_lines(const std::string& text) {
    auto imported = board::read_json_lines(text, now);
    REQUIRE(imported);
    board::admit(*imported);
    return take(*std::move(imported));
  }
  std::vector<Run> runs(const std::string& id) {
    return read([&](db::Reader& tx) { return board::runs_of(tx, id); });
  }
  std::vector<Comment> comments(const std::string& id) {
    return read([&](db::Reader& tx) { return board::comments_of(tx, id); });
  }
  std::vector<std::string> parents(const std::string& id) {
    return read([&](db::Reader& tx) { return board::parents_of(tx, id); });
  }
  std::int64_t tasks_here() {
    return read([](db::Reader& tx) {
      auto row = tx.query("SELECT count(*) FROM tasks");
      row.next();
      return row.integer(0);
    });
  }
};

bool has_skipped(const board::ImportReport& report, const std::string& id,
                 const std::string& reason) {
  return std::ranges::any_of(report.findings.skipped(), [&](const auto& item) {
    return item.id == id && item.reason.find(reason) != std::string::npos;
  });
}

std::int64_t noted(const board::ImportReport& report, const std::string& text) {
  for (const auto& note : report.findings.notes()) {
    if (note.text.find(text) != std::string::npos) {
      return note.count;
    }
  }
  return 0;
}

}  // namespace

TEST_CASE("import: a board comes over with its tasks, links, comments, runs and events") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(
    INSERT INTO tasks (id, title, body, assignee, status, priority, created_by, created_at,
      started_at, completed_at, result, tenant, skills, model_override, max_runtime_seconds,
      max_retries, idempotency_key, session_id, workspace_kind, workspace_path, branch_name) VALUES
      ('t_00000001', 'Parent', 'the body', 'Shell', 'done', 5, 'ann', 1600000000, 1600000010,
       1600000020, 'fine', 'acme', '["a","b"]', 'big', 90, 3, 'night', 'session-1', 'worktree',
       '/srv/tree', 'topic');
    INSERT INTO tasks (id, title, assignee, status, created_at, workspace_path) VALUES
      ('t_00000002', 'Child of done', NULL, 'todo', 1600000001, '/gone/scratch'),
      ('t_00000003', 'Waits', 'shell', 'todo', 1600000002, NULL),
      ('t_00000004', 'Runs', 'shell', 'running', 1600000003, NULL);
    INSERT INTO task_links VALUES ('t_00000001', 't_00000002'), ('t_00000004', 't_00000003');
    INSERT INTO task_comments (task_id, author, body, created_at) VALUES
      ('t_00000001', 'ann', 'second', 1600000006), ('t_00000001', 'bob', 'first', 1600000005);
    INSERT INTO task_runs (id, task_id, profile, status, started_at, ended_at, outcome, summary,
      metadata, error) VALUES
      (7, 't_00000001', 'shell', 'crashed', 1600000010, 1600000012, 'crashed', NULL, NULL, 'oom'),
      (9, 't_00000001', 'shell', 'done', 1600000015, 1600000020, 'completed', 'did it',
       '{"files": 3}', NULL),
      (11, 't_00000004', 'shell', 'running', 1600000030, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO task_events (task_id, run_id, kind, payload, created_at) VALUES
      ('t_00000001', NULL, 'created', '{"assignee":"shell","status":"ready"}', 1600000000),
      ('t_00000001', 9, 'completed', '{"summary":"did it","to":"nonsense","limit":"x"}', 1600000020),
      ('t_00000001', NULL, 'tip_scratch_workspace', '{"message":"hi"}', 1600000021);
    INSERT INTO task_attachments (task_id, filename, stored_path) VALUES ('t_00000001', 'a', '/x');
    INSERT INTO kanban_notify_subs (task_id, platform, chat_id) VALUES ('t_00000001', 'p', 'c');
  )");
  const auto report = g.import();
  CHECK(report.tasks == 4);
  CHECK(report.links == 2);
  CHECK(report.comments == 2);
  CHECK(report.events == 3);
  CHECK(report.runs == 3);
  CHECK(report.findings.skipped().empty());
  CHECK(report.renamed.empty());
  REQUIRE(report.files.size() == 1);
  CHECK(report.files[0].task_id == "t_00000001");
  CHECK(report.files[0].path == "/x");
  CHECK(noted(report, "subscriptions") == 1);

  const Task parent = g.task("t_00000001");
  CHECK(parent.title == "Parent");
  CHECK(parent.body == "the body");
  CHECK(parent.assignee == "shell");
  CHECK(parent.status == Status::done);
  CHECK(parent.priority == 5);
  CHECK(parent.created_at == Instant{1'600'000'000'000});
  CHECK(parent.completed_at == Instant{1'600'000'020'000});
  CHECK(parent.result == "fine");
  CHECK(parent.tenant == "acme");
  CHECK(parent.skills == R"(["a","b"])");
  CHECK(parent.worker_options == R"({"model":"big"})");
  CHECK(parent.max_runtime == Millis{90'000});
  CHECK(parent.failure_limit == 3);
  CHECK(parent.idempotency_key == "night");
  CHECK(parent.origin == "session-1");
  CHECK(parent.workspace_kind == WorkspaceKind::worktree);
  CHECK(parent.workspace_path == "/srv/tree");
  CHECK(parent.branch == "topic");

  CHECK(g.status("t_00000002") == Status::ready);  // its parent is done: the promotion was due
  CHECK_FALSE(g.task("t_00000002").workspace_path);
  CHECK(g.status("t_00000003") == Status::todo);
  CHECK(g.parents("t_00000003") == std::vector<std::string>{"t_00000004"});

  const auto comments = g.comments("t_00000001");
  REQUIRE(comments.size() == 2);
  CHECK(comments[0].body == "first");
  CHECK(comments[1].at == Instant{1'600'000'006'000});

  const auto runs = g.runs("t_00000001");
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].outcome == Outcome::crashed);
  CHECK(runs[0].error == "oom");
  CHECK(runs[1].attempt == 2);
  CHECK(runs[1].summary == "did it");
  CHECK(runs[1].metadata == R"({"files": 3})");
  CHECK(runs[1].ended_at == Instant{1'600'000'020'000});

  CHECK(g.kinds("t_00000001") ==
        std::vector<std::string>{"created", "completed", "tip_scratch_workspace", "imported"});
  const auto events = g.read([](db::Reader& tx) { return board::events_of(tx, "t_00000001"); });
  CHECK(events[1].run_id == runs[1].id);
  CHECK(events[1].at == Instant{1'600'000'020'000});
  CHECK(events[1].payload == R"({"source_limit":"x","source_to":"nonsense","summary":"did it"})");

  CHECK(g.status("t_00000004") == Status::ready);
  const auto ended = g.runs("t_00000004");
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].outcome == Outcome::aborted);
  CHECK(ended[0].gone_at);
  CHECK(noted(report, "was running there") == 1);
}

TEST_CASE("import: imported tasks go on like any other") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(INSERT INTO tasks (id, title, assignee, status, created_at) VALUES
      ('t_0000000a', 'first', 'shell', 'running', 1600000000),
      ('t_0000000b', 'then', 'shell', 'todo', 1600000000),
      ('t_0000000c', 'older', 'shell', 'ready', 1500000000);
    INSERT INTO task_links VALUES ('t_0000000a', 't_0000000b');)");
  g.import();
  CHECK(g.candidates() == std::vector<std::string>{"t_0000000c", "t_0000000a"});
  const Run run = g.start("t_0000000a");
  CHECK(run.attempt == 2);  // the one it was imported with was the first
  CHECK(g.exits(run, 0));
  CHECK(g.status("t_0000000a") == Status::done);
  CHECK(g.status("t_0000000b") == Status::ready);
}

TEST_CASE("import: the shapes of old boards") {
  Ground g;
  g.sql(k_old_schema);
  g.sql(R"(
    INSERT INTO tasks (id, title, assignee, status, priority, created_at, started_at, spawn_failures,
      last_spawn_error) VALUES
      ('t_01ab', 'Short id', '', 'ready', NULL, 1600000000, NULL, 0, NULL),
      ('t_02ab', 'Runs without a run', ' Worker ', 'running', 0, 1600000000, 1600000040, 0, NULL),
      ('t_03ab', 'Given up', 'w', 'blocked', 0, 1600000000, NULL, 4, 'no such program'),
      ('t_04ab', 'Bad time', NULL, 'done', 0, '%s', NULL, 0, NULL),
      ('t_05ab', 'Put away', NULL, 'archived', 0, 1600000000, NULL, 0, NULL),
      ('t_06ab', 'Waited for it', NULL, 'todo', 0, 1600000000, NULL, 0, NULL),
      ('t_07ab', 'Of tomorrow', NULL, 'paused', 0, 1600000000, NULL, 0, NULL),
      (NULL, 'Nobody', NULL, 'ready', 0, 1600000000, NULL, 0, NULL);
    INSERT INTO task_links VALUES ('t_05ab', 't_06ab');
    INSERT INTO task_comments VALUES (NULL, 't_01ab', NULL, 'no id', NULL),
      ('x', 't_01ab', 'ann', 'text id', 1600000009), (NULL, 't_gone', 'ann', 'stray', 1);
    INSERT INTO task_events VALUES (NULL, 't_01ab', 'ready', NULL, 1600000001),
      ('8', 't_03ab', 'spawn_auto_blocked', '{"error":"ENOENT"}', 1600000002),
      (NULL, 't_01ab', 'priority', '[1]', NULL);
    INSERT INTO kanban_notify_subs VALUES ('t_01ab', 'p', 'c', 'abc');
  )");
  const auto report = g.import();
  CHECK(report.tasks == 7);
  CHECK(has_skipped(report, "", "without an id"));
  CHECK(report.renamed.size() == 7);  // none is an id of ours
  std::map<std::string, std::string> ids(report.renamed.begin(), report.renamed.end());

  const Task first = g.task(ids.at("t_01ab"));
  CHECK(first.assignee.empty());
  CHECK(first.status == Status::ready);
  CHECK(g.kinds(first.id) == std::vector<std::string>{"promoted", "reprioritized", "imported"});
  const auto comments = g.comments(first.id);
  REQUIRE(comments.size() == 2);
  CHECK(comments[0].author == "unknown");

  CHECK(g.task(ids.at("t_02ab")).assignee == "worker");
  const auto runs = g.runs(ids.at("t_02ab"));
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].outcome == Outcome::aborted);
  CHECK(runs[0].started_at == Instant{1'600'000'040'000});

  const Task given_up = g.task(ids.at("t_03ab"));
  CHECK(given_up.status == Status::blocked);
  CHECK(given_up.block_source == BlockSource::breaker);
  CHECK(given_up.block_reason == "ENOENT");
  CHECK(given_up.failures == 4);
  CHECK(given_up.last_failure == "no such program");
  CHECK(g.kinds(given_up.id).front() == "gave_up");

  CHECK(g.task(ids.at("t_04ab")).created_at == g.now);
  CHECK(noted(report, "a time that is none") == 1);
  CHECK(g.status(ids.at("t_06ab")) == Status::ready);  // an archived parent released it there
  CHECK(g.status(ids.at("t_07ab")) == Status::triage);
  CHECK(noted(report, "'paused' is unknown") == 1);
  CHECK(noted(report, "not on the board any more") == 1);
}

TEST_CASE("import: of a half migrated board the newer counter counts") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(ALTER TABLE tasks ADD COLUMN spawn_failures INTEGER;
    ALTER TABLE tasks ADD COLUMN last_spawn_error TEXT;
    INSERT INTO tasks (id, title, status, created_at, consecutive_failures, spawn_failures,
      last_failure_error, last_spawn_error) VALUES
      ('t_00000001', 'a', 'ready', 1600000000, 1, 4, 'new', 'old');)");
  g.import();
  CHECK(g.task("t_00000001").failures == 1);
  CHECK(g.task("t_00000001").last_failure == "new");
}

TEST_CASE("import: who blocked a task is told by its newest event about a block") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(INSERT INTO tasks (id, title, status, created_at, block_kind, block_recurrences) VALUES
      ('t_00000001', 'worker', 'blocked', 1600000000, 'needs_input', 1),
      ('t_00000002', 'person', 'blocked', 1600000000, NULL, 0),
      ('t_00000003', 'created so', 'blocked', 1600000000, NULL, 0);
    INSERT INTO task_runs (id, task_id, status, started_at, ended_at, outcome) VALUES
      (1, 't_00000001', 'blocked', 1600000001, 1600000002, 'blocked');
    INSERT INTO task_events (task_id, run_id, kind, payload, created_at) VALUES
      ('t_00000001', 1, 'blocked', '{"reason":"which colour?"}', 1600000002),
      ('t_00000002', NULL, 'gave_up', '{"error":"x"}', 1600000001),
      ('t_00000002', NULL, 'blocked', '{"reason":"hold on"}', 1600000002);)");
  g.import();
  CHECK(g.task("t_00000001").block_source == BlockSource::worker);
  CHECK(g.task("t_00000001").block_kind == BlockKind::needs_input);
  CHECK(g.task("t_00000001").block_reason == "which colour?");
  CHECK(g.task("t_00000001").block_streak == 1);
  CHECK(g.task("t_00000002").block_source == BlockSource::human);
  CHECK(g.task("t_00000003").block_source == BlockSource::human);
}

TEST_CASE("import: a second run brings nothing twice, and later what is new") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(INSERT INTO tasks (id, title, status, created_at) VALUES
      ('t_00000001', 'a', 'ready', 1600000000), ('short', 'b', 'ready', 1600000000);)");
  CHECK(g.import().tasks == 2);
  const auto before = g.last_event();
  const auto again = g.import();
  CHECK(again.tasks == 0);
  CHECK(again.existing == 2);
  CHECK(g.last_event() == before);
  CHECK(g.tasks_here() == 2);

  g.sql(R"(INSERT INTO tasks (id, title, status, created_at) VALUES
      ('t_00000002', 'c', 'todo', 1600000000);
    INSERT INTO task_links VALUES ('short', 't_00000002');)");
  const auto later = g.import();
  CHECK(later.tasks == 1);
  CHECK(later.links == 1);
  CHECK(g.status("t_00000002") == Status::todo);

  // Also where the source does not tell when a task was made.
  const std::string line = R"({"id":"bd-1","title":"undated"})";
  CHECK(g.import_lines(line).tasks == 1);
  g.pass(std::chrono::hours{1});
  CHECK(g.import_lines(line).existing == 1);
}

TEST_CASE("import: an id that is taken gets a new one, and its links follow") {
  Ground g;
  const std::string taken = g.add("ours");
  g.sql(k_schema);
  g.sql(fmt::format(R"(INSERT INTO tasks (id, title, status, created_at) VALUES
      ('{0}', 'theirs', 'ready', 1600000000), ('t_fffffff1', 'child', 'todo', 1600000000);
    INSERT INTO task_links VALUES ('{0}', 't_fffffff1');)",
                    taken));
  const auto report = g.import();
  REQUIRE(report.renamed.size() == 1);
  CHECK(report.renamed[0].first == taken);
  CHECK(g.task(taken).title == "ours");
  CHECK(g.task(report.renamed[0].second).title == "theirs");
  CHECK(g.parents("t_fffffff1") == std::vector<std::string>{report.renamed[0].second});
}

TEST_CASE("import: of a cycle the closing link is left out, with links that lead nowhere") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(INSERT INTO tasks (id, title, status, created_at) VALUES
      ('t_00000001', 'a', 'todo', 1600000000), ('t_00000002', 'b', 'todo', 1600000000),
      ('t_00000003', 'c', 'todo', 1600000000);
    INSERT INTO task_links VALUES ('t_00000001', 't_00000002'), ('t_00000002', 't_00000003'),
      ('t_00000003', 't_00000001'), ('t_00000001', 't_00000001'), ('t_00000009', 't_00000001');)");
  const auto report = g.import();
  CHECK(report.links == 2);
  CHECK(has_skipped(report, "t_00000003 -> t_00000001", "closes a cycle"));
  CHECK(has_skipped(report, "t_00000001 -> t_00000001", "itself"));
  CHECK(has_skipped(report, "t_00000009 -> t_00000001", "not on the board"));
  CHECK(g.status("t_00000001") == Status::ready);
  CHECK(g.status("t_00000003") == Status::todo);
}

TEST_CASE("import: what cannot be stored is refused whole or left out, never cut") {
  Ground g;
  g.sql(k_schema);
  const std::string long_text(70'000, 'x');
  g.sql(R"(INSERT INTO tasks (id, title, status, created_at, completed_at, skills, max_retries,
      workspace_kind, workspace_path, priority) VALUES
      ('t_00000001', '  ', 'ready', 1600000000, NULL, NULL, NULL, 'scratch', NULL, 0),
      ('t_00000002', CAST(x'61ff62' AS TEXT), 'ready', 1600000000, NULL, NULL, NULL, 'scratch', NULL, 0),
      ('t_00000003', 'odd', 'done', 1600000000, 1600000001, '{"no":1}', 0, 'dir', 'relative', 9e12),
      ('t_00000004', CAST(x'610062' AS TEXT), 'ready', 1600000000, NULL, NULL, NULL, 'scratch', NULL, 0);
    INSERT INTO task_events (task_id, kind, payload, created_at) VALUES
      ('t_00000003', 'edited', CAST(x'7b22ff227d' AS TEXT), 1600000000),
      ('t_00000003', 'edited', 'not json', 1600000000);
    INSERT INTO task_comments (task_id, author, body, created_at) VALUES
      ('t_00000001', 'ann', 'goes with its task', 1600000000),
      ('t_00000003', 'ann', ')" +
        long_text + R"(', 1600000000), ('t_00000003', 'ann', '   ', 1600000000);
    INSERT INTO task_runs (id, task_id, status, started_at, ended_at, outcome, summary, metadata) VALUES
      (5, 't_00000003', 'done', 1600000002, 1600000001, 'completed', ')" +
        long_text + R"(', 'not json');)");
  const auto report = g.import();
  CHECK(report.tasks == 1);
  CHECK(has_skipped(report, "t_00000001", "the title is blank"));
  CHECK(has_skipped(report, "t_00000002", "the title is not UTF-8"));
  CHECK(has_skipped(report, "t_00000004", "NUL"));
  CHECK(has_skipped(report, "t_00000003", "a comment is longer than 65536 bytes"));
  CHECK(has_skipped(report, "t_00000003", "a comment is blank"));
  CHECK(has_skipped(report, "t_00000003 run 5", "the summary is longer than 65536 bytes"));
  CHECK(has_skipped(report, "t_00000003", "metadata of a run that is no JSON"));
  CHECK(has_skipped(report, "t_00000003", "an event's payload is not UTF-8"));
  CHECK(report.comments == 0);
  CHECK(report.events == 1);
  const Task odd = g.task("t_00000003");
  CHECK(odd.workspace_kind == WorkspaceKind::scratch);
  CHECK_FALSE(odd.failure_limit);
  CHECK(odd.skills == "[]");
  CHECK(odd.priority == k_most_priority);
  const auto runs = g.runs("t_00000003");
  REQUIRE(runs.size() == 1);
  CHECK_FALSE(runs[0].summary);
  CHECK(runs[0].ended_at == runs[0].started_at);
  CHECK(noted(report, "a clock went back") == 1);
}

TEST_CASE("import: two live tasks with one idempotency key keep it once") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(INSERT INTO tasks (id, title, status, created_at, idempotency_key) VALUES
      ('t_00000001', 'a', 'ready', 1600000000, 'k'), ('t_00000002', 'b', 'ready', 1600000000, 'k'),
      ('t_00000003', 'c', 'archived', 1600000000, 'k');)");
  const auto report = g.import();
  CHECK(report.tasks == 3);
  CHECK(noted(report, "idempotency key") == 1);
  CHECK(g.task("t_00000001").idempotency_key == "k");
  CHECK_FALSE(g.task("t_00000002").idempotency_key);
}

TEST_CASE("import: the source is read while its program writes, and never changed") {
  Ground g;
  g.sql(k_schema);
  g.sql(
      "PRAGMA journal_mode = WAL; INSERT INTO tasks (id, title, status, created_at) VALUES"
      " ('t_00000001', 'a', 'ready', 1600000000);");
  const auto closed = read_file(g.source, 1 << 20);
  REQUIRE(closed);

  SECTION("closed: not even a file beside it appears") {
    CHECK(g.import().tasks == 1);
    CHECK_FALSE(std::filesystem::exists(g.source.string() + "-wal"));
    CHECK_FALSE(std::filesystem::exists(g.source.string() + "-shm"));
    CHECK(read_file(g.source, 1 << 20) == closed);
  }
  SECTION("open, in the middle of a transaction") {
    sqlite3* writer = nullptr;
    REQUIRE(sqlite3_open(g.source.c_str(), &writer) == SQLITE_OK);
    const auto exec = [&](const char* text) {
      return sqlite3_exec(writer, text, nullptr, nullptr, nullptr);
    };
    REQUIRE(exec("PRAGMA wal_autocheckpoint = 0; INSERT INTO tasks (id, title, status, created_at)"
                 " VALUES ('t_00000002', 'only in the WAL', 'ready', 1600000000); BEGIN IMMEDIATE;"
                 " INSERT INTO tasks (id, title, status, created_at) VALUES ('t_00000003', 'open',"
                 " 'ready', 1600000000)") == SQLITE_OK);
    CHECK(g.import().tasks == 2);  // what is committed, not what is not
    CHECK(exec("COMMIT") == SQLITE_OK);
    sqlite3_close(writer);
    CHECK(g.import().tasks == 1);
  }
  SECTION("in a directory that cannot be written") {
    const auto locked = g.dir / "locked";
    std::filesystem::create_directory(locked);
    std::filesystem::copy_file(g.source, locked / "kanban.db");
    REQUIRE(::chmod(locked.c_str(), 0500) == 0);
    g.source = locked / "kanban.db";
    CHECK(g.import().tasks == 1);
    CHECK(std::distance(std::filesystem::directory_iterator(locked), {}) == 1);
    REQUIRE(::chmod(locked.c_str(), 0700) == 0);
  }
}

TEST_CASE("import: what is no board of the predecessor is refused with the reason") {
  Ground g;
  SECTION("a damaged one") {
    g.sql(k_schema);
    g.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT"
        " INTO tasks (id, title, status, created_at) SELECT 't_' || i, 'x', 'ready', 1 FROM n;");
    std::fstream file(g.source, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(g.source) / 2));
    file << std::string(9000, '\xff');
    file.close();
    const auto read = g.read_source();
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::damaged);
  }
  SECTION("a damaged one whose schema cannot be shown") {
    g.sql(
        "CREATE TABLE songs (title TEXT); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET "
        "sql ="
        " 'CREATE TABLE ' || char(27) || char(7)");
    const auto read = g.read_source();
    REQUIRE_FALSE(read);
    CHECK(printable(read.error().message) == read.error().message);
  }
  SECTION("a database of something else") {
    g.sql("CREATE TABLE songs (title TEXT)");
    const auto read = g.read_source();
    REQUIRE_FALSE(read);
    CHECK(read.error().message.find("no table of tasks") != std::string::npos);
  }
  SECTION("a view in the place of the table is never evaluated") {
    g.sql("CREATE TABLE songs (title TEXT); CREATE VIEW tasks AS SELECT title AS id FROM songs");
    CHECK_FALSE(g.read_source());
  }
  SECTION("a board of ours") {
    BoardFixture other;
    other.database.reset();
    g.source = other.dir / "board.db";
    const auto read = g.read_source();
    REQUIRE_FALSE(read);
    CHECK(read.error().message.find("a board of Hermes itself") != std::string::npos);
  }
  SECTION("not a database") {
    std::ofstream(g.source) << "this is a text of more than a hundred bytes "
                            << std::string(200, '.');
    const auto read = g.read_source();
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::damaged);
  }
  CHECK(g.tasks_here() == 0);
}

TEST_CASE("import: a worker may not") {
  Ground g;
  const Run run = g.start(g.add("a"));
  const auto refused =
      g.as(g.worker(run), [](board::Change& c) { return board::carry_out(c, {}); });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::forbidden);
}

TEST_CASE("import: a plan says what an import will do, and writes nothing") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(INSERT INTO tasks (id, title, status, created_at) VALUES
      ('t_00000001', 'a', 'todo', 1600000000), ('x', 'b', 'ready', 1600000000);
    INSERT INTO task_links VALUES ('x', 't_00000001');)");
  const auto before = g.last_event();
  const auto plan = g.read([&](db::Reader& tx) {
    return board::plan_import(tx, g.read_source().value(), g.now, g.limits);
  });
  CHECK(plan.report.tasks == 2);
  CHECK(plan.report.links == 1);
  CHECK(plan.report.renamed.size() == 1);
  CHECK(g.last_event() == before);
  CHECK(g.tasks_here() == 0);
}

TEST_CASE("import: JSON Lines as beads keeps them") {
  Ground g;
  const auto report = g.import_lines(
      R"({"id":"bd-1","title":"First","description":"Do it","acceptance_criteria":"It is done","status":"closed","priority":0,"issue_type":"bug","created_at":"2023-01-02T03:04:05.250+01:00","closed_at":"2023-01-03T00:00:00Z","close_reason":"fixed","labels":["ui","fast"]}
{"id":"bd-2","title":"Second","status":"open","priority":4,"assignee":"Ann","dependencies":[{"issue_id":"bd-2","depends_on_id":"bd-1","type":"blocks"},{"issue_id":"bd-2","depends_on_id":"bd-9","type":"related"}],"comments":[{"id":1,"author":"bob","text":"hm","created_at":"2023-01-02T00:00:00Z"}]}

{"id":"bd-3","title":"Third","status":"blocked","dependencies":["bd-2"]}
{"id":"bd-4","title":"Fourth","status":"blocked"}
{"id":"bd-5","title":"Fifth","status":"deferred"}
{"id":"bd-6","title":"Gone","status":"tombstone"}
{"id":"bd-7","title":"Seventh","status":"in_progress","blocks":["bd-8"]}
{"id":"bd-8","title":"Eighth"}
{"id":"bd-8","title":"Twice"}
not json
{"title":"nameless"}
{"id":"bd-10","title":"Stuck","status":"hooked"}
)");
  CHECK(report.tasks == 8);
  CHECK(report.links == 3);
  CHECK(has_skipped(report, "bd-6", "deleted"));
  CHECK(has_skipped(report, "bd-8", "a second task"));
  CHECK(has_skipped(report, "line 11", "no JSON object"));
  CHECK(has_skipped(report, "line 12", "without an id"));
  CHECK(noted(report, "type 'related'") == 1);
  std::map<std::string, std::string> ids(report.renamed.begin(), report.renamed.end());
  const Task first = g.task(ids.at("bd-1"));
  CHECK(first.status == Status::done);
  CHECK(first.priority == 2);
  CHECK(first.created_at == Instant{1'672'625'045'250});
  CHECK(first.result == "fixed");
  CHECK(first.body ==
        "Do it\n\nAcceptance criteria:\nIt is done\n\nLabels:\nui, fast\n\nType:\nbug");
  const Task second = g.task(ids.at("bd-2"));
  CHECK(second.status == Status::ready);
  CHECK(second.assignee == "ann");
  CHECK(second.priority == -2);
  CHECK(g.comments(second.id).at(0).body == "hm");
  CHECK(g.status(ids.at("bd-3")) == Status::todo);
  CHECK(g.status(ids.at("bd-4")) == Status::blocked);
  CHECK(g.status(ids.at("bd-5")) == Status::scheduled);
  CHECK(g.status(ids.at("bd-7")) == Status::ready);
  CHECK(g.status(ids.at("bd-8")) == Status::todo);
  CHECK(g.status(ids.at("bd-10")) == Status::triage);
  CHECK_FALSE(board::read_json_lines("{\"a\":1}\n[]\n", g.now));
}

TEST_CASE("import: ten thousand tasks in a chain come over whole, and in seconds") {
  Ground g;
  g.sql(k_schema);
  g.sql(R"(
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO tasks (id, title, body, assignee, status, created_at, completed_at) SELECT
        printf('t_%08x', i), 'task ' || i, hex(zeroblob(200)), 'shell',
        CASE WHEN i <= 5000 THEN 'done' ELSE 'todo' END, 1600000000 + i, 1600000000 + i FROM n;
    INSERT INTO task_links SELECT a.id, b.id FROM tasks a JOIN tasks b ON b.rowid = a.rowid + 1;
    INSERT INTO task_runs (task_id, profile, status, started_at, ended_at, outcome, summary)
      SELECT id, 'shell', 'done', created_at, created_at + 5, 'completed', 's' FROM tasks
      WHERE status = 'done';
    INSERT INTO task_events (task_id, kind, payload, created_at) SELECT id, 'created',
      '{"status":"ready"}', created_at FROM tasks;
    INSERT INTO task_comments (task_id, author, body, created_at) SELECT id, 'ann', 'c', created_at
      FROM tasks;)");
  const auto begun = std::chrono::steady_clock::now();
  const auto report = g.import();
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(report.tasks == 10000);
  CHECK(report.links == 9999);
  CHECK(report.runs == 5000);
  CHECK(report.events == 10000);
  CHECK(report.comments == 10000);
  CHECK(report.findings.skipped().empty());
  CHECK(g.status("t_00001388") == Status::done);   // 5000
  CHECK(g.status("t_00001389") == Status::ready);  // 5001
  CHECK(g.status("t_00002710") == Status::todo);   // 10000
  CHECK(took < std::chrono::seconds{60});          // 2 s on an idle machine
  CHECK(g.import().existing == 10000);
}
