#!/usr/bin/env bash
# Paths and values come through the unit as they were given. $2 is write_unit.
# shellcheck source-path=SCRIPTDIR source=service.sh
. "$(dirname "$0")/service.sh"

readonly place="$HOME/100% of \${HOME}; #x \$X %h"
readonly home="$HOME/a \"quoted\" 'home' \\ with %h \${HOME} \$X and ünïcode	tab
line"
mkdir -p "$place/bin"
ln -s "$prefix/libexec" "$place/libexec"
cp "$prefix/bin/hermes-dispatcher" "$place/bin/"
HERMES_HOME=$home hermes init >/dev/null
"$2" "$XDG_CONFIG_HOME/systemd/user/$unit" "$place/bin/hermes-dispatcher" \
  "HERMES_HOME=$home" 'EMPTY=' 'X=$HOME %t'
systemctl --user daemon-reload
systemctl --user start "$unit"
pid=$(property MainPID)
expect "the program" "$(readlink "/proc/$pid/exe")" "$place/bin/hermes-dispatcher"
expect "its first argument" "$(tr '\0' '|' <"/proc/$pid/cmdline")" "$place/bin/hermes-dispatcher|"
variable() {
  local entry
  while IFS= read -r -d '' entry; do
    [[ $entry == "$1="* ]] && printf '%s' "${entry#*=}"
  done <"/proc/$pid/environ"
}
expect "HERMES_HOME" "$(variable HERMES_HOME)" "$home"
expect "EMPTY" "$(variable EMPTY)" ""
expect "X" "$(variable X)" '$HOME %t'
expect "the holder of that home" "$(cat "$home/run/dispatcher.lock")" "$pid"
systemctl --user stop "$unit"
