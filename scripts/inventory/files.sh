# Which files the commit holds: how many, how large, in which directories.
# shellcheck shell=bash disable=SC2154
inventory_git ls-tree -r -l --full-tree "$commit" >files

# A line: "<mode> <type> <hash> <size or ->", a tab, the path.
read -r files bytes < <(awk -F'\t' '{ split($1, f, " "); n++; b += f[4] } END { printf "%.0f %.0f\n", n, b }' files)
directories=$(awk -F'\t' '
  { n = split($2, part, "/"); count[n > 1 ? part[1] "/" : "(top level)"]++ }
  END { for (d in count) printf "%6d  %s\n", count[d], d }' files | sort -k1,1nr -k2 | awk 'NR <= 8')

hermes kanban complete "$HERMES_KANBAN_TASK" \
  --summary "$(counted "$files" file files), $(human_bytes "$bytes")" \
  --result $'files per directory:\n'"${directories:-(none)}" \
  --metadata "{\"files\":$files,\"bytes\":$bytes}"
