"""A planner without a model: what it answers follows from the text of the task alone.

    [planner]
    command = ["python3", "/usr/share/doc/hermes-kanban/examples/planner-rules.py"]

A list in the body becomes the tasks, one for each item, in this form:

    - Fetch the sources @shell
      git pull --ff-only
    - Build them @shell (after 1)
    - Read the change log (after 1, 2)

"@NAME" is the assignee, "after" the numbers of the items that it waits for, and the indented lines
below an item are its body. With fewer than two items nothing is split: the title is put in order.
"""

import json
import re
import sys

ITEM = re.compile(r"^(?:[-*]|\d+[.)])\s+(?P<text>.*\S)\s*$")
AFTER = re.compile(r"\s*\(after (?P<numbers>\d+(?:\s*,\s*\d+)*)\)$")
ASSIGNEE = re.compile(r"\s*@(?P<name>[A-Za-z0-9_.-]+)$")


def taken(pattern, text):
    """What the pattern finds at the end of the text, and the text without it."""
    found = pattern.search(text)
    return (found.group(1), text[: found.start()]) if found else (None, text)


def items(body):
    """The list as children; their bodies are the indented lines below them."""
    children = []
    for line in body.splitlines():
        item = ITEM.match(line)
        if item:
            numbers, text = taken(AFTER, item["text"])
            assignee, text = taken(ASSIGNEE, text)
            parents = [int(number) - 1 for number in numbers.split(",")] if numbers else []
            children.append({"title": text, "assignee": assignee, "parents": parents, "body": []})
        elif children and line.startswith((" ", "\t")):
            children[-1]["body"].append(line.strip())
    for child in children:
        child["body"] = "\n".join(child["body"]) or None
    return children


def better_title(title):
    """One line of single blanks, a capital at its beginning and no full stop at its end."""
    words = " ".join(title.split()).rstrip(".")
    return words[:1].upper() + words[1:]


def main():
    request = json.load(sys.stdin)
    task = request["task"]
    children = items(task["body"] or "")
    if request["kind"] == "specify":
        answer = {"title": better_title(task["title"])}
    elif len(children) < 2:
        answer = {"fanout": False, "title": better_title(task["title"])}
    else:
        answer = {"fanout": True, "children": children}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
