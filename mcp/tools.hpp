#pragma once

#include "mcp/json_rpc.hpp"
#include "mcp/session.hpp"

// tools/list and tools/call. Which tools there are, and for whom, stands in the table of verbs.
namespace hermes::mcp {

// The tools that the session is offered, in the order of the table.
Json tool_list(const Session& session);

// Error: invalid params for a tool that is not offered. What the board or the arguments refuse is a
// result with `isError`, which a model reads and mends.
Outcome call_tool(const Session& session, const Json& params);

// A verb's error for a model: the message and how to go on.
std::string error_text(const Error& error);

}  // namespace hermes::mcp
