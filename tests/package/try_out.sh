#!/usr/bin/env bash
# try_out.sh PREFIX DOCDIR [--upgrade COMMAND]: works with the Hermes installed under PREFIX as its user would, from a directory and a home
# of its own and with next to no environment. COMMAND installs a Hermes over this one while a worker runs. Leaves nothing behind.
set -euo pipefail

prefix=$1
docdir=$2
upgrade=${4:-}

work=$(mktemp -d)
dispatcher=
finish() {
  local status=$?
  if [[ -n $dispatcher ]]; then
    kill "$dispatcher" 2>/dev/null || true
    wait "$dispatcher" 2>/dev/null || true
  fi
  # The shim of an unfinished run names our directory among its arguments, and takes its worker along.
  if [[ $status != 0 ]]; then
    for process in /proc/[0-9]*; do
      if grep -qaF "$work" "$process/cmdline" 2>/dev/null; then
        kill "${process#/proc/}" 2>/dev/null || true
      fi
    done
  fi
  [[ $status == 0 ]] || tail -n 20 "$work"/dispatcher*.log >&2 || true
  if [[ -L $work/home/run ]]; then
    rm -rf -- "$(readlink "$work/home/run")"
  fi
  rm -rf -- "$work"
}
trap finish EXIT

die() {
  printf 'try_out: %s\n' "$*" >&2
  exit 1
}

# Becomes a program; in a subshell of its own, always.
clean() { exec env -i HOME="$work" HERMES_HOME="$work/home" PATH="${path:-/usr/bin:/bin}" LANG=C.UTF-8 "$@"; }
hermes() { (clean "$prefix/bin/hermes" "$@"); }

# wait_for SECONDS COMMAND…
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || die "waited in vain for: $*"
    sleep 0.1
  done
}

status_is() { [[ $(hermes kanban show "$1" --json | sed -n 's/^ *"status": "\([a-z]*\)".*/\1/p' | head -n 1) == "$2" ]]; }
create() { hermes kanban create "$@" --json | sed -n 's/^ *"id": *"\(t_[0-9a-f]*\)".*/\1/p' | head -n 1; }
serves() { ! flock --shared --nonblock "$work/home/run/dispatcher.lock" true; }

# With PATH as a service has it: the directory of the programs in front, for workers that call hermes.
start_dispatcher() {
  path=$prefix/bin:/usr/bin:/bin clean "$prefix/bin/hermes-dispatcher" >>"$work/dispatcher-$1.log" 2>&1 &
  dispatcher=$!
  wait_for 20 test -e "$work/home/run/dispatcher.lock"
  wait_for 20 serves
}
stop_dispatcher() {
  kill "$dispatcher"
  wait "$dispatcher" || die "the dispatcher ended with status $?"
  dispatcher=
}

mkdir "$work/elsewhere"
cd "$work/elsewhere"

version=$(hermes --version)
[[ $version == "hermes "[0-9]*" (SQLite 3."*")" ]] || die "hermes --version said: $version"
number=${version#hermes }
number=${number%% *}
[[ $(clean "$prefix/bin/hermes-dispatcher" --version) == "hermes-dispatcher $number (SQLite 3."* ]] ||
  die "hermes-dispatcher --version does not say $number and the SQLite it has loaded"
[[ $(clean "$prefix/libexec/hermes/hermes-shim" --version) == "hermes-shim $number" ]] ||
  die "hermes-shim --version does not say $number"

hermes init >/dev/null
cp "$docdir/examples/config.toml" "$work/home/config.toml"
cp -r "$docdir/examples/profiles/." "$work/home/profiles/"
start_dispatcher 1

# A script, a task that waits for it, and a worker that finds hermes and says itself how it went.
first=$(create 'Write a file' --assignee shell --workspace "dir:$work/elsewhere" --body 'echo one >file; echo written')
second=$(create 'Read it' --assignee heavy --workspace "dir:$work/elsewhere" --body 'cat file' --parent "$first")
third=$(create 'Say so' --assignee agent --parent "$second")
wait_for 30 status_is "$third" 'done'
for task in "$first" "$second"; do
  status_is "$task" 'done' || die "$third is done before $task, which it waits for"
done
[[ $(hermes kanban log "$second") == *one* ]] || die "the log of $second does not hold what its worker wrote"
[[ $(hermes kanban show "$third") == *'lines of context'* ]] || die "$third does not show what its worker said"

report=$(hermes doctor) || die "hermes doctor found: $report"
for program in "$prefix/bin/hermes-dispatcher" "$prefix/libexec/hermes/hermes-shim"; do
  [[ $report == *"$program"* ]] || die "hermes doctor did not find $program: $report"
done
for line in config.toml heavy agent; do
  [[ $report == *"$line"* ]] || die "hermes doctor says nothing of the example $line: $report"
done

if [[ -n $upgrade ]]; then
  long=$(create 'Outlive an upgrade' --assignee shell --workspace "dir:$work/elsewhere" \
    --body 'touch begun; until [ -e go ]; do sleep 0.1; done; echo outlived')
  wait_for 30 test -e begun
  bash -c "$upgrade" || die "the upgrade failed"
  serves || die "the dispatcher did not live through the upgrade"
  stop_dispatcher
  start_dispatcher 2
  [[ $(hermes kanban show "$long" --json) == *'"status": "running"'* ]] || die "$long does not run on after the upgrade"
  touch go
  wait_for 30 status_is "$long" 'done'
  [[ $(hermes kanban log "$long") == *outlived* ]] || die "the worker's words were lost in the upgrade"
  (($(hermes kanban show "$long" --json | grep -c '"attempt":') == 1)) || die "$long was started twice"
  hermes doctor >/dev/null || die "hermes doctor is not content after the upgrade"
fi

stop_dispatcher
echo "$version works from $prefix"
