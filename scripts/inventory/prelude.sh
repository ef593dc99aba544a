# What the steps of the inventory share. The body of each task (scripts/quickstart.sh) sets name, repository and
# commit, then reads this and its step. The steps run as workers: in a scratch directory, with the task in
# HERMES_KANBAN_TASK.
# shellcheck shell=bash disable=SC2154
export LC_ALL=C

# The repository may belong to somebody else; it is only read.
inventory_git() { git -c safe.directory='*' -c core.quotePath=true -C "$repository" "$@"; }

# The board takes UTF-8 text; old histories hold other bytes.
clean_text() { iconv -c -f UTF-8 -t UTF-8 | tr -d '\000-\010\013-\037\177'; }

human_bytes() {
  awk -v b="$1" 'BEGIN {
    n = split("B KiB MiB GiB TiB", unit, " ")
    for (i = 1; b >= 1024 && i < n; i++) b /= 1024
    printf i == 1 ? "%d %s" : "%.1f %s", b, unit[i] }'
}

# counted 3 file files: "3 files"
counted() { if (($1 == 1)); then echo "1 $2"; else echo "$1 $3"; fi; }

# The number under this key in the metadata of a parent, from the text of `hermes kanban context`.
from_parents() {
  sed -n "s/^Metadata: .*\"$1\": *\([0-9][0-9]*\).*/\1/p" | awk 'NR == 1 { n = $1 } END { print n + 0 }'
}
