#!/usr/bin/env bash
# Builds everything with the dev preset and runs all tests. Arguments go to ctest:
#
#   scripts/test.sh                 all of them
#   scripts/test.sh -R 'shim|log'   those whose names match
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
cd "$root"

scripts/install-deps.sh
cmake --preset dev
cmake --build --preset dev
ctest --preset dev --output-on-failure "$@"
