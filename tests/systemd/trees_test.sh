#!/usr/bin/env bash
# Bounds of a profile hold for a worker with all that it starts, in a scope of its own.
# shellcheck source-path=SCRIPTDIR source=service.sh
. "$(dirname "$0")/service.sh"

hermes init >/dev/null
hermes profile edit shell --set limits.tree_memory=64M >/dev/null
hermes profile create free --verdict exit-code -- bash -c '{body}' >/dev/null
link_unit
override '[Service]' RestartSec=100ms
systemctl --user start "$unit"

scopes() { systemctl --user list-units --all --plain --no-legend 'hermes-*.scope' | cut -d ' ' -f 1; }
no_scope() { [[ -z $(scopes) ]]; }
# ended_as ID: its outcome and the exit code.
ended_as() {
  hermes kanban runs "$1" --json | sed -nE 's/^ *"(outcome|exit_code)": "?([^",]*)"?,?$/\2/p' | xargs
}
is_booked() { [[ $(sqlite3 "$board" "SELECT count(*) FROM runs WHERE task_id = '$1' AND gone_at IS NOT NULL") == 1 ]]; }
started() { [[ -f $HOME/$1 ]]; }

# Where no controller is given to the user's systemd there is nothing to see.
delegated() {
  local name group
  for name in memory cpu; do
    group=$(sed -nE "s/^[0-9]+:([a-z]+,)*$name(,[a-z]+)*:(.*)/\3/p" /proc/self/cgroup)
    [[ -n $group ]] || grep -qw "$name" "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/cgroup.controllers" || return 1
  done
}
if ! delegated; then
  echo "trees_test: no controllers for memory and processor here"
  systemctl --user stop "$unit"
  exit 77
fi

# Memory: four children of 30 MiB each have less than the bound, and more together.
readonly fill="python3 -c 'import sys, time; b = bytearray(30 << 20); time.sleep(float(sys.argv[1]))'"
four() { printf '%s 3 & ' "$fill" "$fill" "$fill" "$fill"; printf 'wait; exit 7'; }
too_much=$(add_task "too much" --max-retries 1 --body "$(four)")
wait_until "the kernel has ended one of the children" is_booked "$too_much"
hermes kanban log "$too_much" >"$HOME/too_much"
one=$(add_task "one alone" --max-retries 1 --body "$fill 0; echo enough")
wait_until "one alone is done" is_done "$one"
free=$(hermes kanban create --assignee free --json "four, without a bound" --max-retries 1 \
  --body "$(four)" | sed -n 's/^ *"id": "\(t_[0-9a-f]*\)".*/\1/p')
wait_until "four without a bound have ended" is_booked "$free"
expect "how four without a bound ended" "$(ended_as "$free")" "failed 7"
# The worker lived to see one of its children killed, and ended as it wanted to.
grep -q Killed "$HOME/too_much" || fail "nobody was killed for the memory: $(cat "$HOME/too_much")"
expect "how four in a bound ended" "$(ended_as "$too_much")" "failed 7"
wait_until "no scope is left" no_scope

hermes profile edit shell --set limits.tree_cpu=20% >/dev/null
# Where everybody is: supervisor, worker and children in one scope, which outlives its dispatcher.
exec {gate}>"$HOME/gate"
flock "$gate"
held=$(add_task "held" --max-retries 1 \
  --body "(sleep 1000 & echo \$! >>$HOME/pids; wait) & echo \$\$ \$PPID \$! >>$HOME/pids; touch $HOME/up; flock --shared $HOME/gate true; exit 3")
wait_until "the worker is up" started up
scope=$(scopes)
[[ $scope == hermes-default-$held-run*.scope ]] || fail "the scope is called '$scope'"
expect "its bound of memory" "$(property MemoryMax "$scope")" $((64 << 20))
expect "its bound of processor" "$(property CPUQuotaPerSecUSec "$scope")" 200ms
expect "its slice" "$(property Slice "$scope")" app-hermes.slice
all_told() { [[ $(wc -w <"$HOME/pids") == 4 ]]; }
wait_until "all processes have told who they are" all_told
for pid in $(xargs <"$HOME/pids"); do
  grep -qF "/$scope" "/proc/$pid/cgroup" || fail "process $pid of the worker is not in $scope"
done
pid=$(property MainPID)
kill -KILL "$pid"
new_main() { [[ $(property MainPID) != 0 && $(property MainPID) != "$1" ]]; }
wait_until "systemd starts another dispatcher" new_main "$pid"
wait_until "it holds the home" holds_the_lock
expect "the scope after kill -9 of the dispatcher" "$(scopes)" "$scope"
exec {gate}>&-
wait_until "the end is booked" is_booked "$held"
expect "how it ended" "$(ended_as "$held")" "failed 3"
wait_until "the scope has gone with its last process" no_scope

# Processor: the kernel itself says that four loops were held back.
readonly spin='for i in 1 2 3 4; do (timeout 1 bash -c "while :; do :; done" || true) & done; wait
group=$(sed -nE "s/^[0-9]+:([a-z]+,)*cpu(,[a-z]+)*:(.*)/\3/p" /proc/self/cgroup)
unified=$(sed -n "s/^0:://p" /proc/self/cgroup)
{ cat "/sys/fs/cgroup/cpu$group/cpu.stat" "/sys/fs/cgroup$unified/cpu.stat" 2>/dev/null || true; } | sed -n "s/^nr_throttled //p"'
bounded=$(add_task "spin" --max-retries 1 --body "$spin")
wait_until "the loops have ended" is_done "$bounded"
throttled=$(hermes kanban log "$bounded" | tail -n 1)
((throttled > 0)) || fail "four loops bounded to 20% were never held back: $(hermes kanban log "$bounded")"
hermes doctor >/dev/null || fail "hermes doctor: $(hermes doctor)"
systemctl --user stop "$unit"
