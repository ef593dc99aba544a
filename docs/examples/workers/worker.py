#!/usr/bin/env python3
"""A worker that keeps to docs/workers.md. In place of `do_the_work` stands what yours does.

  hermes profile create counter -- python3 /usr/share/doc/hermes-kanban/examples/workers/worker.py
"""
import json
import os
import signal
import subprocess
import sys
import threading

TASK = os.environ["HERMES_KANBAN_TASK"]
LATER = 75  # EX_TEMPFAIL: try again later, and count no failure


class Refused(Exception):
    """The board has said no: most often the run is not ours any more."""


def board(verb, *arguments):
    """Calls `hermes kanban` without a shell; its own words go to our log."""
    done = subprocess.run(["hermes", "kanban", verb, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"{verb} ended with {done.returncode}")
    return done.stdout


def give_signs_of_life(done):
    while not done.wait(600):
        try:
            board("heartbeat", TASK)
        except Refused:
            return


def do_the_work(context):
    """Returns a summary for people and facts for programs. Raises OSError when a service does not answer."""
    return "Counted the lines of the context", {"lines": len(context.splitlines())}


def stop(_number, _frame):
    # A stop comes as SIGTERM; SIGKILL follows after stop_grace. The board has stopped us, so there is nothing to say to it.
    sys.exit(128 + signal.SIGTERM)


def main():
    signal.signal(signal.SIGTERM, stop)
    done = threading.Event()
    threading.Thread(target=give_signs_of_life, args=(done,), daemon=True).start()
    try:
        context = board("context", TASK)
        if "DECIDE:" in context and "DECIDED:" not in context:
            board("block", TASK, "--kind", "needs_input", "The task says DECIDE, and nobody has decided")
            return 0
        summary, facts = do_the_work(context)
        board("complete", TASK, "--summary", summary, "--metadata", json.dumps(facts))
        return 0
    except OSError as problem:
        print(f"later: {problem}")
        return LATER
    except Refused as problem:
        print(problem)
        return 1
    finally:
        done.set()


if __name__ == "__main__":
    sys.exit(main())
