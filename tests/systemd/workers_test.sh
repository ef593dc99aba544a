#!/usr/bin/env bash
# Fifty workers outlive every way in which their dispatcher can end.
# shellcheck source-path=SCRIPTDIR source=service.sh
. "$(dirname "$0")/service.sh"

readonly count=50
readonly starts=$HOME/starts

hermes init >/dev/null
printf '[dispatcher]\nmax_in_progress = %d\n' "$((count + 10))" >"$HOME/.hermes/config.toml"
link_unit
override '[Service]' WatchdogSec=3s RestartSec=100ms
systemctl --user start "$unit"

# Each worker says once that it was started, waits for the gate, and ends with a code of its own: 0,
# 1, ... None is 75, which has a meaning.
exec {gate}>"$HOME/gate"
flock "$gate"
declare -A code_of
for ((code = 0; code < count; ++code)); do
  id=$(add_task "exit $code" --max-retries 1 \
    --body "echo \$HERMES_KANBAN_TASK \$\$ >>$starts; flock --shared $HOME/gate true; exit $code")
  code_of[$id]=$code
done
expect "the number of tasks" "${#code_of[@]}" "$count"
all_started() { [[ -f $starts && $(wc -l <"$starts") == "$count" ]]; }
wait_until "all workers run" all_started
served() { has StatusText "boards: 1, workers running: $count, tasks waiting: 0"; }
wait_until "the status counts them" served

mapfile -t workers < <(awk '{ print $2 }' "$starts")
group=$(property ControlGroup)
for pid in "${workers[@]}"; do
  grep -qF ":$group" "/proc/$pid/cgroup" || fail "worker $pid is not in the unit's cgroup"
done
# PIDs come again; the time of the start does not.
identities() {
  local pid
  for pid in "${workers[@]}"; do
    awk '{ print $1, $3 == "Z", $22 }' <(sed 's/(.*)/-/' "/proc/$pid/stat")
  done
}
before=$(identities)

# the_same_work HOW: a dispatcher serves, with the same workers, and none was started again.
the_same_work() {
  wait_until "a dispatcher holds the lock $1" holds_the_lock
  wait_until "the status counts the workers $1" served
  expect "the list of workers $1" "$(identities)" "$before"
  expect "the number of starts $1" "$(sort -u "$starts" | wc -l)/$(wc -l <"$starts")" "$count/$count"
  expect "the state $1" "$(property ActiveState)/$(property SubState)" active/running
}
new_main() { [[ $(property MainPID) != 0 && $(property MainPID) != "$1" ]]; }

pid=$(property MainPID)
systemctl --user restart "$unit"
expect "a restart's new process" "$([[ $(property MainPID) != "$pid" ]] && echo new)" new
the_same_work "after a restart"

systemctl --user stop "$unit"
expect "the state after a stop" "$(property ActiveState)/$(property Result)" inactive/success
expect "the list of workers after a stop" "$(identities)" "$before"
systemctl --user start "$unit"
the_same_work "after a stop and a start"

pid=$(property MainPID)
kill -KILL "$pid"
wait_until "systemd starts another" new_main "$pid"
the_same_work "after kill -9"
logged "Main process exited, code=killed, status=9/KILL"

pid=$(property MainPID)
readonly stuck=$pid
kill -STOP "$pid"
wait_until "the watchdog starts another" new_main "$pid"
the_same_work "after the watchdog's abort"
logged "Watchdog timeout"
logged "status=6/ABRT"

pid=$(property MainPID)
systemctl --user daemon-reexec
the_same_work "after daemon-reexec"
expect "the main process after daemon-reexec" "$(property MainPID)" "$pid"

expect "what systemd restarted" "$(property NRestarts)" 2
killed=$(journalctl --no-pager --output=cat | grep -F "Killing process" || true)
expect "what systemd killed" "$killed" \
  "$unit: Killing process $stuck (hermes-dispatch) with signal SIGABRT."

exec {gate}>&-
all_booked() {
  [[ $(sqlite3 "$board" "SELECT count(*) FROM runs WHERE gone_at IS NOT NULL") == "$count" ]]
}
wait_until "every end is booked" all_booked
for id in "${!code_of[@]}"; do
  code=${code_of[$id]}
  booked=$(hermes kanban runs "$id" --json |
    sed -nE 's/^ *"(exit_kind|exit_code)": "?([^",]*)"?,?$/\2/p' | xargs)
  expect "how task $id ended" "$booked" "exited $code"
  expect "what became of task $id" "$(status_of "$id")" "$( ((code == 0)) && echo "done" || echo blocked)"
done
expect "the number of starts at the end" "$(wc -l <"$starts")" "$count"
in_group() { cat /sys/fs/cgroup{,/unified,/systemd}"$group"/cgroup.procs 2>/dev/null | sort -u; }
is_alone() { [[ $(in_group) == "$(property MainPID)" ]]; }
wait_until "nobody is left in the unit but the dispatcher" is_alone
hermes doctor >/dev/null || fail "hermes doctor: $(hermes doctor)"
systemctl --user stop "$unit"
