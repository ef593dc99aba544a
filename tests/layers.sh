#!/usr/bin/env bash
# Which room includes which third-party header. Rooms of ours are kept apart by the build; system headers every compiler finds, so
# they are kept apart here.
set -euo pipefail
cd "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")"

status=0
# only HEADER-PATTERN PLACE...: files outside the places must not include such a header.
only() {
  local pattern=$1
  shift
  local found
  found=$(grep -rnE "^#include <($pattern)" kernel sim verbs mcp cli daemon systemd --include='*.hpp' --include='*.cpp' | grep -vE "^($(IFS='|'; echo "$*"))" || true)
  if [ -n "$found" ]; then
    printf 'only %s may include <%s:\n%s\n' "$*" "$pattern" "$found"
    status=1
  fi
}
only 'SQLiteCpp/|sqlite3' kernel/db/
only 'boost/' daemon/loop.cpp
only 'spdlog/' daemon/logger.cpp
only 'systemd/' daemon/service.cpp daemon/scopes.cpp daemon/bus.hpp daemon/own_unit.cpp
only 'toml\+\+/|toml' 'kernel/home/settings(_edit)?.cpp'
only 'CLI/' cli/
only 'nlohmann/json.hpp' 'kernel/board/.*\.cpp' verbs/ cli/ 'daemon/(report|dry_run|starter)\.cpp'
found=$(grep -rnE '(json|Json)::parse\(' kernel sim verbs mcp cli daemon systemd --include='*.hpp' --include='*.cpp' |
  grep -vE '^(kernel/board/json.hpp|verbs/values.cpp)' || true)
if [ -n "$found" ]; then
  printf 'JSON of unknown origin is parsed by parse_json (kernel/board/json.hpp), which bounds its depth:\n%s\n' "$found"
  status=1
fi
found=$(grep -rnE 'PRAGMA' kernel sim verbs mcp cli daemon systemd --include='*.hpp' --include='*.cpp' | grep -v '^kernel/db/' || true)
if [ -n "$found" ]; then
  printf 'only kernel/db says PRAGMA:\n%s\n' "$found"
  status=1
fi
found=$(grep -rnE 'system_clock|steady_clock|getenv|wall_clock_now|std::thread|socket\(' kernel/rules kernel/board kernel/model sim || true)
if [ -n "$found" ]; then
  printf 'the kernel reads no clock, no environment and starts nothing:\n%s\n' "$found"
  status=1
fi
# ThreadSanitizer runs what is labelled: a test with threads of its own says so.
found=$(grep -rlE 'std::(j?thread|async)\b' tests --include='*_test.cpp' | xargs -r grep -L '\[threads\]' || true)
if [ -n "$found" ]; then
  printf 'a test with threads has the tag [threads]:\n%s\n' "$found"
  status=1
fi
found=$(grep -rnE 'co_await|co_return|co_yield' kernel sim verbs mcp cli daemon systemd --include='*.hpp' --include='*.cpp' || true)
if [ -n "$found" ]; then
  printf 'no coroutines (g++ 12 miscompiles them):\n%s\n' "$found"
  status=1
fi
exit "$status"
