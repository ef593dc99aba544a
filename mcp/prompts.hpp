#pragma once

#include "mcp/json_rpc.hpp"
#include "mcp/session.hpp"

// Texts that a person picks to begin a conversation with: work-task and triage-card.
namespace hermes::mcp {

Json prompt_list(const Session& session);
Outcome get_prompt(const Session& session, const Json& params);

// What a model is told of the whole server: how to work with the board, in the session's role.
std::string instructions(const Session& session);

}  // namespace hermes::mcp
