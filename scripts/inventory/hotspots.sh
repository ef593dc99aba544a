# The largest files, and those that change most often. How far to look back, and what a file is measured
# against, comes from the tasks before this one.
# shellcheck shell=bash disable=SC2154
hermes kanban context "$HERMES_KANBAN_TASK" >context.txt
commits=$(from_parents commits <context.txt)
lines=$(from_parents lines <context.txt)
window=$((commits < 2000 ? commits : 2000))

inventory_git ls-tree -r -l --full-tree "$commit" | clean_text >files
largest=$(awk -F'\t' '{ split($1, f, " "); printf "%9d bytes  %s\n", f[4], $2 }' files | sort -k1,1nr | awk 'NR <= 5')
inventory_git log --no-merges --name-only --format= -n "$window" "$commit" | clean_text | awk NF | sort | uniq -c |
  sort -k1,1nr -k2 >changes
# What was removed since is of no interest.
hotspots=$(awk -F'\t' '
  NR == FNR { there[$2]; next }
  { n = $0; sub(/^ */, "", n); sub(/ .*/, "", n); path = $0; sub(/^ *[0-9]+ /, "", path) }
  path in there && ++shown <= 8 { printf "%9d changes  %s\n", n, path }' files changes)
top=$(awk 'NR == 1 { sub(/^ *[0-9]+ changes  /, ""); print }' <<<"$hotspots")

hermes kanban complete "$HERMES_KANBAN_TASK" \
  --summary "changed most often in $(counted "$window" commit commits): ${top:-nothing} (of $(counted "$lines" line lines) in all)" \
  --result $'largest files:\n'"${largest:-(none)}"$'\nchanged most often:\n'"${hotspots:-(none)}" \
  --metadata "{\"window\":$window}"
