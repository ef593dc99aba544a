#!/usr/bin/env bash
# What mandoc and man find wrong with the pages: nothing. Skipped where neither is installed.
set -euo pipefail
pages=("$1"/hermes.1 "$1"/hermes-kanban.1 "$1"/hermes-dispatcher.8)

tools=0
found=''
if command -v mandoc >/dev/null; then
  tools=1
  # A build without git and SOURCE_DATE_EPOCH knows no date.
  found+=$(mandoc -T lint -W warning "${pages[@]}" 2>&1 | grep -v 'missing date' || true)
fi
if command -v man >/dev/null; then
  tools=1
  for page in "${pages[@]}"; do
    found+=$(MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null || true)
  done
fi
if ((tools == 0)); then
  echo "neither mandoc nor man is installed"
  exit 77
fi
if [[ -n $found ]]; then
  printf '%s\n' "$found"
  exit 1
fi
