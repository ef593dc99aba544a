#include "mcp/schema.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "kernel/base/text.hpp"
#include "kernel/home/attachments.hpp"
#include "mcp/base64.hpp"

namespace hermes::mcp {

namespace {

using verbs::Argument;
using verbs::Type;

constexpr std::string_view k_board = "board";
constexpr double k_whole_doubles = 9007199254740992.0;  // 2^53: below, doubles hold every integer

bool is_list(const Argument& argument) {
  // Words that people type one by one are one text to a model; ids it gives one at a time.
  return argument.repeatable && !argument.positional;
}

bool own_task_is_meant(const Argument& argument, const Session& session) {
  return argument.tool.own_task && session.role() == Role::worker;
}

bool is_required(const Argument& argument, const Session& session) {
  return (argument.required || argument.tool.required) && !own_task_is_meant(argument, session);
}

Json one_value_schema(const Argument& argument) {
  switch (argument.type) {
    case Type::integer: {
      Json schema = {{"type", "integer"}};
      if (argument.least) {
        schema["minimum"] = *argument.least;
      }
      if (const auto most = argument.tool.most ? argument.tool.most : argument.most) {
        schema["maximum"] = *most;
      }
      return schema;
    }
    case Type::boolean:
      return {{"type", "boolean"}};
    case Type::json_object:
      return {{"type", "object"}};
    case Type::duration:
    case Type::time:
      return {{"type", Json::array({"string", "integer"})}};
    case Type::word: {
      Json words = Json::array();
      for (const std::string_view word : argument.words) {
        words.push_back(word);
      }
      return {{"type", "string"}, {"enum", std::move(words)}};
    }
    default:
      return {{"type", "string"}};
  }
}

std::string description_of(const Argument& argument, const Session& session) {
  std::string text(argument.tool.help.empty() ? argument.help : argument.tool.help);
  return own_task_is_meant(argument, session) ? text + " (default: your task)" : text;
}

Json parameter_schema(const Argument& argument, const Session& session) {
  Json schema = one_value_schema(argument);
  if (is_list(argument)) {
    schema = {{"type", "array"}, {"items", std::move(schema)}};
  }
  if (argument.tool.content) {
    schema["contentEncoding"] = "base64";
  }
  schema["description"] = description_of(argument, session);
  return schema;
}

std::unexpected<Error> wrong_type(const Argument& argument, const Json& value,
                                  std::string_view expected) {
  return fail(ErrorCode::usage,
              fmt::format("{} must be {}, and {} was given", parameter_name(argument), expected,
                          clip(value.dump(-1, ' ', false, Json::error_handler_t::replace), 200)),
              std::string(argument.tool.help.empty() ? argument.help : argument.tool.help));
}

Result<std::string> whole_number(const Argument& argument, const Json& value) {
  if (value.is_number_integer()) {
    return value.dump();
  }
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::nearbyint(number) == number && std::fabs(number) < k_whole_doubles) {
      return fmt::format("{:.0f}", number);
    }
  }
  return wrong_type(argument, value, "a whole number");
}

Result<std::string> as_text(const Argument& argument, const Json& value) {
  if (argument.type == Type::integer) {
    return whole_number(argument, value);
  }
  if (argument.type == Type::json_object) {
    return value.is_object()
               ? Result<std::string>(value.dump(-1, ' ', false, Json::error_handler_t::replace))
               : wrong_type(argument, value, "an object");
  }
  const bool time = argument.type == Type::duration || argument.type == Type::time;
  if (time && value.is_number()) {
    return whole_number(argument, value);
  }
  return value.is_string() ? Result<std::string>(value.get<std::string>())
                           : wrong_type(argument, value, "a string");
}

Result<void> add_value(const Argument& argument, const Json& value, Session::Given& out) {
  if (argument.type == Type::boolean) {
    if (!value.is_boolean()) {
      return wrong_type(argument, value, "true or false");
    }
    if (value.get<bool>()) {
      out.values.add(argument.name, "");
    }
    return {};
  }
  if (is_list(argument)) {
    if (!value.is_array()) {
      return wrong_type(argument, value, "a list");
    }
    for (const Json& item : value) {
      TRY_ASSIGN(std::string text, as_text(argument, item));
      out.values.add(argument.name, std::move(text));
    }
    return {};
  }
  TRY_ASSIGN(std::string text, as_text(argument, value));
  if (argument.tool.content) {
    TRY_ASSIGN(out.input, decode_base64(argument.tool.name, text, home::k_attachment_bytes));
    text = "-";  // the verb reads it as its standard input
  }
  out.values.add(argument.name, std::move(text));
  return {};
}

