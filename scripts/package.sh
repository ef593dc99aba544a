#!/usr/bin/env bash
# Builds the Debian package build/package/hermes-kanban_<version>_<architecture>.deb, has lintian look at it, and prints its path and
# size.
#
#   scripts/package.sh          only that
#   scripts/package.sh --try    and installs it into a clean Debian 12, uses it there and removes it again: takes minutes, root
#                               and a Debian mirror; status 77 where that cannot be had
set -euo pipefail
cd "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")"

try=
case "${1:-}" in
  '') ;;
  --try) try=yes ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' scripts/package.sh >&2
    exit 2
    ;;
esac

scripts/install-deps.sh package

# One commit gives one package, whenever it is built.
if commit_time=$(git log -1 --format=%ct 2>/dev/null); then
  export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$commit_time}
fi
umask 022
mkdir -p build/package
rm -f build/package/*.deb
cmake --preset deb
cmake --build --preset deb
cpack --preset deb
rm -rf build/package/_CPack_Packages

package=$(echo build/package/hermes-kanban_*.deb)
overlook=()
[[ -d cli/manual ]] || overlook=(--suppress-tags no-manual-page)
lintian --fail-on error,warning "${overlook[@]}" "$package"
printf '%s: %s bytes\n' "$package" "$(stat -c %s "$package")"

if [[ -n $try ]]; then
  tests/package/clean_system.sh "$package"
fi
