#pragma once

#include <string>

#include "mcp/session.hpp"

// The arguments of a tool, from the table of verbs.
namespace hermes::mcp {

// What a tool calls an argument, for messages.
std::string parameter_name(const verbs::Argument& argument);

// JSON Schema (2020-12) of a tool's arguments, as the session has to give them.
Json input_schema(const verbs::Verb& verb, const Session& session);

// A tool's arguments as the values of its verb. Types are judged here; whatever is said about a
// value is said by verbs::check. Error: usage, naming the argument, what was given and what is
// expected.
Result<Session::Given> given_values(const verbs::Verb& verb, const Session& session,
                                    const Json& arguments);

}  // namespace hermes::mcp
