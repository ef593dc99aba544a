#include "mcp/json_rpc.hpp"

#include <fmt/core.h>

#include <utility>

#include "kernel/base/text.hpp"
#include "kernel/board/json.hpp"

namespace hermes::mcp {

namespace {

Malformed malformed(Json id, int code, std::string message) {
  return {std::move(id), {code, std::move(message), nullptr}};
}

constexpr std::size_t k_id_bytes = 1024;
constexpr std::size_t k_most_values = 500'000;

bool is_id(const Json& id) {
  return id.is_number_integer() ||
         (id.is_string() && id.get_ref<const std::string&>().size() <= k_id_bytes);
}

// Each value but the first of its list has a comma in front: what little text may become in memory.
bool has_too_many_values(std::string_view json) {
  std::size_t commas = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (in_text && json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      in_text = !in_text;
    } else if (!in_text && (json[i] == ',' || json[i] == '[' || json[i] == '{')) {
      ++commas;
    }
  }
  return commas > k_most_values;
}

std::string parse_problem(std::string_view line) {
  if (!is_utf8(line)) {
    return "the message is not UTF-8";
  }
  return nests_too_deep(line)
             ? fmt::format("the message nests deeper than {} arrays and objects", k_deepest_json)
             : "the message is not JSON";
}

}  // namespace

std::unexpected<RpcError> refused(int code, std::string message, Json data) {
  return std::unexpected(RpcError{code, std::move(message), std::move(data)});
}

Message parse_message(std::string_view line) {
  if (has_too_many_values(line)) {
    return malformed(nullptr, k_invalid_request,
                     fmt::format("the message has more than {} values", k_most_values));
  }
  Json message = is_utf8(line) ? board::parse_json<Json>(line) : Json(Json::value_t::discarded);
  if (message.is_discarded()) {
    return malformed(nullptr, k_parse_error, parse_problem(line));
  }
  if (message.is_array()) {
    return malformed(
        nullptr, k_invalid_request,
        "batches are not part of MCP since revision 2025-06-18: send one message per line");
  }
  if (!message.is_object()) {
    return malformed(nullptr, k_invalid_request, "a message is a JSON object");
  }
  const bool has_id = message.contains("id");
  Json id = has_id && is_id(message["id"]) ? message["id"] : Json(nullptr);
  if (message.value("jsonrpc", Json()) != "2.0") {
    return malformed(std::move(id), k_invalid_request, "`jsonrpc` must be \"2.0\"");
  }
  if (!message.contains("method")) {
    if (message.contains("result") || message.contains("error")) {
      return Response{};
    }
    return malformed(std::move(id), k_invalid_request, "`method` is missing");
  }
  if (!message["method"].is_string()) {
    return malformed(std::move(id), k_invalid_request, "`method` must be a string");
  }
  if (has_id && id.is_null()) {
    return malformed(
        nullptr, k_invalid_request,
        fmt::format("`id` must be a whole number, or a string of at most {} bytes", k_id_bytes));
  }
  const auto given = message.find("params");
  Json params = given == message.end() || given->is_null() ? Json::object() : std::move(*given);
  auto method = message["method"].get<std::string>();
  if (!has_id) {
    return Notification{std::move(method), params.is_object() ? std::move(params) : Json::object()};
  }
  if (!params.is_object()) {
    return malformed(std::move(id), k_invalid_params, "`params` must be an object");
  }
  return Request{std::move(id), std::move(method), std::move(params)};
}

std::string response_line(const Json& id, const Outcome& outcome) {
  Json line = {{"jsonrpc", "2.0"}};
  if (!id.is_null()) {
    line["id"] = id;
  }
  if (outcome) {
    line["result"] = *outcome;
  } else {
    line["error"] = {{"code", outcome.error().code}, {"message", outcome.error().message}};
    if (!outcome.error().data.is_null()) {
      line["error"]["data"] = outcome.error().data;
    }
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hermes::mcp
