#!/usr/bin/env bash
# Builds everything with a sanitizer and runs all tests. A report fails the run even when the process it is about was
# expected to fail, or wrote where no test looks. Arguments go to ctest:
#
#   scripts/sanitize.sh asan               AddressSanitizer (with leaks) and UndefinedBehaviorSanitizer
#   scripts/sanitize.sh tsan -R 'loop'     ThreadSanitizer, only the tests whose names match
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
cd "$root"

case "${1:-}" in
  asan | tsan) preset=$1 ;;
  *)
    echo "usage: $0 asan|tsan [ctest arguments]" >&2
    exit 2
    ;;
esac

# ThreadSanitizer of g++ 12 knows the layout of an address space of 28 random bits; newer kernels take 32. Without
# random addresses it runs anywhere. The build needs it too: it asks the test program for its tests.
if [[ $preset == tsan && -z ${HERMES_FIXED_ADDRESSES:-} ]] &&
  setarch --addr-no-randomize true 2>/dev/null; then
  HERMES_FIXED_ADDRESSES=yes exec setarch --addr-no-randomize "$0" "$@"
fi
shift

scripts/install-deps.sh
cmake --preset "$preset" -DHERMES_BENCH=OFF
cmake --build --preset "$preset"

# Where every program reports, see cmake/sanitizer_options.cpp.in. First that one does which has nothing from us.
reports=$root/build/$preset/reports
rm -rf "$reports"
mkdir -p "$reports"
env -i "build/$preset/tests/support/faulty" </dev/null >/dev/null 2>&1 || true
if [[ -z $(ls -A "$reports") ]]; then
  echo "sanitize: a program that is faulty was not reported" >&2
  exit 1
fi
rm -rf "${reports:?}"/*

# The simulation and the random walks are ten times slower here.
export HERMES_SEEDS=${HERMES_SEEDS:-200}
export HERMES_WALKS=${HERMES_WALKS:-30}

status=0
ctest --preset "$preset" --output-on-failure "$@" || status=$?
# What LeakSanitizer says of a thread that ends while it looks is no finding.
no_finding='^==[0-9]+==Unable to get registers from thread [0-9]+\.$'
mapfile -t found < <(find "$reports" -type f -exec grep -lvE "$no_finding" {} +)
if ((${#found[@]} > 0)); then
  cat "${found[@]}"
  echo "sanitize: ${#found[@]} processes were reported, see above" >&2
  status=1
fi
exit "$status"
