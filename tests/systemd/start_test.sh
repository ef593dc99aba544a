#!/usr/bin/env bash
# A start returns once the dispatcher holds the home, and the status says what it serves.
# shellcheck source-path=SCRIPTDIR source=service.sh
. "$(dirname "$0")/service.sh"

hermes init >/dev/null
link_unit
found=$(systemd-analyze --user verify --man=no "$prefix/lib/systemd/user/$unit" 2>&1) ||
  fail "the unit cannot be verified: $found"
expect "what systemd-analyze finds in the unit" "$found" ""

# A dispatcher that takes its time: what returns before READY would return before the lock is held.
override '[Service]' 'ExecStart=' "ExecStart=/bin/sh -c 'sleep 1; exec $prefix/bin/hermes-dispatcher'"
systemctl --user start "$unit"
holds_the_lock || fail "systemctl start returned before the main process held the home's lock"
expect "the state" "$(property ActiveState)/$(property SubState)" active/running
wait_until "the status says what is served" \
  has StatusText "boards: 1, workers running: 0, tasks waiting: 0"

# Reload: the same process, which reads the settings again.
pid=$(property MainPID)
printf '[dispatcher]\nmax_in_progress = 2\n' >"$HOME/.hermes/config.toml"
systemctl --user reload "$unit"
exec {gate}>"$HOME/gate"
flock "$gate"
for _ in 1 2 3; do
  add_task "wait" --body "flock --shared $HOME/gate true" >/dev/null
done
wait_until "the status counts those who work and those who wait" \
  has StatusText "boards: 1, workers running: 2, tasks waiting: 1"
expect "the main process after a reload" "$(property MainPID)" "$pid"
hermes doctor >/dev/null || fail "hermes doctor: $(hermes doctor)"
exec {gate}>&-
wait_until "all three are done" \
  has StatusText "boards: 1, workers running: 0, tasks waiting: 0"

systemctl --user stop "$unit"
expect "the state after a stop" "$(property ActiveState)/$(property Result)" inactive/success
expect "what a stop restarts" "$(property NRestarts)" 0
logged "signal 15 (SIGTERM); 0 workers go on"
