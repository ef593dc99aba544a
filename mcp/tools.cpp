#include "mcp/tools.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"
#include "mcp/answers.hpp"
#include "mcp/schema.hpp"
#include "verbs/table.hpp"

namespace hermes::mcp {

namespace {

constexpr std::string_view k_prefix = "kanban_";

std::string tool_name(const verbs::Verb& verb) {
  std::string name = std::string(k_prefix) + std::string(verb.name);
  std::ranges::replace(name, '-', '_');
  return name;
}

const verbs::Verb* find_tool(std::string_view name) {
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (verb.properties.tool_of != verbs::ToolOf::nobody && tool_name(verb) == name) {
      return &verb;
    }
  }
  return nullptr;
}

Json tool_json(const verbs::Verb& verb, const Session& session) {
  return {{"name", tool_name(verb)},
          {"description", verb.tool_help},
          {"inputSchema", input_schema(verb, session)},
          {"outputSchema", answer_schema(verb)},
          {"annotations",
           {{"title", verb.help},
            {"readOnlyHint", verb.properties.reads_only},
            {"destructiveHint", verb.properties.destructive},
            {"idempotentHint", verb.properties.idempotent || verb.properties.reads_only},
            {"openWorldHint", false}}}};
}

std::string not_offered(const verbs::Verb& verb, const Session& session) {
  if (session.role() == Role::worker) {
    return fmt::format("{} is for orchestrators, and this session works on task {}",
                       tool_name(verb), printable(session.own_task()));
  }
  return fmt::format(
      "{} is not offered to a plain session: workers have tools, and whoever starts "
      "`hermes mcp --orchestrator`",
      tool_name(verb));
}

Json text_content(std::string text) {
  return Json::array({{{"type", "text"}, {"text", std::move(text)}}});
}

Json refusal(const Error& error) {
  return {{"content", text_content(error_text(error))}, {"isError", true}};
}

Result<Json> answer_of(const verbs::Verb& verb, const Session& session, const Json& arguments) {
  TRY_ASSIGN(Session::Given given, given_values(verb, session, arguments));
  return answer_call(verb, session, std::move(given));
}

}  // namespace

std::string error_text(const Error& error) {
  return error.hint.empty() ? error.message : error.message + "\n" + error.hint;
}

Json tool_list(const Session& session) {
  Json tools = Json::array();
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (session.offers(verb)) {
      tools.push_back(tool_json(verb, session));
    }
  }
  return tools;
}

Outcome call_tool(const Session& session, const Json& params) {
  const auto name = params.find("name");
  if (name == params.end() || !name->is_string()) {
    return refused(k_invalid_params, "`name` must be the name of a tool");
  }
  const Json arguments = params.value("arguments", Json::object());
  if (!arguments.is_object()) {
    return refused(k_invalid_params, "`arguments` must be an object");
  }
  const verbs::Verb* verb = find_tool(name->get<std::string>());
  if (verb == nullptr) {
    return refused(k_invalid_params, fmt::format("there is no tool '{}'",
                                                 printable(clip(name->get<std::string>(), 100))));
  }
  if (!session.offers(*verb)) {
    return refused(k_invalid_params, not_offered(*verb, session));
  }
  auto answer = answer_of(*verb, session, arguments);
  if (!answer) {
    return refusal(answer.error());
  }
  std::string text = answer->dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json{{"content", text_content(std::move(text))},
              {"structuredContent", *std::move(answer)},
              {"isError", false}};
}

}  // namespace hermes::mcp
