#!/usr/bin/env bash
# A worker that keeps to docs/workers.md. In place of `do_the_work` stands what yours does.
#
#   hermes profile create scribe -- bash /usr/share/doc/hermes-kanban/examples/workers/worker.sh
set -euo pipefail

task=$HERMES_KANBAN_TASK
board() { hermes kanban "$@" >/dev/null; }

# A stop comes as SIGTERM, to us and to all that we have started; SIGKILL follows after stop_grace. Nothing is to be said to the
# board then: it has stopped us.
trap 'echo "stopped"; exit 143' TERM

# A sign of life every 10 minutes, for work that takes hours. It ends with us, whatever way we end.
(
  trap - TERM
  while sleep 600; do
    hermes kanban heartbeat "$task" >/dev/null || exit 0
  done
) &
signs=$!
trap 'kill "$signs" 2>/dev/null || true' EXIT

# Everything that is known about the task: its body, earlier attempts, results of parents, comments.
context=$(hermes kanban context "$task")

do_the_work() {
  wc -w <<<"$1" >words.txt
}

case $context in
  *"DECIDED:"*) do_the_work "$context" && board complete "$task" --summary "Done as it was decided" ;;
  *"DECIDE:"*)
    # What only a person can know is asked, not guessed. The next attempt finds the
    # answer ("DECIDED: ...") among the comments.
    board block "$task" --kind needs_input "The task says DECIDE, and nobody has decided"
    ;;
  *)
    do_the_work "$context"
    # The file outlives the workspace; a summary for people, metadata for programs.
    board complete "$task" --summary "Counted the words of the context" --artifact words.txt \
      --metadata "{\"words\": $(<words.txt)}"
    ;;
esac
