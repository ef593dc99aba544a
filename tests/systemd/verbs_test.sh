#!/usr/bin/env bash
# hermes dispatcher install, start, stop, restart, status and uninstall, where the user's systemd runs the service.
# shellcheck source-path=SCRIPTDIR source=service.sh
. "$(dirname "$0")/service.sh"

refused() {
  local words=$1
  shift
  if said=$("$@" 2>&1); then
    fail "$* was not refused: $said"
  fi
  [[ $said == *"$words"* ]] || fail "$* was refused without a word about '$words': $said"
}

hermes init >/dev/null
refused "does not run" hermes dispatcher status

# Install, start, status.
said=$(hermes dispatcher install 2>&1)
[[ $said == *"Enabled"* && $said == *ingering* ]] || fail "install said: $said"
hermes dispatcher start >/dev/null
holds_the_lock || fail "the service does not hold the home's lock after hermes dispatcher start"
[[ $(hermes dispatcher status) == *"a service of systemd"* ]] || fail "status: $(hermes dispatcher status)"
first=$(property MainPID)
[[ $(hermes dispatcher start) == *"runs already"* ]] || fail "a second start"
expect "the main process after a second start" "$(property MainPID)" "$first"

# A worker of the service finds what the shell finds.
expect "PATH in the unit" "$(grep -c "PATH=.*$prefix/bin" "$XDG_CONFIG_HOME/systemd/user/$unit")" 1

# A mistake in the settings does not turn a restart into a stop.
printf 'nonsense\n' >"$HOME/.hermes/config.toml"
refused config.toml hermes dispatcher restart
expect "the main process after a refused restart" "$(property MainPID)" "$first"
[[ $(hermes dispatcher status) == *"keeps its old values"* ]] || fail "status hides the mistake"
rm "$HOME/.hermes/config.toml"
hermes dispatcher restart >/dev/null
[[ $(property MainPID) != "$first" ]] || fail "restart left the old process"

# Another home does not take the service over, and cannot remove it.
HERMES_HOME=$HOME/other hermes init >/dev/null
refused "$HOME/.hermes" env HERMES_HOME="$HOME/other" hermes dispatcher install
refused "$HOME/.hermes" env HERMES_HOME="$HOME/other" hermes dispatcher uninstall
expect "the state" "$(property ActiveState)" active
HERMES_HOME=$HOME/other hermes dispatcher start >/dev/null 2>&1 || fail "the other home has no dispatcher of its own"
[[ $(HERMES_HOME=$HOME/other hermes dispatcher status) == *"outside of systemd"* ]] || fail "the other home's status"
HERMES_HOME=$HOME/other hermes dispatcher stop >/dev/null
# The same home by another path is the same home.
ln -s "$HOME/.hermes" "$HOME/link"
[[ $(HERMES_HOME=$HOME/link/ hermes dispatcher start) == *"runs already"* ]] || fail "a link to the home is another home"

# A stop counts also while systemd waits to start it again.
kill -9 "$(property MainPID)"
wait_until "systemd waits to start it again" has SubState auto-restart
hermes dispatcher stop >/dev/null
expect "the state after the stop" "$(property ActiveState)" inactive

# Who only passes through is no dispatcher, and a start waits for it.
id=$(add_task stubborn --body 'trap "" TERM; while :; do sleep 0.1; done')
printf '[dispatcher]\nstop_grace = 2\n' >"$HOME/.hermes/config.toml"
hermes dispatcher start >/dev/null
wait_until "it runs" sh -c "hermes kanban list --status running | grep -q $id"
hermes dispatcher stop >/dev/null
hermes kanban reclaim "$id" >/dev/null &
wait_until "the pass holds the lock" grep -q pass "$HOME/.hermes/run/dispatcher.lock"
hermes dispatcher start >/dev/null || fail "a start during a pass failed"
holds_the_lock || fail "nobody serves after a start during a pass"
expect "failed starts" "$(property Result)" success
wait

hermes dispatcher uninstall >/dev/null
[[ ! -e $XDG_CONFIG_HOME/systemd/user/$unit ]] || fail "the unit is still there"
refused "does not run" hermes dispatcher status
