#!/usr/bin/env bash
# Looks for inputs from outside that break something: libFuzzer under AddressSanitizer and UndefinedBehaviorSanitizer. Each target is
# a file in tests/fuzz.
#
#   scripts/fuzz.sh                          every kept input again, then 8 s of search per target; changes nothing
#   scripts/fuzz.sh --seconds N [TARGET…]    N s of search per target; the kept inputs are those that reach most branches
#
# An input that breaks something fails the run, lies minimised in build/fuzz/finds/TARGET, and after a long run among the kept ones.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
cd "$root"

usage() {
  echo "usage: $0 [--seconds N [TARGET…]]" >&2
  exit 2
}

seconds=8
keep=
if (($# > 0)); then
  [[ $1 == --seconds && ${2:-} =~ ^[1-9][0-9]*$ ]] || usage
  seconds=$2
  keep=yes
  shift 2
fi
targets=("$@")
if ((${#targets[@]} == 0)); then
  for corpus in tests/fuzz/corpus/*/; do
    targets+=("$(basename "$corpus")")
  done
fi
for target in "${targets[@]}"; do
  [[ -d tests/fuzz/corpus/$target ]] || usage
done

scripts/install-deps.sh fuzz
mkdir -p build
cmake --preset fuzz >build/fuzz-configure.log || { cat build/fuzz-configure.log && exit 1; }
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}"

# The targets make their homes here, in memory where that is possible.
work=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" hermes-fuzz-XXXXXX)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
export ASAN_OPTIONS=allow_addr2line=1:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1

# The words of the command line, from the page that the table of verbs writes.
words() {
  grep -oE -- '(--[a-z][a-z-]+|`hermes [a-z -]+[a-z]`)' docs/cli.md | tr -d '`' | sed 's/^hermes //' |
    tr ' ' '\n' | sort -u | sed 's/.*/"\\x00&\\x00"/'
}
words >"$work/words.dict"

length_of() {
  case $1 in
    arguments | calls | secrets | values | unit) echo 512 ;;
    logs) echo 20000 ;;
    *) echo 4096 ;;
  esac
}

# The inputs that were named by hand stay. Of those that were found, which are called by their checksums, a few that together
# reach most branches take the place of the earlier ones.
k_kept=18
keep_best() {
  local program=$1 corpus=$2 found=$3 best=$work/best room input
  mkdir -p "$best"
  "$program" "${options[@]}" -set_cover_merge=1 -use_counters=0 "$best" "$corpus" "$found"
  find "$corpus" -type f -regextype egrep -regex '.*/[0-9a-f]{40}' -delete
  sha1sum "$corpus"/* | cut -d ' ' -f 1 >"$work/named"
  room=$((k_kept - $(wc -l <"$work/named")))
  find "$best" -type f -printf '%s %p\n' | sort -rn | cut -d ' ' -f 2 |
    grep -vFf "$work/named" | head -n "$((room > 0 ? room : 0))" |
    while IFS= read -r input; do cp "$input" "$corpus"; done || true
  rm -rf "$best"
}

failed=()
for target in "${targets[@]}"; do
  corpus=$root/tests/fuzz/corpus/$target
  finds=$root/build/fuzz/finds/$target
  program=$root/build/fuzz/tests/fuzz/fuzz_$target
  mkdir -p "$finds" "$work/$target"
  options=(-timeout=5 -rss_limit_mb=2048 -verbosity=0 "-max_len=$(length_of "$target")" "-artifact_prefix=$finds/")
  dictionary=$work/$target.dict
  case $target in
    arguments | calls) cat "$work/words.dict" tests/fuzz/"$target".dict >"$dictionary" 2>/dev/null || true ;;
    *) cp tests/fuzz/"$target".dict "$dictionary" 2>/dev/null || true ;;
  esac
  [[ -s $dictionary ]] && options+=("-dict=$dictionary")

  if ! "$program" "${options[@]}" -max_total_time="$seconds" -print_final_stats=1 "$work/$target" "$corpus" \
    >"$work/log" 2>&1; then
    failed+=("$target")
    cat "$work/log"
    if [[ -n $keep ]]; then
      for find in "$finds"/{crash,timeout,oom,leak}-*; do
        [[ -f $find ]] || continue
        "$program" "${options[@]}" -minimize_crash=1 -max_total_time=60 -exact_artifact_path="$find.small" "$find" >/dev/null 2>&1 || true
        [[ -f $find.small ]] || cp "$find" "$find.small"
        cp "$find.small" "$corpus/find-$(sha1sum "$find.small" | head -c 12)"
      done
    fi
    continue
  fi
  if [[ -n $keep ]]; then
    keep_best "$program" "$corpus" "$work/$target" >>"$work/log" 2>&1
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
  new=$(sed -n 's/^stat::new_units_added: *//p' "$work/log")
  printf 'fuzz: %-15s %9s runs in %s s, %s inputs kept, %s found new branches\n' "$target" "$runs" "$seconds" \
    "$(find "$corpus" -type f | wc -l)" "$new"
done
if ((${#failed[@]} > 0)); then
  printf 'fuzz: broken: %s; the inputs lie in build/fuzz/finds\n' "${failed[*]}" >&2
  exit 1
fi
