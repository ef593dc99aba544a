#!/usr/bin/env bash
# make.sh HERMES NUMBER: writes board_NUMBER.db beside this script, a board as the schema of that
# number leaves it: tasks in every status, runs, links, comments, events and facts.
#
# Every schema that a released program wrote has its fixture, and upgrade_test.cpp brings each one
# to the newest. With a new migration: build, run
#
#     tests/compat/make.sh build/dev/cli/hermes 0003
#
# and commit the file together with the migration. A fixture that is there is never made anew: it
# is what users have. The rows come from the verbs of HERMES, the tables from migrations/*.sql up
# to NUMBER as the migrator applies them, so an older schema can be had from a newer program as
# long as its columns still exist.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=$(dirname "$(dirname "$here")")
hermes=$(readlink -f "$1")
number=$2
fixture=$here/board_$number.db
if [ -e "$fixture" ]; then
  echo "$fixture is there already; fixtures are never made anew" >&2
  exit 1
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export HERMES_HOME=$dir/home HERMES_PROFILE=ann
unset HERMES_KANBAN_BOARD HERMES_KANBAN_TASK HERMES_KANBAN_RUN_ID HERMES_KANBAN_RUN_TOKEN

"$hermes" init >"$dir/init"
board=$HERMES_HOME/boards/default/board.db
add() { "$hermes" kanban create "$@" --json | sed -n 's/^  "id": "\(.*\)",$/\1/p'; }
verb() { "$hermes" kanban "$@" >"$dir/out"; }

parent=$(add 'Parent, done' --assignee shell --body $'Two\nlines, and ünïcode' --priority 7)
verb claim "$parent"
verb heartbeat "$parent" --note 'half way'
verb complete "$parent" --summary 'went well' --metadata '{"files": 3}' --result fine
child=$(add 'Ready: its parent is done' --assignee shell --parent "$parent" --skill review --tenant acme)
verb comment "$child" 'a comment'
verb comment "$child" --author bob 'another one'
running=$(add Running --assignee other --max-runtime 1h --max-retries 2)
verb claim "$running"
add 'Todo: waits' --parent "$running" --link-condition ended >"$dir/out"
triage=$(add Triage --triage)
blocked=$(add Blocked --idempotency-key night --assignee shell)
verb claim "$blocked"
verb block "$blocked" 'which colour?' --kind needs_input
add 'Blocked from the start' --initial-status blocked >"$dir/out"
archived=$(add Archived --workspace worktree:/srv/tree --branch topic 2>"$dir/err")
verb archive "$archived"
retried=$(add 'Reclaimed once' --assignee shell)
verb claim "$retried"
verb reclaim "$retried" --reason 'wrong machine'
scheduled=$(add Scheduled)
review=$(add Review --assignee shell)
# As `schedule` and `request-review` leave them.
sqlite3 "$board" "
  UPDATE tasks SET status = 'scheduled', wake_at = 4000000000000, ready_since = NULL,
    eligible_at = NULL WHERE id = '$scheduled';
  UPDATE tasks SET status = 'review', lane = 'review' WHERE id = '$review';
  INSERT INTO events (task_id, kind, payload, at) VALUES
    ('$scheduled', 'scheduled', '{\"from\":\"ready\",\"to\":\"scheduled\"}', 1700000000000),
    ('$review', 'review_requested', '{\"from\":\"ready\",\"to\":\"review\"}', 1700000000000);
  INSERT INTO notify_subs (task_id, channel, address, cursor, created_at) VALUES
    ('$review', 'command', 'ann', 0, 1700000000000);
  INSERT INTO deliveries (sub_id, event_seq) VALUES (1, 1);
  INSERT INTO attachments (task_id, filename, stored_name, size, at) VALUES
    ('$review', 'a.txt', '1-a.txt', 3, 1700000000000);
  INSERT INTO profile_gates (profile, paused_until, reason) VALUES ('shell', 1700000000000, 'tried');
  INSERT INTO plannings (task_id, kind, failures, next_at, last_error) VALUES
    ('$triage', 'decompose', 2, 1700000000000, 'no answer');
  INSERT OR REPLACE INTO board_facts (name, value, at) VALUES ('dispatcher_ended', 'asked to', 1700000000000);
"

# Whose machine it was made on is nobody's business.
sqlite3 "$board" "UPDATE runs SET host = 'machine', boot = 'boot',
    workspace_path = '/home/ann/workspaces/' || task_id;
  UPDATE leases SET holder = 'machine/boot/1/1' WHERE holder <> '';"

# The tables, as kernel/db/migrator.cpp makes them.
{
  echo 'PRAGMA journal_mode = WAL;'
  echo "PRAGMA application_id = $((0x48524d53));"
  # The migrator's own words: a board is known by the text of its tables.
  columns='number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL'
  echo "CREATE TABLE schema_migrations ($columns) STRICT;"
  for migration in "$root"/migrations/*.sql; do
    name=$(basename "$migration" .sql)
    if [[ ${name%%_*} > $number ]]; then
      break
    fi
    cat "$migration"
    echo "INSERT INTO schema_migrations VALUES ($((10#${name%%_*})), '$name',"
    echo " '$(sha256sum "$migration" | cut -d' ' -f1)', 1700000000000);"
    echo "PRAGMA user_version = $((10#${name%%_*}));"
  done
} | sqlite3 "$dir/fixture.db" >"$dir/out"

# The rows; counts follows by its triggers.
{
  echo "ATTACH '$board' AS made; BEGIN; PRAGMA defer_foreign_keys = ON;"
  sqlite3 "$dir/fixture.db" "SELECT name FROM sqlite_schema WHERE type = 'table'
      AND name NOT LIKE 'sqlite_%' AND name NOT IN ('counts', 'schema_migrations')" |
    while read -r table; do
      columns=$(sqlite3 "$dir/fixture.db" "SELECT group_concat(name, ', ') FROM pragma_table_info('$table')")
      echo "INSERT INTO main.$table ($columns) SELECT $columns FROM made.$table;"
    done
  echo 'COMMIT; DETACH made;'
} | sqlite3 "$dir/fixture.db"
sqlite3 "$dir/fixture.db" 'PRAGMA wal_checkpoint(TRUNCATE); VACUUM;' >"$dir/out"
cp "$dir/fixture.db" "$fixture"
echo "$fixture: $(stat -c %s "$fixture") bytes"
