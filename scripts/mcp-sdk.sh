#!/usr/bin/env bash
# Tries `hermes mcp` with the official clients of the protocol, which npm installs into a build directory.
#
#   scripts/mcp-sdk.sh [HERMES [DIRECTORY]]     the program, and where to install (build/dev/cli/hermes, build/mcp-sdk)
#
# Exit status 77 when node, npm or what npm would fetch cannot be had.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
hermes=$(readlink -f "${1:-$root/build/dev/cli/hermes}")
dir=${2:-$root/build/mcp-sdk}

skip() {
  echo "skipped: $1"
  exit 77
}
command -v node >/dev/null || skip "node is not here (scripts/install-deps.sh mcp)"
command -v npm >/dev/null || skip "npm is not here (scripts/install-deps.sh mcp)"

mkdir -p "$dir"
lock=$(sha256sum <"$root/tests/mcp/sdk/package-lock.json")
if [[ ! -f $dir/installed || $(<"$dir/installed") != "$lock" ]]; then
  cp "$root/tests/mcp/sdk/package.json" "$root/tests/mcp/sdk/package-lock.json" "$dir"
  rm -f "$dir/installed"
  install() {
    (cd "$dir" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund --cache "$dir/cache" >"$dir/npm.log" 2>&1)
  }
  ended=0
  install || ended=$?
  # Without a network, or refused by the registry; any other failure is ours.
  if ((ended == 124)) || { ((ended != 0)) &&
    grep -qE '(code|errno) (ENOTFOUND|EAI_AGAIN|ECONN[A-Z]+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|E[45][0-9][0-9])' "$dir/npm.log"; }; then
    skip "npm could not fetch the clients: $(tail -n 1 "$dir/npm.log")"
  elif ((ended != 0)); then
    cat "$dir/npm.log"
    exit 1
  fi
  echo "$lock" >"$dir/installed"
fi
# Packages are looked for from where the script lies.
cp "$root/tests/mcp/sdk_client.mjs" "$dir"

status=0
try() {
  timeout 120 node "$dir/sdk_client.mjs" "$hermes" "$@" || status=1
}
try sdk
major=$(node --version)
major=${major#v}
if ((${major%%.*} >= 20)); then
  try client legacy
  try client auto
else
  echo "client: left out, it needs node 20 (this is $(node --version)), so revision 2026-07-28 was tried by our own tests only"
fi
exit "$status"
