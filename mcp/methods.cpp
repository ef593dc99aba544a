#include "mcp/methods.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "kernel/base/text.hpp"
#include "mcp/prompts.hpp"
#include "mcp/resources.hpp"
#include "mcp/tools.hpp"
#include "verbs/call.hpp"

namespace hermes::mcp {

namespace {

constexpr std::string_view k_stateless = "2026-07-28";
constexpr std::array<std::string_view, 2> k_with_handshake = {"2025-11-25", "2025-06-18"};

constexpr const char* k_version_key = "io.modelcontextprotocol/protocolVersion";
constexpr const char* k_capabilities_key = "io.modelcontextprotocol/clientCapabilities";
constexpr const char* k_server_key = "io.modelcontextprotocol/serverInfo";

Json supported_versions() {
  Json versions = Json::array({k_stateless});
  for (const std::string_view version : k_with_handshake) {
    versions.push_back(version);
  }
  return versions;
}

Json server_info() {
  return {{"name", "hermes"}, {"title", "Hermes kanban"}, {"version", verbs::program_version()}};
}

// Nothing is announced later: what is offered does not change while the server lives.
Json capabilities() {
  return {{"tools", Json::object()}, {"resources", Json::object()}, {"prompts", Json::object()}};
}

bool carries_version(const Json& params) {
  const auto meta = params.find("_meta");
  if (meta == params.end() || !meta->is_object() || !meta->contains(k_version_key)) {
    return false;
  }
  // A client may name the revision of its handshake as well.
  const Json& version = meta->at(k_version_key);
  return std::ranges::none_of(k_with_handshake,
                              [&](std::string_view known) { return version == known; });
}

Outcome check_meta(const Json& meta) {
  const Json& version = meta[k_version_key];
  if (version != k_stateless) {
    return refused(
        k_unsupported_version, "unsupported protocol version",
        {{"supported", supported_versions()},
         {"requested", version.is_string() ? Json(clip(version.get_ref<const std::string&>(), 100))
                                           : Json(nullptr)}});
  }
  const auto declared = meta.find(k_capabilities_key);
  if (declared == meta.end() || !declared->is_object()) {
    return refused(k_invalid_params, fmt::format("`_meta` must hold {}", k_capabilities_key));
  }
  return Json::object();
}

// What revision 2026-07-28 adds to every result. `for_ms`: how long it may be kept, nothing for
// what is never kept.
Outcome stateless(Outcome outcome, std::optional<std::int64_t> for_ms) {
  if (outcome) {
    (*outcome)["resultType"] = "complete";
    (*outcome)["_meta"] = {{k_server_key, server_info()}};
    if (for_ms) {
      (*outcome)["ttlMs"] = *for_ms;
      (*outcome)["cacheScope"] = "private";
    }
  }
  return outcome;
}

const std::vector<std::string> k_methods = {
    "initialize",     "ping",           "server/discover",          "tools/list",   "tools/call",
    "resources/list", "resources/read", "resources/templates/list", "prompts/list", "prompts/get"};

constexpr std::int64_t k_lasting_ms = 3'600'000;  // what does not change while the process lives

// Lists are short and come whole, so there is no page after the first.
Outcome paged(const Json& params, const char* name, Json list) {
  if (params.contains("cursor")) {
    return refused(k_invalid_params, "`cursor` is unknown: lists here have one page");
  }
  return Json{{name, std::move(list)}};
}

}  // namespace

Reply Methods::receive(Request& request) {
  if (carries_version(request.params)) {
    if (Outcome checked = check_meta(request.params["_meta"]); !checked) {
      return checked;
    }
    return dispatch(request, Era::stateless);
  }
  if (request.method == "ping") {
    return Outcome(Json::object());
  }
  if (request.method == "initialize") {
    return initialize(request.params);
  }
  if (request.method == "server/discover") {
    return Outcome(refused(k_invalid_params, fmt::format("`_meta` must hold {} and {}",
                                                         k_version_key, k_capabilities_key)));
  }
  if (!initialized_) {
    return Outcome(
        refused(k_invalid_request,
                fmt::format("`initialize` comes first, or {} in the `_meta` of each request",
                            k_version_key),
                {{"supported", supported_versions()}}));
  }
  return dispatch(request, Era::handshake);
}

Outcome Methods::initialize(const Json& params) {
  const Json asked = params.value("protocolVersion", Json());
  if (!asked.is_string()) {
    return refused(k_invalid_params, "`protocolVersion` must be a string");
  }
  if (initialized_) {
    return refused(k_invalid_request, "the session is initialized already");
  }
  initialized_ = true;
  const bool known =
      std::ranges::find(k_with_handshake, asked.get<std::string>()) != k_with_handshake.end();
  return Json{{"protocolVersion", known ? asked : Json(k_with_handshake.front())},
              {"capabilities", capabilities()},
              {"serverInfo", server_info()},
              {"instructions", instructions(session_)}};
}

Reply Methods::dispatch(Request& request, Era era) {
  const bool is_stateless = era == Era::stateless;
  const auto now = [&](Outcome outcome) -> Reply {
    return is_stateless ? stateless(std::move(outcome), k_lasting_ms) : std::move(outcome);
  };
  const auto later = [&](auto work, std::optional<std::int64_t> for_ms) -> Reply {
    return Work([work = std::move(work), is_stateless, for_ms, &session = session_,
                 params = std::move(request.params)] {
      return is_stateless ? stateless(work(session, params), for_ms) : work(session, params);
    });
  };
  const Json& params = request.params;
  const std::string& method = request.method;
  if (method == "tools/list") {
    return now(paged(params, "tools", tool_list(session_)));
  }
  if (method == "tools/call") {
    return later(call_tool, std::nullopt);
  }
  if (method == "resources/templates/list") {
    return now(paged(params, "resourceTemplates", resource_template_list(session_)));
  }
  if (method == "prompts/list") {
    return now(paged(params, "prompts", prompt_list(session_)));
  }
  if (method == "prompts/get") {
    return later(get_prompt, std::nullopt);
  }
  if (method == "resources/list") {
    return later(
        [](const Session& session, const Json& given) -> Outcome {
          return given.contains("cursor") ? paged(given, "resources", Json::array())
                                          : list_resources(session);
        },
        0);
  }
  if (method == "resources/read") {
    const int not_found = is_stateless ? k_invalid_params : k_resource_not_found;
    return later(
        [not_found](const Session& session, const Json& given) {
          return read_resource(session, given, not_found);
        },
        0);
  }
  if (is_stateless && method == "server/discover") {
    return now(Json{{"supportedVersions", supported_versions()},
                    {"capabilities", capabilities()},
                    {"instructions", instructions(session_)}});
  }
  return Outcome(refused(k_method_not_found,
                         fmt::format("there is no method '{}'{}", printable(clip(method, 100)),
                                     did_you_mean(method, k_methods))));
}

}  // namespace hermes::mcp
