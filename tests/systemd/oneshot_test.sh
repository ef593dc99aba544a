#!/usr/bin/env bash
# A single pass from a unit that a timer starts: its workers outlive the unit, or the pass says that they would not.
# shellcheck source-path=SCRIPTDIR source=service.sh
. "$(dirname "$0")/service.sh"

hermes init >/dev/null
readonly units=$XDG_CONFIG_HOME/systemd/user
mkdir -p "$units"
# pass NAME LINE...: a unit that makes one pass.
pass() {
  printf '%s\n' '[Service]' "ExecStart=$prefix/bin/hermes kanban dispatch" "Environment=PATH=$PATH" \
    "${@:2}" >"$units/$1.service"
  systemctl --user daemon-reload
}
pass kills Type=oneshot
pass spares Type=oneshot KillMode=process
pass script Type=oneshot
sed -i "s|^ExecStart=.*|ExecStart=/bin/sh -c 'cd / \&\& hermes kanban dispatch; exit \$?'|" "$units/script.service"
pass main
pass below
sed -i "s|^ExecStart=.*|ExecStart=/bin/sh -c 'hermes kanban dispatch; exit \$?'|" "$units/below.service"
pass serves
sed -i "s|kanban dispatch|kanban daemon|" "$units/serves.service"
systemctl --user daemon-reload

id=$(add_task "outlives" --body "echo begun; while [ ! -e $HOME/go ]; do sleep 0.02; done; echo ended")
for unit_name in kills script main; do  # each is refused
  systemctl --user start "$unit_name.service" || true
  wait_until "$unit_name has ended" has ActiveState failed "$unit_name.service"
  logged "$unit_name.service ends with this process, and systemd then kills what is left in it (KillMode=control-group)"
  expect "the task after $unit_name" "$(status_of "$id")" ready
done
logged "set KillMode=process in that unit"

systemctl --user start spares.service
expect "what became of the pass" "$(property Result spares.service)" success
wait_until "the unit is over" has ActiveState inactive spares.service
expect "the task after the pass" "$(status_of "$id")" running
says() { hermes kanban log "$id" | grep -F "$1" >/dev/null; }
wait_until "the worker has begun" says begun
touch "$HOME/go"
wait_until "the worker is at its end" says ended
finished() { systemctl --user start spares.service && is_done "$id"; }
wait_until "a later pass books it" finished

# Below a script in another unit nobody can know: it is said.
systemctl --user start below.service
logged "below.service may end with this process"

# A dispatcher goes on, and says so.
systemctl --user start serves.service
logged "serves.service ends with this process"
expect "the dispatcher" "$(property ActiveState serves.service)" active
systemctl --user stop serves.service
