#include "verbs/values.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"
#include "kernel/base/time.hpp"
#include "kernel/home/paths.hpp"
#include "verbs/json.hpp"
#include "verbs/table.hpp"

namespace hermes::verbs {

namespace {

// An argument under the name that its surface gives it.
struct Shown {
  const Argument& argument;
  std::string name;
};

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size() ? std::optional(number)
                                                                    : std::nullopt;
}

std::unexpected<Error> refuse(const Shown& shown, std::string_view value, std::string_view rule) {
  return fail(ErrorCode::usage,
              fmt::format("{} '{}': {}", shown.name, printable(clip(value, 200)), rule),
              std::string(shown.argument.help));
}

std::string range_rule(const Argument& argument) {
  if (argument.least && argument.most) {
    return fmt::format("must be a whole number from {} to {}", *argument.least, *argument.most);
  }
  return argument.least ? fmt::format("must be a whole number of at least {}", *argument.least)
                        : "must be a whole number";
}

Result<void> check_duration(const Shown& shown, const std::string& value) {
  const Argument& argument = shown.argument;
  auto length = parse_duration(value);
  if (!length) {
    length.error().message = fmt::format("{}: {}", shown.name, length.error().message);
    return std::unexpected(std::move(length).error());
  }
  if (argument.least && length->count() < *argument.least) {
    return refuse(shown, value,
                  fmt::format("must be at least {}", format_duration(Millis{*argument.least})));
  }
  return {};
}

Result<void> check_json_object(const Shown& shown, const std::string& value) {
  if (trim(value).empty()) {
    return {};
  }
  if (nests_too_deep(value)) {
    return refuse(shown, value,
                  fmt::format("nests deeper than {} arrays and objects", k_deepest_json));
  }
  try {
    if (Json::parse(value).is_object()) {
      return {};
    }
    return refuse(shown, value, "must be a JSON object");
  } catch (const Json::exception& problem) {
    // It repeats the text that it stopped at, however long that is.
    return refuse(shown, value,
                  fmt::format("is not JSON ({})", printable(clip(problem.what(), 200))));
  }
}

// What a parser of the kernel says of the value, with the argument's name in front.
template <class T>
Result<void> check_parsed(const Shown& shown, Result<T> parsed) {
  if (!parsed) {
    parsed.error().message = fmt::format("{}: {}", shown.name, parsed.error().message);
    return std::unexpected(std::move(parsed).error());
  }
  return {};
}

Result<void> check_value(const Shown& shown, const std::string& value) {
  const Argument& argument = shown.argument;
  switch (argument.type) {
    case Type::integer: {
      const auto number = parse_integer(value);
      const bool in_range = number && *number >= argument.least.value_or(*number) &&
                            *number <= argument.most.value_or(*number);
      return in_range ? Result<void>{} : refuse(shown, value, range_rule(argument));
    }
    case Type::duration:
      return check_duration(shown, value);
    case Type::time:
      return check_parsed(shown, parse_time(value));
    case Type::word: {
      const bool known =
          std::find(argument.words.begin(), argument.words.end(), value) != argument.words.end();
      const std::vector<std::string> words(argument.words.begin(), argument.words.end());
      return known ? Result<void>{} : refuse(shown, value, "must be one of " + join(words, ", "));
    }
    case Type::json_object:
      return check_json_object(shown, value);
    case Type::board:
      return check_parsed(shown, home::parse_slug(value));
    case Type::profile:
      return check_parsed(shown, home::parse_profile_name(value));
    case Type::text:
    case Type::assignee:
    case Type::path:
    case Type::task_id:
    case Type::boolean:
      break;
  }
  return {};
}

Result<void> check_argument(const Shown& shown, const Values& values) {
  const Argument& argument = shown.argument;
  const std::vector<std::string> given = values.list(argument.name);
  if (given.empty() && argument.required) {
    return fail(ErrorCode::usage, fmt::format("{} is missing", shown.name),
                std::string(argument.help));
  }
  if (given.size() > 1 && !argument.repeatable && argument.type != Type::boolean) {
    return refuse(
        shown, given[1],
        fmt::format("was given before ('{}'), and counts once", printable(clip(given[0], 200))));
  }
  for (const std::string& value : given) {
    TRY(check_value(shown, value));
  }
  return {};
}

}  // namespace

std::string name_on_command_line(const Argument& argument) {
  return argument.positional ? std::string(argument.value) : fmt::format("--{}", argument.name);
}

void Values::add(std::string_view name, std::string value) {
  values_[std::string(name)].push_back(std::move(value));
}

std::optional<std::string> Values::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second.back());
}

std::string Values::text_or(std::string_view name, std::string_view fallback) const {
  return text(name).value_or(std::string(fallback));
}

std::vector<std::string> Values::list(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

std::string Values::joined(std::string_view name) const {
  return std::string(trim(join(list(name), " ")));
}

std::optional<std::int64_t> Values::integer(std::string_view name) const {
  const auto given = text(name);
  return given ? parse_integer(*given) : std::nullopt;
}

std::optional<Millis> Values::duration(std::string_view name) const {
  const auto given = text(name);
  if (!given) {
    return std::nullopt;
  }
  const auto length = parse_duration(*given);
  return length ? std::optional(*length) : std::nullopt;
}

std::optional<Instant> Values::time(std::string_view name) const {
  const auto given = text(name);
  if (!given) {
    return std::nullopt;
  }
  const auto at = parse_time(*given);
  return at ? std::optional(*at) : std::nullopt;
}

std::optional<std::string> Values::json_object(std::string_view name) const {
  const auto given = text(name);
  return given && !trim(*given).empty() ? given : std::nullopt;
}

Result<void> check(const Verb& verb, const Values& values, ArgumentName name) {
  for (const auto& [given, ignored] : values.all()) {
    if (find_argument(verb, given) == nullptr) {
      return fail(ErrorCode::usage,
                  fmt::format("{} takes no argument '{}'", verb.name, printable(clip(given, 200))),
                  fmt::format("see `hermes{}{} {} --help`", verb.group.empty() ? "" : " ",
                              verb.group, verb.name));
    }
  }
  for (const Argument& argument : verb.arguments) {
    TRY(check_argument({argument, name(argument)}, values));
  }
  return {};
}

}  // namespace hermes::verbs
