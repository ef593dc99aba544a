#!/bin/sh
# worker.sh GROUND HERMES KIND: a worker of the churn. What it does follows from the number of its
# run, so that another attempt does something else. It writes down what it does where no board is:
# one line, one write. Descriptor 9 is the lock of the task, which lives as long as any process of
# the run: who finds it taken says so.
ground=$1
hermes=$2
kind=$3
run=$HERMES_KANBAN_RUN_ID
task=$HERMES_KANBAN_TASK

say() {
  echo "$1 $HERMES_KANBAN_BOARD $task $run $2" >>"$ground/witness"
}

call() {
  say try "$1"
  "$hermes" kanban "$@" >/dev/null 2>>"$ground/worker-errors"
  status=$?
  say "called" "$1 $status"
}

finish() {
  say end "exited $1"
  exit "$1"
}

crash() {
  say end "signaled $1"
  kill -s "$1" $$
}

say start $$
exec 9>>"$ground/locks/$HERMES_KANBAN_BOARD.$task"
flock -n 9
[ $? -eq 1 ] && say two $$ # any other status: flock itself was killed
if [ "$kind" = slow ]; then
  sleep 600
  finish 9
fi

# Where many must be alive at once.
[ -e "$ground/long" ] && sleep "$((run % 3)).$((run % 10))"

case $((run * 7919 % 19)) in
  0) finish 0 ;;
  1) finish 3 ;;
  2) finish 75 ;;
  3)
    call complete "$task" --summary made
    finish 0
    ;;
  4)
    call complete "$task"
    # Lingers until it is stopped. Whose call was killed may have said nothing, and nobody stops it.
    [ "$status" = 0 ] && sleep 600
    finish 9
    ;;
  5)
    setsid sleep 600 &
    (trap '' TERM HUP && exec sleep 600) &
    finish 0
    ;;
  6)
    call block "$task" because --kind needs_input
    finish 0
    ;;
  7)
    call heartbeat "$task" --note alive
    sleep 0.2
    call heartbeat "$task" --note 'still alive'
    finish 0
    ;;
  8) crash 9 ;;
  9) crash 11 ;;
  10)
    head -c 300000 /dev/zero | tr '\0' 'x' | fold -w 100
    finish 0
    ;;
  11)
    call schedule "$task" later --in 1s
    finish 0
    ;;
  12)
    call request-review "$task" 'have a look'
    finish 0
    ;;
  13)
    call create 'by a worker' --assignee sh --idempotency-key "of-a-worker-$((run % 5))"
    call comment "$task" 'one more'
    finish 0
    ;;
  14)
    trap '' TERM
    sleep 0.5
    finish 0
    ;;
  15)
    sleep 0.3
    call complete "$task" --result late
    finish 7
    ;;
  16)
    sleep 0.4
    finish 1
    ;;
  17)
    call request-changes "$task" 'not yet'
    finish 0
    ;;
  *)
    sleep "0.$((run % 5))"
    finish 0
    ;;
esac
