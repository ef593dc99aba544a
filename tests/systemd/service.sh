# What the tests of the service share. Sourced; $1 is the prefix where Hermes is installed.
# shellcheck shell=bash
set -euo pipefail

readonly prefix=$1
readonly unit=hermes-dispatcher.service
export PATH=$prefix/bin:$PATH
readonly board=$HOME/.hermes/boards/default/board.db

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  systemctl --user status --no-pager "$unit" >&2 || true
  journalctl --no-pager --output=short-precise | tail -n 60 >&2
  if [[ -f $board ]]; then
    sqlite3 "$board" "SELECT attempt, outcome, exit_kind, exit_code, gone_at IS NULL, count(*) FROM runs GROUP BY 1, 2, 3, 4, 5" >&2 || true
  fi
  exit 1
}

trap 'fail "line $LINENO: $BASH_COMMAND"' ERR

# expect WHAT GOT WANTED
expect() {
  [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"
}

# wait_until WHAT COMMAND...: at most 20 s.
wait_until() {
  local round
  for ((round = 0; round < 1000; ++round)); do
    "${@:2}" && return
    sleep 0.02
  done
  fail "waited in vain until $1"
}

# property NAME [UNIT]
property() { systemctl --user show --property "$1" --value "${2:-$unit}"; }
# has NAME VALUE [UNIT]
has() { [[ $(property "$1" "${3:-$unit}") == "$2" ]]; }

# logged TEXT: the journal comes to say it. It is read whole: what a process says at its very end may
# reach journald too late to be told from whom it is.
in_journal() { journalctl --no-pager --output=cat | grep -F -- "$1" >/dev/null; }
logged() { wait_until "the journal says '$1'" in_journal "$1"; }

# The unit as it was installed, and lines of [Service] that a test needs otherwise.
link_unit() { systemctl --user --quiet link "$prefix/lib/systemd/user/$unit"; }
override() {
  local directory=$XDG_CONFIG_HOME/systemd/user/$unit.d
  mkdir -p "$directory"
  printf '%s\n' "$@" >"$directory/test.conf"
  systemctl --user daemon-reload
}

# One that is not loaded any more has no failures.
forget_failures() { systemctl --user reset-failed "$unit" 2>/dev/null || true; }

lock_holder() { cat "$HOME/.hermes/run/dispatcher.lock"; }
holds_the_lock() {
  [[ $(property MainPID) == "$(lock_holder)" ]] &&
    ! flock --nonblock "$HOME/.hermes/run/dispatcher.lock" true
}

# add_task TITLE [OPTION...]: gives its id.
add_task() {
  hermes kanban create --assignee shell --json "$@" |
    sed -n 's/^ *"id": "\(t_[0-9a-f]*\)".*/\1/p'
}
status_of() { sqlite3 "$board" "SELECT status FROM tasks WHERE id = '$1'"; }
is_done() { [[ $(status_of "$1") == "done" ]]; }
