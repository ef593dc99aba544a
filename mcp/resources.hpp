#pragma once

#include "mcp/json_rpc.hpp"
#include "mcp/session.hpp"

// What can be read: hermes://board/BOARD, hermes://board/BOARD/task/ID and
// hermes://board/BOARD/task/ID/context. A worker reads its own board, a plain session nothing.
namespace hermes::mcp {

Json resource_template_list(const Session& session);

// The boards and the most urgent open tasks of the board at hand; of a worker its board and its
// task.
Outcome list_resources(const Session& session);

// `not_found` is the code for what is not there, which differs between revisions.
Outcome read_resource(const Session& session, const Json& params, int not_found);

}  // namespace hermes::mcp
