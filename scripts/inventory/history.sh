# Who made the repository, and when.
# shellcheck shell=bash disable=SC2154
commits=$(inventory_git rev-list --count "$commit")
first=$(inventory_git log --format=%ad --date=short --reverse "$commit" | awk 'NR == 1')
last=$(inventory_git log -1 --format=%ad --date=short "$commit")
inventory_git shortlog -s -n "$commit" | clean_text >people
authors=$(awk 'END { print NR }' people)
note=''
if [[ $(inventory_git rev-parse --is-shallow-repository) == true ]]; then
  note=' (a shallow clone: there was more before)'
fi

hermes kanban complete "$HERMES_KANBAN_TASK" \
  --summary "$(counted "$commits" commit commits) by $(counted "$authors" person people) from $first to $last$note" \
  --result $'commits per person:\n'"$(awk 'NR <= 5' people | tr '\t' ' ')" \
  --metadata "{\"commits\":$commits,\"authors\":$authors}"
