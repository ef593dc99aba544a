#!/usr/bin/env bash
# lessons.sh HERMES_TESTS CTEST BUILD: every test that the tables of docs/lessons.md and docs/reliability.md name must exist.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
# Tests that are programs of their own are known to CTest alone; it cuts names at a semicolon.
known=$("$1" --list-test-names-only || true; "$2" --test-dir "$3" -N | sed -n 's/^ *Test *#[0-9]*: //p')
status=0
while IFS= read -r name; do
  case $name in
    hermes-bench*) continue ;; # a measurement, no test
  esac
  if ! grep -qxF -- "$name" <<<"$known"; then
    printf 'the documentation names a test that is not there: %s\n' "$name"
    status=1
  fi
done < <(grep -h '^| ' "$root/docs/lessons.md" "$root/docs/reliability.md" | awk -F' \\| ' '{print $NF}' | grep -oP '\x60[^\x60]*\x60' | tr -d '\140')
exit "$status"
