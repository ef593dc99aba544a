#pragma once

#include <map>
#include <string>

#include "verbs/call.hpp"

// The MCP server: JSON-RPC on standard input and output, one message per line. docs/mcp.md is its
// page.
namespace hermes::mcp {

struct Options {
  bool orchestrator = false;
  std::map<std::string, std::string, std::less<>> variables;  // the environment of the program
};

// Takes standard input and output for itself: whatever else is written to standard output ends up
// on standard error. Serves until input ends or SIGTERM or SIGINT comes; the exit status.
//
// One thread reads, writes and answers what needs no board; a second one makes the calls on the
// board, one after the other in the order they came. So `ping` and cancellations are heard while a
// call waits at the write gate.
Result<int> serve(const Options& options, verbs::Host& host);

}  // namespace hermes::mcp
