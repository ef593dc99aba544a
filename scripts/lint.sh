#!/usr/bin/env bash
# Checks what the compiler does not. It changes nothing and prints only what is wrong.
#
#   scripts/lint.sh           all parts
#   scripts/lint.sh format    C++ and C laid out as .clang-format says
#   scripts/lint.sh shell     shellcheck over every script with a shell's name in its first line
#   scripts/lint.sh tidy      clang-tidy, with the checks that .clang-tidy lists; FILE… for these sources only
#   scripts/lint.sh recent    the same for the sources that the last 20 commits have changed
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
cd "$root"

format() {
  git ls-files -z -- '*.cpp' '*.hpp' '*.c' | xargs -0 clang-format-14 --dry-run --Werror
}

shell() {
  local file first scripts=()
  while IFS= read -r -d '' file; do
    [[ -f $file && ! -L $file ]] || continue
    IFS= read -r first <"$file" 2>/dev/null || true
    if [[ $first =~ ^'#!'.*[/[:space:]](ba|da|)sh([[:space:]]|$) || $file == *.sh ]]; then
      scripts+=("$file")
    fi
  done < <(git ls-files -z)
  shellcheck --external-sources -- "${scripts[@]}"
}

# What clang-tidy says about one source goes into one file: two at a time must not mix their lines.
tidy_one() {
  local out
  out=$(mktemp "$TIDY_OUT/XXXXXX")
  if ! clang-tidy-19 -p build/tidy --quiet "$1" >"$out" 2>"$out.noise"; then
    # Without a finding it is clang-tidy itself that failed.
    [[ -s $out ]] || { echo "$1:" && cat "$out.noise"; } >"$out.failed"
    return 1
  fi
}
export -f tidy_one

tidy() {
  local status=0 sources=("$@")
  if ((${#sources[@]} == 0)); then
    mapfile -t sources < <(git ls-files -- '*.cpp' '*.c')
  fi
  # Configured, not built: the database of another compiler names a precompiled header clang cannot read.
  cmake --preset tidy >build/tidy-configure.log 2>&1 || { cat build/tidy-configure.log && return 1; }
  TIDY_OUT=$(mktemp -d)
  export TIDY_OUT
  printf '%s\0' "${sources[@]}" |
    xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_one "$1"' tidy_one || status=1
  # A header speaks once for every source that includes it, and under the path of every room that sees it.
  find "$TIDY_OUT" -type f ! -name '*.noise' ! -name '*.failed' -exec cat {} + |
    sed -E "s#$root/(build/tidy/rooms/[a-z_]+/)?##g" |
    awk '/(^|: )(warning|error): / { show = !seen[$0]++ } show'
  find "$TIDY_OUT" -type f -name '*.failed' -exec cat {} +
  rm -rf "$TIDY_OUT"
  return "$status"
}

failed=()
part() {
  local began=$SECONDS
  if "$@"; then
    echo "lint: $1 is clean ($((SECONDS - began)) s)"
  else
    echo "lint: $1 has findings ($((SECONDS - began)) s)" >&2
    failed+=("$1")
  fi
}

scripts/install-deps.sh lint
mkdir -p build
case "${1:-all}" in
  all)
    part format
    part shell
    part tidy
    ;;
  format | shell) part "$1" ;;
  tidy) part "$@" ;;
  recent)
    mapfile -t sources < <(git log -20 --format= --name-only --diff-filter=d -- '*.cpp' '*.c' | sort -u |
      while IFS= read -r file; do [[ ! -f $file ]] || echo "$file"; done)
    if ((${#sources[@]} > 0)); then part tidy "${sources[@]}"; fi
    ;;
  *)
    echo "usage: $0 [format | shell | recent | tidy [FILE…]]" >&2
    exit 2
    ;;
esac
((${#failed[@]} == 0))
