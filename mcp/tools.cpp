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
constexpr std::size_t k_error_text = 4 * 1024;  // bytes of a message, and of its hint

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

std::string no_such_tool(const Session& session, const std::string& name) {
  std::vector<std::string> offered;
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (session.offers(verb)) {
      offered.push_back(tool_name(verb));
    }
  }
  return fmt::format("there is no tool '{}'{}", printable(clip(name, 100)),
                     did_you_mean(name, offered));
}

Json text_content(std::string text) {
  return Json::array({{{"type", "text"}, {"text", std::move(text)}}});
}

Json refusal(const Error& error) {
  return {{"content", text_content(error_text(error))}, {"isError", true}};
}

// What a worker leaves behind is all that people and the tasks that wait are told.
Result<void> check_last_word(const verbs::Values& values) {
  if (values.joined("summary").empty() && values.joined("result").empty()) {
    return fail(ErrorCode::usage, "summary and result are missing",
                "give one of them: what was done, in one to three sentences");
  }
  return {};
}

Result<Json> answer_of(const verbs::Verb& verb, const Session& session, const Json& arguments) {
  TRY_ASSIGN(Session::Given given, given_values(verb, session, arguments));
  if (verb.name == "complete" && session.role() == Role::worker) {
    TRY(check_last_word(given.values));
  }
  return answer_call(verb, session, std::move(given));
}

}  // namespace

std::string error_text(const Error& error) {
  const std::string_view message = clip(error.message, k_error_text);
  return error.hint.empty() ? std::string(message)
                            : fmt::format("{}\n{}", message, clip(error.hint, k_error_text));
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
  const Json none = Json::object();
  const auto given = params.find("arguments");
  const Json& arguments = given == params.end() || given->is_null() ? none : *given;
  if (!arguments.is_object()) {
    return refused(k_invalid_params, "`arguments` must be an object");
  }
  const verbs::Verb* verb = find_tool(name->get<std::string>());
  if (verb == nullptr) {
    return refused(k_invalid_params, no_such_tool(session, name->get<std::string>()));
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
