#!/usr/bin/env bash
# user_manager.sh COMMAND [ARG...]: runs COMMAND beside a `systemd --user` of its own.
#
# Nothing of it can be seen from outside and nothing stays: the manager, a journal and COMMAND live in
# a PID namespace, whose end takes every process with it, and in a mount namespace with its own /run
# and /dev/shm; HOME and the XDG directories lie in there. Their cgroups are removed at the end.
#
# Several may run at the same time. Exit status: COMMAND's, 77 where it cannot be done here (it takes
# root, systemd, and a cgroup hierarchy that can be written), 70 when the manager does not come up.
set -uo pipefail

readonly skip=77 broken=70
chain=

cannot() {
  echo "user_manager: cannot be run here: $*" >&2
  exit "$skip"
}

find_program() {
  local path
  for path in "/usr/lib/systemd/$1" "/lib/systemd/$1"; do
    [[ -x $path ]] && echo "$path" && return
  done
  return 1
}

# ── outside: cgroups, then the namespaces ──

# The roots in which systemd keeps its tree: one with cgroup v2; in the hybrid layout two, and those of the controllers that
# it may set.
cgroup_roots() {
  local root
  for root in /sys/fs/cgroup /sys/fs/cgroup/{unified,systemd,memory,cpu,cpuacct}; do
    [[ -f $root/cgroup.procs ]] && echo "$root"
  done
}

remove_cgroups() {
  local tree round
  for tree in "$@"; do
    for ((round = 0; round < 100; ++round)); do
      find "$tree" -depth -type d -exec rmdir {} + 2>/dev/null
      [[ -d $tree ]] || break
      sleep 0.02  # the namespace's processes are dying
    done
  done
}

# A run that was killed with SIGKILL could not clean up. Its name holds its PID.
remove_abandoned() {
  local root tree
  for root in "${roots[@]}"; do
    for tree in "$root"/hermes-test.*; do
      [[ -d $tree && ! -d /proc/${tree##*.} ]] && remove_cgroups "$tree"
    done
  done
}

# With cgroup v2 a controller is handed down level by level, as far as it is there at all.
delegate() {
  local level controller
  for level in "$1" "$1/user.slice" "$1/user.slice/user-0.slice"; do
    [[ -f $level/cgroup.subtree_control ]] || continue
    for controller in memory cpu; do
      echo "+$controller" 2>/dev/null >"$level/cgroup.subtree_control" || true
    done
  done
}

outside() {
  (($# > 0)) || { echo "usage: user_manager.sh COMMAND [ARG...]" >&2; exit 2; }
  ((EUID == 0)) || cannot "it takes root"
  find_program systemd >/dev/null || cannot "there is no systemd"
  find_program systemd-journald >/dev/null || cannot "there is no systemd-journald"
  mapfile -t roots < <(cgroup_roots)
  ((${#roots[@]} > 0)) || cannot "there is no cgroup hierarchy"
  remove_abandoned
  trees=("${roots[@]/%//hermes-test.$$}")
  trap 'kill -KILL "$chain" 2>/dev/null; remove_cgroups "${trees[@]}"' EXIT
  trap 'exit 143' TERM INT HUP
  local tree
  for tree in "${trees[@]}"; do
    # The tree of a real host in small: journald and systemctl read units and users off such paths.
    mkdir -p "$tree/init.scope" "$tree/user.slice/user-0.slice/user@0.service" 2>/dev/null ||
      cannot "$tree cannot be made"
    delegate "$tree"
  done
  (
    for tree in "${trees[@]}"; do
      echo "$BASHPID" >"$tree/init.scope/cgroup.procs" || exit "$skip"
    done
    unshare --mount true 2>/dev/null || cannot "namespaces cannot be made"
    # Whoever is killed in this chain takes what is below along.
    USER_MANAGER_TREES="${trees[*]}" exec setpriv --pdeathsig KILL \
      unshare --mount --propagation private --pid --fork --kill-child=KILL "$self" --inside "$@"
  ) &
  chain=$!
  wait "$chain"
}

# ── inside: PID 1 of the new namespace ──

start_journal() {
  mkdir -p /run/systemd/journald.conf.d
  printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\n' \
    >/run/systemd/journald.conf.d/test.conf
  setsid "$(find_program systemd-journald)" </dev/null &>/run/journald.log &
  await test -S /run/systemd/journal/stdout || fail_to_start "journald" /run/journald.log
}

start_manager() {
  local tree
  (
    for tree in $USER_MANAGER_TREES; do
      echo 0 >"$tree/user.slice/user-0.slice/user@0.service/cgroup.procs"
    done
    unset USER_MANAGER_TREES
    exec setsid "$(find_program systemd)" --user --log-target=journal --unit=default.target
  ) </dev/null &>/run/manager.log &
  await manager_is_up || fail_to_start "systemd --user" /run/manager.log
}

manager_is_up() {
  [[ $(systemctl --user is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}

await() {
  local round
  for ((round = 0; round < 500; ++round)); do
    "$@" && return
    sleep 0.02
  done
  return 1
}

fail_to_start() {
  echo "user_manager: $1 does not come up" >&2
  tail -n 20 "$2" >&2
  exit "$broken"
}

inside() {
  mount -t proc -o nosuid,nodev,noexec proc /proc &&
    mount -t tmpfs -o mode=755 tmpfs /run &&
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm ||
    cannot "filesystems cannot be mounted"
  local private=/run/user/$EUID
  mkdir -p /run/systemd/system /run/lock "$private"
  chmod 700 "$private"
  # What a manager above us or the caller's own Hermes has set is not meant for this one.
  unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID INVOCATION_ID JOURNAL_STREAM LISTEN_FDS LISTEN_PID \
    "${!HERMES_@}"
  export XDG_RUNTIME_DIR=$private DBUS_SESSION_BUS_ADDRESS=unix:path=$private/bus HOME=/run/home
  export XDG_CONFIG_HOME=$HOME/.config XDG_DATA_HOME=$HOME/.local/share
  export XDG_STATE_HOME=$HOME/.local/state XDG_CACHE_HOME=$HOME/.cache
  mkdir -p "$XDG_CONFIG_HOME/systemd/user" "$XDG_DATA_HOME" "$XDG_STATE_HOME" "$XDG_CACHE_HOME"
  start_journal
  start_manager
  # In the background and waited for: bash, as PID 1, reaps what is orphaned meanwhile.
  "$@" &
  wait $!
}

self=$(readlink -f "${BASH_SOURCE[0]}")
if [[ ${1:-} == --inside ]]; then
  inside "${@:2}"
else
  outside "$@"
fi
