#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "verbs/json.hpp"

// JSON-RPC 2.0 as MCP narrows it: no batches, ids are strings or whole numbers, params are objects.
namespace hermes::mcp {

using verbs::Json;

inline constexpr int k_parse_error = -32700;
inline constexpr int k_invalid_request = -32600;
inline constexpr int k_method_not_found = -32601;
inline constexpr int k_invalid_params = -32602;
inline constexpr int k_internal_error = -32603;
inline constexpr int k_resource_not_found = -32002;   // up to revision 2025-11-25
inline constexpr int k_unsupported_version = -32022;  // from revision 2026-07-28 on

struct RpcError {
  int code = k_internal_error;
  std::string message;
  Json data = nullptr;  // null: none
};
// What a request comes to: the `result` or the `error` of its response.
using Outcome = std::expected<Json, RpcError>;
std::unexpected<RpcError> refused(int code, std::string message, Json data = nullptr);

struct Request {
  Json id;
  std::string method;
  Json params;  // an object
};
struct Notification {
  std::string method;
  Json params;  // an object
};
struct Response {};  // to a request of ours: there are none
struct Malformed {
  Json id;  // null when it could not be read
  RpcError error;
};
using Message = std::variant<Request, Notification, Response, Malformed>;

Message parse_message(std::string_view line);

// One line with its newline. MCP has no null as an id: an error about what cannot be told is
// without one.
std::string response_line(const Json& id, const Outcome& outcome);

}  // namespace hermes::mcp
