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
pass serves
sed -i "s|kanban dispatch|kanban daemon|" "$units/serves.service"
systemctl --user daemon-reload

id=$(add_task "outlives" --body "echo begun; while [ ! -e $HOME/go ]; do sleep 0.02; done; echo ended")
for unit_name in kills script main; do
  systemctl --user start "$unit_name.service" || true
  wait_until "$unit_name has ended" has ActiveState failed "$unit_name.service"
  logged "when $unit_name.service ends systemd kills what it holds (KillMode=control-group)"
  expect "the task after $unit_name" "$(status_of "$id")" ready
done
logged "say KillMode=process"

systemctl --user start spares.service
expect "what became of the pass" "$(property Result spares.service)" success
wait_until "the unit is over" has ActiveState inactive spares.service
expect "the task after the pass" "$(status_of "$id")" running
hermes kanban log "$id" | grep -qF begun || fail "its log is empty"
touch "$HOME/go"
has_ended() { hermes kanban log "$id" | grep -qF ended; }
wait_until "the worker is at its end" has_ended
finished() { systemctl --user start spares.service && is_done "$id"; }
wait_until "a later pass books it" finished

# A dispatcher goes on, and says so.
systemctl --user start serves.service
logged "when serves.service ends systemd kills what it holds"
expect "the dispatcher" "$(property ActiveState serves.service)" active
systemctl --user stop serves.service
