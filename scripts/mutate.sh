#!/usr/bin/env bash
# Shows that the simulation can fail: puts the mistakes of tests/sim/mutations.txt into a copy of the kernel, one at a
# time, and plays histories until one of them fails. About a quarter of an hour. It changes nothing outside build/mutate.
#
#   scripts/mutate.sh                 all mistakes
#   scripts/mutate.sh NAME…           these
#   HERMES_SEEDS=N                    how many histories a mistake may survive before it counts as not caught (3000)
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
cd "$root"
copy=build/mutate/tree
seeds=${HERMES_SEEDS:-3000}

scripts/install-deps.sh
mkdir -p build/mutate
exec 9>build/mutate/lock
flock -n 9 || { echo "another scripts/mutate.sh is at work here" >&2 && exit 1; }
rm -rf "$copy"
mkdir "$copy"
git ls-files -z | xargs -0 cp --parents -t "$copy"
cmake -S "$copy" -B build/mutate/build -G Ninja -DCMAKE_BUILD_TYPE=Dev -DHERMES_BENCH=OFF >build/mutate/configure.log
play=build/mutate/build/tests/sim/sim_play

build() { cmake --build build/mutate/build --target sim_play >build/mutate/build.log 2>&1; }

build || { cat build/mutate/build.log && exit 1; }
"$play" 1 200 >/dev/null || { echo "the kernel fails without a mistake in it" >&2 && exit 1; }

missed=()
caught=0
looked_at=0
try() { # NAME FILE OLD NEW
  local name=$1 file=$2 count status found
  looked_at=$((looked_at + 1))
  count=$(grep -cF -- "$3" "$copy/$file" || true)
  if [[ $count != 1 ]]; then
    echo "  $name: its text stands $count times in $file: mend tests/sim/mutations.txt" >&2
    missed+=("$name")
    return
  fi
  OLD=$3 NEW=$4 perl -pi -e 's/\Q$ENV{OLD}\E/$ENV{NEW}/' "$copy/$file"
  if ! build; then
    echo "  $name: does not compile: mend tests/sim/mutations.txt, see build/mutate/build.log" >&2
    missed+=("$name")
  else
    timeout 600 "$play" 1 "$seeds" >build/mutate/"$name".log 2>&1 && status=0 || status=$?
    case $status in
      0) missed+=("$name") && echo "  $name: NOT CAUGHT by $seeds histories" >&2 ;;
      124) missed+=("$name") && echo "  $name: not judged: the histories took more than 10 minutes" >&2 ;;
      *) # a violation, or an assertion of the kernel itself; nothing else counts
        if found=$(grep -E 'VIOLATED|[Aa]ssert' build/mutate/"$name".log | tail -n 1 | cut -c1-150) && [[ -n $found ]]; then
          caught=$((caught + 1))
          printf '  %s: %s\n' "$name" "$found"
        else
          missed+=("$name") && echo "  $name: ended with status $status, see build/mutate/$name.log" >&2
        fi
        ;;
    esac
  fi
  cp "$file" "$copy/$file"
}

name='' file='' old=''
while IFS= read -r line; do
  case $line in
    '@ '*) read -r _ name file <<<"$line" ;;
    '- '*) old=${line#- } ;;
    '+ '*)
      if (($# == 0)) || [[ " $* " == *" $name "* ]]; then
        try "$name" "$file" "$old" "${line#+ }"
      fi
      ;;
  esac
done <tests/sim/mutations.txt

((looked_at > 0)) || { echo "tests/sim/mutations.txt has no mistake of that name" >&2 && exit 2; }
echo "$caught caught, ${#missed[@]} not${missed:+: ${missed[*]}}"
((${#missed[@]} == 0))