// A narrower range than that of the command line.
Result<void> check_tool_range(const Argument& argument, const Json& value) {
  if (!argument.tool.most || !value.is_number()) {
    return {};
  }
  const auto least = argument.least.value_or(0);
  const auto number = value.get<double>();
  if (number >= static_cast<double>(least) && number <= static_cast<double>(*argument.tool.most)) {
    return {};
  }
  return wrong_type(argument, value,
                    fmt::format("a whole number from {} to {}", least, *argument.tool.most));
}

Result<void> refuse_unknown(const verbs::Verb& verb, const Json& arguments) {
  std::vector<std::string> names{std::string(k_board)};
  for (const Argument& argument : verb.arguments) {
    if (!argument.tool.name.empty()) {
      names.emplace_back(argument.tool.name);
    }
  }
  for (const auto& [name, ignored] : arguments.items()) {
    if (std::ranges::find(names, name) == names.end()) {
      return fail(ErrorCode::usage,
                  fmt::format("there is no argument '{}'{}", printable(clip(name, 100)),
                              did_you_mean(name, names)),
                  "the arguments are " + join(names, ", "));
    }
  }
  return {};
}

// A text that has to be there says something. An attachment may be empty.
bool is_blank(const Argument& argument, const Json& value) {
  return value.is_string() && !argument.tool.content &&
         trim(value.get_ref<const std::string&>()).empty();
}

// A worker's task is on its own board.
bool is_elsewhere(const Session& session, const std::optional<std::string>& board) {
  return board && *board != session.own_board();
}

}  // namespace

std::string parameter_name(const Argument& argument) {
  return std::string(argument.tool.name.empty() ? argument.name : argument.tool.name);
}

Json input_schema(const verbs::Verb& verb, const Session& session) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Argument& argument : verb.arguments) {
    if (argument.tool.name.empty()) {
      continue;
    }
    properties[std::string(argument.tool.name)] = parameter_schema(argument, session);
    if (is_required(argument, session)) {
      required.push_back(argument.tool.name);
    }
  }
  properties[std::string(k_board)] = {
      {"type", "string"},
      {"description", "the board that is meant; one that exists (default: the board at hand)"}};
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) {
    schema["required"] = std::move(required);
  }
  schema["additionalProperties"] = false;
  return schema;
}

Result<Session::Given> given_values(const verbs::Verb& verb, const Session& session,
                                    const Json& arguments) {
  Session::Given out;
  TRY(refuse_unknown(verb, arguments));
  const auto found = arguments.find(k_board);
  const Json board = found == arguments.end() ? Json() : *found;
  if (!board.is_null() && !board.is_string()) {
    return fail(ErrorCode::usage, "board must be a string", "leave it out for the board at hand");
  }
  if (board.is_string()) {
    out.board = board.get<std::string>();
  }
  for (const Argument& argument : verb.arguments) {
    if (argument.tool.name.empty()) {
      continue;
    }
    const auto given = arguments.find(argument.tool.name);
    const bool is_missing = given == arguments.end() || given->is_null() ||
                            (is_required(argument, session) && is_blank(argument, *given));
    if (!is_missing) {
      TRY(check_tool_range(argument, *given));
      TRY(add_value(argument, *given, out));
    } else if (own_task_is_meant(argument, session) && !is_elsewhere(session, out.board)) {
      out.values.add(argument.name, session.own_task());
    } else if (argument.required || argument.tool.required) {
      return fail(ErrorCode::usage, fmt::format("{} is missing", parameter_name(argument)),
                  description_of(argument, session));
    } else if (!argument.tool.fallback.empty()) {
      out.values.add(argument.name, std::string(argument.tool.fallback));
    }
  }
  return out;
}

}  // namespace hermes::mcp
