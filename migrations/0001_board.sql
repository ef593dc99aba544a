-- The complete board. Words, ranges and pairings are CHECK constraints, so that no caller can store an illegal state.
-- Times are integer milliseconds since the epoch (UTC). '' stands for "nobody" and "no tenant", which keeps keys and indexes plain.

CREATE TABLE tasks (
  id TEXT PRIMARY KEY CHECK (id GLOB 't_[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]'),
  title TEXT NOT NULL CHECK (length(title) > 0),
  body TEXT,
  status TEXT NOT NULL
    CHECK (status IN ('triage', 'todo', 'scheduled', 'ready', 'running', 'blocked', 'review', 'done', 'archived')),
  lane TEXT NOT NULL DEFAULT 'work' CHECK (lane IN ('work', 'review')),
  assignee TEXT NOT NULL DEFAULT '',
  tenant TEXT NOT NULL DEFAULT '',
  priority INTEGER NOT NULL DEFAULT 0,
  created_by TEXT NOT NULL DEFAULT '',
  origin TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  ready_since INTEGER,
  eligible_at INTEGER,
  completed_at INTEGER,
  wake_at INTEGER,
  held_until INTEGER,
  hold_reason TEXT CHECK (hold_reason IN ('backoff', 'rate_limited', 'setup')),
  workspace_kind TEXT NOT NULL DEFAULT 'scratch' CHECK (workspace_kind IN ('scratch', 'dir', 'worktree')),
  workspace_path TEXT,
  branch TEXT,
  idempotency_key TEXT,
  max_runtime_ms INTEGER CHECK (max_runtime_ms > 0),
  failure_limit INTEGER CHECK (failure_limit >= 1),
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  violations INTEGER NOT NULL DEFAULT 0 CHECK (violations >= 0),
  last_failure_kind TEXT,
  last_failure TEXT,
  block_source TEXT CHECK (block_source IN ('worker', 'human', 'breaker')),
  block_kind TEXT CHECK (block_kind IN ('needs_input', 'capability', 'transient', 'dependency')),
  block_reason TEXT,
  block_streak INTEGER NOT NULL DEFAULT 0 CHECK (block_streak >= 0),
  block_total INTEGER NOT NULL DEFAULT 0 CHECK (block_total >= 0),
  skills TEXT NOT NULL DEFAULT '[]' CHECK (substr(skills, 1, 1) = '['),
  worker_options TEXT NOT NULL DEFAULT '{}' CHECK (substr(worker_options, 1, 1) = '{'),
  goal_mode INTEGER NOT NULL DEFAULT 0 CHECK (goal_mode IN (0, 1)),
  goal_max_turns INTEGER CHECK (goal_max_turns >= 1),
  workflow_template_id TEXT,
  step_key TEXT,
  result TEXT,
  current_run_id INTEGER REFERENCES runs (id) DEFERRABLE INITIALLY DEFERRED,
  CHECK ((status = 'running') = (current_run_id IS NOT NULL)),
  CHECK ((status IN ('ready', 'review')) = (ready_since IS NOT NULL)),
  CHECK ((status IN ('ready', 'review')) = (eligible_at IS NOT NULL)),
  CHECK (status <> 'blocked' OR block_source IS NOT NULL),
  CHECK (status <> 'done' OR completed_at IS NOT NULL),
  CHECK (branch IS NULL OR workspace_kind = 'worktree')
) STRICT;

CREATE TABLE links (
  parent_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  child_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  condition TEXT NOT NULL DEFAULT 'done' CHECK (condition IN ('done', 'ended')),
  satisfied_at INTEGER,
  PRIMARY KEY (parent_id, child_id),
  CHECK (parent_id <> child_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  profile TEXT NOT NULL DEFAULT '',
  token TEXT NOT NULL,
  holder_kind TEXT NOT NULL CHECK (holder_kind IN ('dispatcher', 'shim', 'external')),
  host TEXT NOT NULL,
  boot TEXT NOT NULL,
  shim_pid INTEGER,
  shim_start INTEGER,
  worker_pid INTEGER,
  worker_start INTEGER,
  started_at INTEGER NOT NULL,
  spawned_at INTEGER,
  heartbeat_at INTEGER,
  heartbeat_note TEXT,
  stop_kind TEXT
    CHECK (stop_kind IN ('reclaim', 'archive', 'reassign', 'schedule', 'stale', 'verdict', 'force')),
  stop_by TEXT,
  stop_at INTEGER,
  ended_at INTEGER,
  gone_at INTEGER,
  outcome TEXT CHECK (outcome IN ('completed', 'blocked', 'scheduled', 'review', 'failed', 'crashed', 'timed_out',
    'stale', 'rate_limited', 'protocol_violation', 'spawn_failed', 'reclaimed', 'aborted')),
  exit_kind TEXT,
  exit_code INTEGER,
  max_rss_kb INTEGER,
  cpu_ms INTEGER,
  fingerprint TEXT,
  workspace_path TEXT,
  branch TEXT,
  step_key TEXT,
  summary TEXT,
  metadata TEXT CHECK (substr(metadata, 1, 1) = '{'),
  error TEXT,
  UNIQUE (task_id, attempt),
  CHECK ((ended_at IS NULL) = (outcome IS NULL)),
  CHECK (ended_at IS NOT NULL OR gone_at IS NULL),
  CHECK ((stop_kind IS NULL) = (stop_at IS NULL))
) STRICT;

CREATE TABLE leases (
  resource TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  run_id INTEGER,
  acquired_at INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT,
  run_id INTEGER,
  kind TEXT NOT NULL,
  payload TEXT CHECK (substr(payload, 1, 1) = '{'),
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  author TEXT NOT NULL,
  body TEXT NOT NULL CHECK (length(body) > 0),
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE attachments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  filename TEXT NOT NULL CHECK (length(filename) > 0),
  stored_name TEXT NOT NULL CHECK (length(stored_name) > 0),
  content_type TEXT,
  size INTEGER NOT NULL CHECK (size >= 0),
  added_by TEXT NOT NULL DEFAULT '',
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE notify_subs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT REFERENCES tasks (id) ON DELETE CASCADE,
  kinds TEXT,
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  thread TEXT NOT NULL DEFAULT '',
  user_id TEXT,
  owner TEXT,
  cursor INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  disabled_at INTEGER,
  last_error TEXT
) STRICT;

CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sub_id INTEGER NOT NULL REFERENCES notify_subs (id) ON DELETE CASCADE,
  event_seq INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'unknown', 'dead')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at INTEGER,
  last_error TEXT,
  UNIQUE (sub_id, event_seq)
) STRICT;

