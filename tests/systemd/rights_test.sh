#!/usr/bin/env bash
# A worker under the service may do what its user may, and hears nothing of the service.
# shellcheck source-path=SCRIPTDIR source=service.sh
. "$(dirname "$0")/service.sh"

hermes init >/dev/null
link_unit
systemctl --user start "$unit"

# result_of BODY: what a worker with this body wrote.
result_of() {
  local id
  id=$(add_task "look" --max-retries 1 --body "$1")
  wait_until "the worker '$1' is done" is_done "$id"
  hermes kanban log "$id"
}

expect "a file in the home directory" "$(result_of 'echo here >$HOME/made; cat $HOME/made')" here
expect "that file, from outside" "$(cat "$HOME/made")" here
# The same /tmp for everybody, and for workers of a later dispatcher too.
file=$(mktemp /tmp/hermes-service-test.XXXXXX)
trap 'rm -f "$file"' EXIT
result_of "echo there >$file" >/dev/null
expect "a file in /tmp, from outside" "$(cat "$file")" there
expect "a program that changes its user" \
  "$(cp "$(command -v id)" "$HOME/id"; chmod 4755 "$HOME/id"
    result_of 'setpriv --reuid=65534 --regid=65534 --clear-groups $HOME/id -u')" 0
expect "what the kernel forbids it" \
  "$(result_of "awk '/^(NoNewPrivs|Seccomp):/ { print \$2 }' /proc/self/status | xargs")" "0 0"
expect "its mounts" "$(result_of 'readlink /proc/self/ns/mnt')" "$(readlink /proc/self/ns/mnt)"
expect "its variables from systemd" \
  "$(result_of 'env | grep -E "NOTIFY|WATCHDOG|INVOCATION|JOURNAL|SYSTEMD|LISTEN|MANAGERPID|XDG" || true')" ""
expect "its limit of open files" "$(result_of 'ulimit -Sn')" "$(
  hard=$(ulimit -Hn); ((hard < 16384)) && echo "$hard" || echo 16384)"
systemctl --user stop "$unit"
