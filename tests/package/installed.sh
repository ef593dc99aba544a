#!/usr/bin/env bash
# installed.sh CMAKE BUILD_DIR SOURCE_DIR DOCDIR: installs this build into a prefix of its own, moves the tree elsewhere, and works with
# it there. DOCDIR is below the prefix. Nothing in it may lead back to the source or to the build.
set -euo pipefail

cmake=$1
build=$2
source=$3
docdir=$4
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
die() {
  printf 'installed: %s\n' "$*" >&2
  exit 1
}

# Stripped, as a package is: debug information may name the source.
if ! "$cmake" --install "$build" --prefix "$work/here" --strip >"$work/log" 2>&1; then
  cat "$work/log" >&2
  die "cmake --install failed"
fi

wanted=(bin/hermes bin/hermes-dispatcher libexec/hermes/hermes-shim
  "$docdir"/{README.md,docs/operations.md,examples/config.toml,examples/profiles/agent/profile.toml})
# What the tree has only once these parts of it are there.
[[ ! -d $source/systemd ]] || wanted+=(lib/systemd/user/hermes-dispatcher.service)
[[ ! -d $source/cli/manual ]] || wanted+=(share/man/man1/hermes.1 share/man/man8/hermes-dispatcher.8
  share/bash-completion/completions/hermes share/fish/vendor_completions.d/hermes.fish)
for file in "${wanted[@]}"; do
  [[ -s $work/here/$file ]] || die "$file was not installed"
done

# Every document that another one links to is there.
while IFS=: read -r file link; do
  target=$(dirname "$file")/${link%%#*}
  [[ -e $target ]] || die "${file#"$work/here/"} links to $link, which is not installed"
done < <(grep -roP '\]\(\K(?!https?:)[^)#]+' --include='*.md' "$work/here/$docdir" || true)

patterns=("$build")
for entry in "$source"/*; do
  patterns+=("$entry")
done
# Only a Release build leaves the names of its sources out of the programs, and only such a one is installed.
if grep -q '^CMAKE_BUILD_TYPE:.*=Release$' "$build/CMakeCache.txt" &&
  found=$(printf '%s\n' "${patterns[@]}" | grep -raFf - -l "$work/here"); then
  die "these name the source or the build: $found"
fi
for program in "$work"/here/bin/* "$work"/here/libexec/hermes/*; do
  dynamic=$(readelf -d "$program")
  [[ $dynamic != *RPATH* && $dynamic != *RUNPATH* ]] || die "$program carries a path of libraries: $dynamic"
done

unit=$work/here/lib/systemd/user/hermes-dispatcher.service
if [[ -e $unit ]]; then
  grep -q "^ExecStart=.*$work/here/bin/hermes-dispatcher" "$unit" || die "the unit starts another program: $(grep ExecStart "$unit")"
fi

mv "$work/here" "$work/there"
"$here/try_out.sh" "$work/there" "$work/there/$docdir"
