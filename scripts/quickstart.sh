#!/usr/bin/env bash
# From a fresh Debian 12 to a board that has done real work: installs the packages, builds and installs
# Hermes, starts its dispatcher, and has five linked tasks take the inventory of a git repository.
#
#   scripts/quickstart.sh                  of this one
#   scripts/quickstart.sh path/to/another
#
# HERMES_HOME says where the boards live (~/.hermes), PREFIX where the programs go (~/.local).
# It may be run again at any time: what exists stays, and work that is done is not done twice.
set -euo pipefail

readonly limit_s=180  # for the five tasks

say() { printf '▸ %s\n' "$*"; }
die() {
  printf 'quickstart: %s\n' "$@" >&2
  exit 1
}

case "${1:-}" in
  -h | --help)
    sed -n '2,9s/^# \{0,1\}//p' "$(readlink -f "${BASH_SOURCE[0]}")"
    exit 0
    ;;
  -*) die "unknown option '$1'" "usage: quickstart.sh [PATH of a git repository]" ;;
esac
(($# <= 1)) || die "usage: quickstart.sh [PATH of a git repository]"
: "${HOME:?HOME is not set}"

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
prefix=${PREFIX:-$HOME/.local}
[[ $prefix == /* ]] || prefix=$PWD/$prefix
build=$root/build/quickstart
[[ -w $root ]] || build=${XDG_CACHE_HOME:-$HOME/.cache}/hermes/quickstart

steps=$root/scripts/inventory

# ── programs ──

install_hermes() {
  "$root/scripts/install-deps.sh" build
  mkdir -p "$build"
  if [[ -e $build/install_manifest.txt ]]; then
    say "Bringing the build up to date"
  else
    say "Building Hermes, which takes a few minutes (the details go to $build/quickstart.log)"
  fi
  local began=$SECONDS
  if ! build_quietly; then
    tail -n 30 "$build/quickstart.log" >&2
    die "the build failed, see $build/quickstart.log"
  fi
  say "Installed into $prefix in $((SECONDS - began)) s"
}

build_quietly() {
  local configure=(cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release
    -DBUILD_TESTING=OFF "-DCMAKE_INSTALL_PREFIX=$prefix")
  {
    # A build directory of another checkout or CMake cannot be taken over; made afresh it can.
    { "${configure[@]}" || "${configure[@]}" --fresh; } &&
      cmake --build "$build" &&
      cmake --install "$build"
  } >"$build/quickstart.log" 2>&1
}

# ── the repository ──

# What belongs to another user may be read all the same: it was asked for.
asked_git() { git -c safe.directory='*' -C "$repository" "$@"; }

find_repository() {
  repository=$(readlink -f -- "$1") || die "there is no directory '$1'"
  [[ -d $repository ]] || die "'$1' is not a directory"
  if [[ $(asked_git rev-parse --is-inside-work-tree 2>/dev/null) == true ]]; then
    repository=$(asked_git rev-parse --show-toplevel)
  elif ! asked_git rev-parse --git-dir >/dev/null 2>&1; then
    die "'$1' is not in a git repository" "name one: $0 PATH"
  fi
  commit=$(asked_git rev-parse --verify --quiet 'HEAD^{commit}') ||
    die "the repository $repository has no commit yet"
  name=$(basename "$repository")
}

# ── the dispatcher ──

# One that runs already is started anew, so that it is the one just built; its workers go on.
start_dispatcher() {
  if systemctl --user show-environment >/dev/null 2>&1; then
    hermes dispatcher install || say "Going on with a dispatcher in the background"
  fi
  hermes dispatcher restart
}

# ── the pipeline ──

# The body of a task: which repository, what all steps share, and the step itself.
body_of() {
  # shellcheck disable=SC2016
  printf 'PATH=%q:$PATH\n' "$prefix/bin"
  printf 'name=%q\nrepository=%q\ncommit=%q\n' "$name" "$repository" "$commit"
  printf 'source %q\n' "$steps/prelude.sh" "$steps/$1.sh"
}

id_in_json() { sed -n 's/^ *"id": *"\(t_[0-9a-f]*\)".*/\1/p' | head -n 1; }

# create STEP TITLE PARENT… prints the id. The key is the work itself: the same repository, commit and
# script are the same task, however often this is called.
create() {
  local step=$1 title=$2 key answer parents=()
  shift 2
  for parent in "$@"; do
    parents+=(--parent "$parent")
  done
  key=inventory-$step-$({ body_of "$step" && cat "$steps/prelude.sh" "$steps/$step.sh"; } | sha256sum | cut -c 1-32)
  answer=$(body_of "$step" | hermes kanban create "$title" --assignee shell --body-file - --tenant inventory \
    --idempotency-key "$key" --max-runtime 10m --max-retries 2 "${parents[@]}" --json) || return
  id_in_json <<<"$answer"
}

# Lines "<id> <status>" of the tasks of all inventories.
statuses() {
  hermes kanban list --tenant inventory --json |
    awk -F'"' '/^ *"id": "/ { id = $4 } /^ *"status": "/ { print id, $4 }'
}

finish() {
  [[ -z ${watcher:-} ]] || kill "$watcher" 2>/dev/null || true
}
trap finish EXIT

explain_and_die() {
  hermes kanban why "$2" >&2 || true
  hermes kanban log "$2" --tail 2000 >&2 || true
  die "task $2 $1; after mending the cause: hermes kanban unblock $2"
}

# Looks at the board whenever it changes, and at the latest after a second.
wait_for_tasks() {
  local deadline=$((SECONDS + limit_s)) now id status pending
  local -A told=()
  while true; do
    now=$(statuses)
    pending=''
    for id in "${ids[@]}"; do
      status=$(awk -v id="$id" '$1 == id { print $2 }' <<<"$now")
      case $status in
        done)
          [[ -n ${told[$id]:-} ]] || say "  done: ${names[$id]}"
          told[$id]=yes
          ;;
        blocked | triage | '') explain_and_die "is ${status:-archived}" "$id" ;;
        *) pending=${pending:-$id} ;;
      esac
    done
    [[ -n $pending ]] || return 0
    ((SECONDS < deadline)) || explain_and_die "did not finish within $limit_s s" "$pending"
    if ! IFS= read -r -t 1 -u "$events" && ! kill -0 "$watcher" 2>/dev/null; then
      sleep 0.2  # the watch has ended, so nothing else paces this loop
    fi
  done
}

run_inventory() {
  # Before the tasks exist, so that none of their events is missed.
  exec {events}< <(exec hermes kanban watch --tenant inventory 2>/dev/null)
  watcher=$!
  local files languages history hotspots
  files=$(create files "$name 1/5: list the files")
  languages=$(create languages "$name 2/5: count the lines per language" "$files")
  history=$(create history "$name 3/5: read the history" "$files")
  hotspots=$(create hotspots "$name 4/5: find the hotspots" "$languages" "$history")
  report=$(create report "$name 5/5: report" "$files" "$languages" "$history" "$hotspots")
  ids=("$files" "$languages" "$history" "$hotspots" "$report")
  names=([$files]="1/5 list the files" [$languages]="2/5 count the lines per language"
    [$history]="3/5 read the history" [$hotspots]="4/5 find the hotspots" [$report]="5/5 report")
  say "Five linked tasks take the inventory of $repository at ${commit:0:12}"
  wait_for_tasks
}

# shellcheck disable=SC2016
show_report() {
  printf '\n'
  hermes kanban show "$report"
  printf '\n'
  say "That was read from the board. Look further with:"
  printf '    %-38s%s\n' "hermes kanban list" "all tasks" \
    "hermes kanban show $report" "one task: its runs, events and result" \
    "hermes kanban log ${ids[1]}" "what a worker wrote" \
    "hermes kanban watch" "every change, as it is committed" \
    "hermes kanban why $report" "what keeps a task from running"
  printf '    %s\n' "hermes kanban create 'Free space' --assignee shell --body 'df -h / | tail -n 1'"
  printf '  The dispatcher keeps running and starts what becomes ready. What it does, and how to stop it (workers go on,\n'
  printf '  nothing is lost):\n    hermes dispatcher status\n    hermes dispatcher stop\n'
  if [[ $user_path != *:"$prefix/bin":* ]]; then
    printf '  The programs are not on your PATH yet:\n    export PATH=%q:$PATH\n' "$prefix/bin"
  fi
}

main() {
  declare -gA names=()
  command -v git >/dev/null || "$root/scripts/install-deps.sh" build
  find_repository "${1:-$root}"
  install_hermes
  readonly user_path=":$PATH:"
  export PATH=$prefix/bin:$PATH
  hermes init >/dev/null
  start_dispatcher
  run_inventory
  show_report
}

main "$@"
