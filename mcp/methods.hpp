#pragma once

#include <functional>
#include <string>
#include <variant>

#include "mcp/json_rpc.hpp"
#include "mcp/session.hpp"

// The methods of MCP, in both of its forms:
//
//   2026-07-28   no handshake: each request names its revision and capabilities in `_meta`
//   2025-11-25,  `initialize` agrees on one for the life of the process, and requests before it are
//   2025-06-18   refused, except `ping`
//
// Which form a request has shows its `_meta`, so one process may serve both.
namespace hermes::mcp {

// The part of a request that reads or changes a board, and so may wait.
using Work = std::function<Outcome()>;
using Reply = std::variant<Outcome, Work>;

class Methods {
 public:
  explicit Methods(const Session& session) : session_(session) {}

  // Answers at once, or says what is to be done. The work may run on another thread, one at a time.
  // Takes the request's params.
  Reply receive(Request& request);

 private:
  enum class Era { handshake, stateless };

  Reply dispatch(Request& request, Era era);
  Outcome initialize(const Json& params);

  const Session& session_;
  bool initialized_ = false;
};

}  // namespace hermes::mcp
