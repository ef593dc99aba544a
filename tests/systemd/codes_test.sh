#!/usr/bin/env bash
# The dispatcher's exit status decides whether it is started again.
# shellcheck source-path=SCRIPTDIR source=service.sh
. "$(dirname "$0")/service.sh"

hermes init >/dev/null
link_unit
override '[Service]' RestartSec=100ms

is_failed() { has ActiveState failed; }
# stays_failed STATUS REASON: ended with it, was not started again; the journal and the unit's status
# say why.
stays_failed() {
  wait_until "status $1 leaves the unit failed" is_failed
  expect "the exit status" "$(property ExecMainStatus)" "$1"
  expect "the result" "$(property Result)" exit-code
  expect "the restarts after status $1" "$(property NRestarts)" 0
  logged "$2"
  [[ $(property StatusText) == *"$2"* ]] || fail "the status does not say '$2'"
  forget_failures
}

# 3: another dispatcher serves this home.
setsid hermes-dispatcher &>"$HOME/other.log" </dev/null &
other=$!
is_served_by() { [[ $(lock_holder 2>/dev/null) == "$1" ]]; }
wait_until "the other dispatcher serves" is_served_by "$other"
systemctl --user start "$unit" 2>/dev/null && fail "a second dispatcher was started"
stays_failed 3 "another dispatcher serves this home: PID $other"
kill "$other"
wait "$other" || fail "the other dispatcher failed: $(cat "$HOME/other.log")"

# 78: a mistake in config.toml.
printf '[dispatcher]\nmax_in_progress = "four"\n' >"$HOME/.hermes/config.toml"
systemctl --user start "$unit" 2>/dev/null && fail "a dispatcher was started in spite of config.toml"
stays_failed 78 "config.toml:2"
rm "$HOME/.hermes/config.toml"

# 2: wrong arguments.
override '[Service]' RestartSec=100ms ExecStart= "ExecStart=$prefix/bin/hermes-dispatcher --onec"
systemctl --user start "$unit" 2>/dev/null && fail "a dispatcher was started with a wrong flag"
stays_failed 2 "unknown argument '--onec'"

# 75: a newer program has migrated a board while it was served. The next start finds the program that
# is installed by then; an older one stays up for the other boards and says what is wrong. This status
# restarts whatever Restart= says.
override '[Service]' RestartSec=100ms Restart=no
systemctl --user start "$unit"
exec {gate}>"$HOME/gate"
flock "$gate"
id=$(add_task "wait" --body "flock --shared $HOME/gate true")
works() { [[ $(status_of "$1") == running ]]; }
wait_until "the worker runs" works "$id"
version=$(sqlite3 "$board" 'PRAGMA user_version')
sqlite3 "$board" 'PRAGMA user_version = 9999'
exec {gate}>&-  # an end to be recorded: whoever writes looks at the version first
restarted() { has NRestarts 1 && has ActiveState active; }
wait_until "status 75 is started again" restarted
logged "status=75"
logged "a newer program has migrated a board"
wait_until "the status says that a board is in trouble" \
  has StatusText "boards: 1, workers running: 0, tasks waiting: 0, boards in trouble: 1"
sqlite3 "$board" "PRAGMA user_version = $version"
systemctl --user restart "$unit"
wait_until "the program that knows the board books the end" is_done "$id"
systemctl --user stop "$unit"

# 75 again and again, and 1: no longer than the limit allows.
for status in 75 1; do
  override '[Unit]' StartLimitBurst=4 '[Service]' RestartSec=50ms ExecStart= \
    "ExecStart=/bin/sh -c 'exit $status'"
  forget_failures
  systemctl --user start "$unit" 2>/dev/null && fail "a program that ends with $status was started"
  wait_until "status $status reaches the limit of starts" is_failed
  expect "the restarts after status $status" "$(property NRestarts)" 4
  logged "Start request repeated too quickly"
done

# SIGTERM from anybody is an order, not a failure.
override '[Service]' RestartSec=100ms
forget_failures
systemctl --user start "$unit"
kill -TERM "$(property MainPID)"
wait_until "SIGTERM ends it" has ActiveState inactive
expect "the result of SIGTERM" "$(property Result)/$(property NRestarts)" success/0
