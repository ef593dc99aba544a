# Puts the results of the tasks before into one report. They are read from the board, as a worker of
# any kind would read them.
# shellcheck shell=bash disable=SC2154
hermes kanban context "$HERMES_KANBAN_TASK" >context.txt

# section N: what the task whose title says N/5 handed over.
section() {
  awk -v number=" $1/5: " '
    /^## /  { on = ($0 == "## Results of parents"); inside = 0; next }
    on && /^### / { inside = index($0, number); if (inside) { sub(/.* [0-9]\/5: /, ""); sub(/ \(done [^)]*\)$/, ""); print "\n" $0 }; next }
    on && inside && NF && !/^Metadata: / { print "  " $0 }' context.txt
}
if (($(grep -c '^Metadata: ' context.txt) < 4)); then
  echo "the context does not hold the results of all four tasks before" >&2
  exit 1
fi

files=$(from_parents files <context.txt)
lines=$(from_parents lines <context.txt)
commits=$(from_parents commits <context.txt)
title="Inventory of $name at ${commit:0:12}"
hermes kanban complete "$HERMES_KANBAN_TASK" \
  --summary "$title: $files files, $lines lines, $commits commits" \
  --result "$title"$'\n'"$(for number in 1 2 3 4; do section "$number"; done)"
