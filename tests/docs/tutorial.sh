#!/usr/bin/env bash
# tutorial.sh PAGE BIN...: runs the ```sh blocks of a page in one shell, the programs in the directories BIN first in PATH. The lines
# of an ```output block must come in this order in what the blocks since the last one printed; `…` stands for anything.
set -euo pipefail

page=$(readlink -f "$1")
shift
for directory in "$@"; do
  PATH=$(readlink -f "$directory"):$PATH
done
export PATH
# A service manager of this machine's user is to be left alone.
export XDG_RUNTIME_DIR=/nonexistent DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent
export HERMES_EXAMPLES=${page%/*}/examples
unset HERMES_HOME HERMES_KANBAN_BOARD HERMES_PROFILE

work=$(mktemp -d)
stop() {
  # The page's own home, should it not have come to its end.
  local home
  home=$(cat "$work/home" 2>/dev/null || true)
  if [[ -n $home && -d $home ]]; then
    HERMES_HOME=$home hermes dispatcher stop >/dev/null 2>&1 || true
  fi
  rm -rf "$work"
}
trap stop EXIT
export TMPDIR=$work
cd "$work"

# One script: each block prints a mark, so that its output can be told from the next one's.
awk -v work="$work" '
  /^```sh$/ { inside = "sh"; next }
  /^```output$/ { inside = "output"; file = sprintf("%s/expected.%d", work, ++checks); next }
  /^```$/ { if (inside == "output") print "printf \"\\n\\001%d\\n\" " checks; inside = ""; next }
  inside == "sh" { print }
  inside == "output" { print > file }
' "$page" >"$work/script.sh"
# shellcheck disable=SC2016
sed -i '0,/^export HERMES_HOME=.*/s//&\necho "$HERMES_HOME" >"$TMPDIR\/home"/' "$work/script.sh"

status=0
bash -euo pipefail "$work/script.sh" >"$work/printed" 2>&1 || status=$?
if ((status != 0)); then
  echo "a command of $page ended with status $status:" >&2
  tail -n 20 "$work/printed" >&2
  exit 1
fi

awk -v work="$work" '
  function matches(line, pattern,   parts, n, i, at) {
    n = split(pattern, parts, "…")
    for (i = 1; i <= n; i++) {
      at = index(line, parts[i])
      if (at == 0 || (i == 1 && at != 1)) return 0
      line = substr(line, at + length(parts[i]))
    }
    return parts[n] == "" || line == "" || n > 1 && substr(pattern, length(pattern)) == "…"
  }
  function check(number,   file, pattern, i) {
    file = work "/expected." number
    i = 1
    while ((getline pattern < file) > 0) {
      while (i <= n_lines && !matches(lines[i], pattern)) i++
      if (i > n_lines) {
        printf "block %d: no line like this, or not in this order: %s\n--- printed:\n", number, pattern > "/dev/stderr"
        for (i = 1; i <= n_lines; i++) print lines[i] > "/dev/stderr"
        exit failed = 1
      }
      i++
    }
    checked++
    n_lines = 0
  }
  /^\001/ { check(substr($0, 2)); next }
  { lines[++n_lines] = $0 }
  END { if (!failed && checked < 5) { print "only " checked + 0 " blocks were checked" > "/dev/stderr"; exit 1 } }
' "$work/printed"
