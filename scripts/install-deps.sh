#!/usr/bin/env bash
# Installs what Hermes needs on Debian 12, and nothing when all of it is there.
#
#   scripts/install-deps.sh          to build and to test
#   scripts/install-deps.sh build    to build only
#   scripts/install-deps.sh package  to build the Debian package and to try it in a clean system
#   scripts/install-deps.sh mcp      for scripts/mcp-sdk.sh, which tries the official clients of MCP
#   scripts/install-deps.sh lint     for scripts/lint.sh and the clang preset
#   scripts/install-deps.sh fuzz     for scripts/fuzz.sh
#
# docs/dependencies.md gives the reason for each package.
set -euo pipefail

build=(
  g++ cmake ninja-build pkg-config git
  libsqlitecpp-dev libsqlite3-dev libboost1.81-dev libfmt-dev libspdlog-dev
  nlohmann-json3-dev libtomlplusplus-dev libcli11-dev libsystemd-dev
)
test=(catch2 curl procps sqlite3 systemd task-spooler zsh fish mandoc man-db python3)
package=(dpkg-dev file lintian debootstrap)
mcp=(nodejs npm)
lint=(clang-19 clang-tidy-19 clang-format-14 shellcheck)
fuzz=(clang-19 libclang-rt-19-dev)

case "${1:-test}" in
  build) wanted=("${build[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  package) wanted=("${build[@]}" "${package[@]}") ;;
  mcp) wanted=("${build[@]}" "${test[@]}" "${mcp[@]}") ;;
  lint) wanted=("${build[@]}" "${test[@]}" "${lint[@]}") ;;
  fuzz) wanted=("${build[@]}" "${test[@]}" "${fuzz[@]}") ;;
  *)
    echo "usage: $0 [build|test|package|mcp|lint|fuzz]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "This script installs Debian packages, but apt is not here. Hermes is built on Debian 12 with:" >&2
  echo "  ${wanted[*]}" >&2
  exit 1
fi

# dpkg-query fails when it does not know a package; those are the missing ones.
# shellcheck disable=SC2016
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for name in "${wanted[@]}"; do
  if [[ $'\n'"$installed"$'\n' != *$'\n'"$name installed"$'\n'* ]]; then
    missing+=("$name")
  fi
done
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing, and installing them takes root (there is no sudo here):" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
# A list that could not be fetched again may still be good enough; the installation decides.
apt update || echo "apt-get update failed, trying with the package lists there are" >&2
if ! apt install -y --no-install-recommends "${missing[@]}"; then
  echo "The packages could not be installed. Is this Debian 12, with a package mirror in reach?" >&2
  exit 1
fi
