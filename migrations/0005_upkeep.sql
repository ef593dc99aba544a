-- Upkeep: what is deleted or pruned by a key that had no index, and since when a task is blocked, which an edit does not change.
-- Who deletes a run asks whether a task points at it; partial, so that a task that does not run costs nothing.
CREATE INDEX tasks_current_run ON tasks (current_run_id) WHERE current_run_id IS NOT NULL;
-- Deliveries go with their events.
DELETE FROM deliveries WHERE event_seq NOT IN (SELECT seq FROM events);
CREATE INDEX deliveries_event ON deliveries (event_seq, state);
CREATE INDEX events_of_board ON events (at) WHERE task_id IS NULL;

ALTER TABLE tasks ADD COLUMN blocked_at INTEGER;
UPDATE tasks SET blocked_at = COALESCE(
    (SELECT max(at) FROM events WHERE task_id = tasks.id
       AND kind IN ('blocked', 'gave_up', 'block_loop_detected')), updated_at)
  WHERE status = 'blocked' OR (status = 'triage' AND block_source IS NOT NULL);
DROP INDEX tasks_blocked;
-- Tasks that were created in triage are not blocked, and are not in it.
CREATE INDEX tasks_blocked ON tasks (status, blocked_at)
  WHERE blocked_at IS NOT NULL AND status IN ('blocked', 'triage');
-- Kept here and nowhere else, whatever has blocked it.
CREATE TRIGGER tasks_blocked_insert AFTER INSERT ON tasks
WHEN new.blocked_at IS NULL AND new.status = 'blocked' BEGIN
  UPDATE tasks SET blocked_at = new.updated_at WHERE id = new.id;
END;
CREATE TRIGGER tasks_blocked_update AFTER UPDATE OF status ON tasks
WHEN old.status <> new.status
  AND (new.status = 'blocked' OR (new.status = 'triage' AND new.block_source IS NOT NULL)) BEGIN
  UPDATE tasks SET blocked_at = new.updated_at WHERE id = new.id;
END;
