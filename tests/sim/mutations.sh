#!/usr/bin/env bash
# Every mistake in mutations.txt can still be made: its text stands exactly once in its file, and there are enough of them.
set -euo pipefail
cd "$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")"
least=25
status=0 number=0 name='' file=''
while IFS= read -r line; do
  case $line in
    '@ '*) read -r _ name file <<<"$line" ;;
    '- '*)
      number=$((number + 1))
      count=$(grep -cF -- "${line#- }" "$file" || true)
      if [[ $count != 1 ]]; then
        echo "$name: its text stands $count times in $file"
        status=1
      fi
      ;;
  esac
done <tests/sim/mutations.txt
if ((number < least)); then
  echo "$number mistakes, at least $least are wanted"
  status=1
fi
exit "$status"