CREATE TABLE profile_gates (
  profile TEXT PRIMARY KEY,
  paused_until INTEGER,
  reason TEXT,
  fingerprint TEXT,
  probe_run_id INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE counts (
  status TEXT NOT NULL,
  assignee TEXT NOT NULL,
  tenant TEXT NOT NULL,
  n INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (status, assignee, tenant)
) STRICT, WITHOUT ROWID;

-- The order of starts, per profile and tenant; what is due; what the list shows first.
CREATE INDEX tasks_claim ON tasks (status, assignee, tenant, priority DESC, eligible_at, id)
  WHERE status IN ('ready', 'review');
CREATE INDEX tasks_eligible ON tasks (eligible_at) WHERE eligible_at IS NOT NULL;
CREATE INDEX tasks_ready_since ON tasks (status, ready_since) WHERE ready_since IS NOT NULL;
CREATE INDEX tasks_wake ON tasks (wake_at) WHERE status = 'scheduled' AND wake_at IS NOT NULL;
CREATE INDEX tasks_order ON tasks (priority DESC, created_at, id) WHERE status <> 'archived';
CREATE INDEX tasks_status ON tasks (status, priority DESC, created_at, id);
CREATE INDEX tasks_assignee ON tasks (assignee, priority DESC, created_at, id);
CREATE INDEX tasks_tenant ON tasks (tenant, priority DESC, created_at, id);
CREATE INDEX tasks_origin ON tasks (origin, priority DESC, created_at, id) WHERE origin IS NOT NULL;
CREATE INDEX tasks_created ON tasks (created_at, id);
CREATE INDEX tasks_updated ON tasks (updated_at DESC, id);
CREATE UNIQUE INDEX tasks_idempotency ON tasks (idempotency_key)
  WHERE idempotency_key IS NOT NULL AND status <> 'archived';
CREATE INDEX links_child ON links (child_id, satisfied_at);
CREATE INDEX runs_not_gone ON runs (task_id) WHERE gone_at IS NULL;
CREATE INDEX runs_profile ON runs (profile, ended_at);
CREATE INDEX events_task ON events (task_id, seq);
CREATE INDEX comments_task ON comments (task_id, id);
CREATE INDEX attachments_task ON attachments (task_id, id);
CREATE UNIQUE INDEX notify_subs_key
  ON notify_subs (COALESCE(task_id, ''), channel, address, thread);

-- counts is kept here and nowhere else: statistics and headroom never scan. A row at 0 goes, so that it stays as small as what it counts.
CREATE TRIGGER tasks_count_insert AFTER INSERT ON tasks BEGIN
  INSERT INTO counts (status, assignee, tenant, n) VALUES (new.status, new.assignee, new.tenant, 1)
    ON CONFLICT (status, assignee, tenant) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tasks_count_delete AFTER DELETE ON tasks BEGIN
  UPDATE counts SET n = n - 1
    WHERE status = old.status AND assignee = old.assignee AND tenant = old.tenant;
  DELETE FROM counts
    WHERE status = old.status AND assignee = old.assignee AND tenant = old.tenant AND n = 0;
END;
CREATE TRIGGER tasks_count_update AFTER UPDATE OF status, assignee, tenant ON tasks
WHEN old.status <> new.status OR old.assignee <> new.assignee OR old.tenant <> new.tenant BEGIN
  UPDATE counts SET n = n - 1
    WHERE status = old.status AND assignee = old.assignee AND tenant = old.tenant;
  DELETE FROM counts
    WHERE status = old.status AND assignee = old.assignee AND tenant = old.tenant AND n = 0;
  INSERT INTO counts (status, assignee, tenant, n) VALUES (new.status, new.assignee, new.tenant, 1)
    ON CONFLICT (status, assignee, tenant) DO UPDATE SET n = n + 1;
END;
