#!/usr/bin/env python3
"""A worker that speaks nothing but MCP: agent.py HERMES ROLE. Its program is what a model would decide."""
import json
import subprocess
import sys

hermes, role = sys.argv[1:]
server = subprocess.Popen([hermes, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
last_id = 0


def ask(method, **params):
    global last_id
    last_id += 1
    server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": last_id, "method": method, "params": params}) + "\n")
    server.stdin.flush()
    response = json.loads(server.stdout.readline())
    assert response["id"] == last_id, response
    return response["result"]


def tool(name, **arguments):
    result = ask("tools/call", name="kanban_" + name, arguments=arguments)
    assert not result["isError"], result
    return result["structuredContent"]


ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "agent", "version": "1"})
shown = tool("show")
context = shown["worker_context"]
title = shown["task"]["title"]

if role == "planner":
    parts = [tool("create", title=part, assignee="researcher")["task_id"] for part in ("facts", "figures")]
    text = tool("create", title="text", assignee="writer", parents=parts)["task_id"]
    tool("create", title="review", assignee="reviewer", parents=[text])
    tool("complete", summary="planned", metadata={"parts": parts, "text": text})
elif role == "researcher":
    tool("heartbeat", note="reading")
    if title == "figures" and "use euros" not in context:
        landed = tool("block", reason="which currency?", kind="needs_input")
        assert landed["status"] == "blocked", landed
    else:
        tool("complete", summary="the " + title + " are found")
elif role == "writer":
    if title == "text":
        assert "the facts are found" in context and "the figures are found" in context, context
        tool("attach", filename="text.txt", content_base64="ZHJhZnQ=")
        tool("complete", summary="draft with figures")
    else:
        tool("complete", summary="draft without mistakes")
elif role == "reviewer":
    if "draft without mistakes" in context:
        tool("complete", summary="approved")
    else:
        changes = tool("create", title="changes", assignee="writer", body="mend the second paragraph")["task_id"]
        tool("link", parent_id=changes, child_id=shown["task"]["id"])
        landed = tool("block", reason="changes are needed", kind="dependency")
        assert landed["status"] == "todo", landed

server.stdin.close()
sys.exit(server.wait())
