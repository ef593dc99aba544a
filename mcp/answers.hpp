#pragma once

#include "mcp/session.hpp"

// What the tools answer: what their verbs answer, as one object, bounded.
namespace hermes::mcp {

// JSON Schema of the answer of a tool. Further keys may come.
Json answer_schema(const verbs::Verb& verb);

// Calls the verb. Error: what the verb refuses, also of the one item of a bulk verb.
Result<Json> answer_call(const verbs::Verb& verb, const Session& session, Session::Given given);

// A task as a list shows it.
Json task_row(const Json& task);

}  // namespace hermes::mcp
