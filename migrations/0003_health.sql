-- Health: a failed probe doubles the pause of a profile, so its length is stored; what failed before a person resumed it is not counted against it.
ALTER TABLE profile_gates ADD COLUMN pause_ms INTEGER NOT NULL DEFAULT 0 CHECK (pause_ms >= 0);
ALTER TABLE profile_gates ADD COLUMN resumed_at INTEGER;
-- What diagnostics look for, without a scan: partial, so that a task that goes well costs nothing.
CREATE INDEX tasks_failures ON tasks (failures) WHERE failures > 0;
CREATE INDEX tasks_blocked ON tasks (updated_at) WHERE status = 'blocked';
CREATE INDEX tasks_blocks ON tasks (block_total) WHERE block_total > 0;
