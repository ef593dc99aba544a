-- Planning: what a planner has been asked and has failed at, so that it is not asked for ever. A row goes when its task leaves triage or gets another text.
CREATE TABLE plannings (
  task_id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('specify', 'decompose')),
  asked_at INTEGER,
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  next_at INTEGER NOT NULL,
  last_error TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX plannings_failures ON plannings (failures) WHERE failures > 0;
-- Tasks that were created in triage: those that a worker's blocks have brought there are a person's.
CREATE INDEX tasks_triage ON tasks (priority DESC, created_at, id) WHERE status = 'triage' AND block_source IS NULL;
