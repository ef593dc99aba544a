#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "verbs/handlers.hpp"
#include "verbs/table.hpp"

namespace hermes::verbs {

namespace {

std::string_view type_word(Type type) {
  constexpr std::string_view k_types[] = {"text",  "task_id", "integer",  "duration",
                                          "time",  "word",    "boolean",  "json_object",
                                          "board", "profile", "assignee", "path"};
  static_assert(std::size(k_types) == static_cast<std::size_t>(Type::path) + 1);
  return k_types[static_cast<std::size_t>(type)];
}

Json argument_json(const Argument& argument) {
  Json out{{"name", argument.name},         {"type", type_word(argument.type)},
           {"help", argument.help},         {"positional", argument.positional},
           {"required", argument.required}, {"repeatable", argument.repeatable}};
  if (!argument.words.empty()) {
    out["words"] = Json::array();
    for (const std::string_view word : argument.words) {
      out["words"].push_back(word);
    }
  }
  return out;
}

Json verb_json(const Verb& verb) {
  Json arguments = Json::array();
  for (const Argument& argument : verb.arguments) {
    arguments.push_back(argument_json(argument));
  }
  return {{"group", verb.group},
          {"verb", verb.name},
          {"help", verb.help},
          {"more", more_of(verb)},
          {"arguments", std::move(arguments)}};
}

Json group_json(const Group& group) {
  Json verbs = Json::array();
  for (const Verb& verb : all_verbs()) {
    if (verb.group == group.name && !verb.properties.hidden) {
      verbs.push_back({{"verb", verb.name}, {"help", verb.help}});
    }
  }
  return {{"group", group.name},
          {"verb", nullptr},
          {"help", group.help},
          {"more", group.more},
          {"verbs", std::move(verbs)}};
}

}  // namespace

Result<Answer> help(Call& call) {
  const Group* group = find_group("");
  const Verb* verb = nullptr;
  for (const std::string& word : call.values.list("words")) {
    const std::string joined = group->name.empty() ? word : std::string(group->name) + " " + word;
    const Group* inner = verb == nullptr ? find_group(joined) : nullptr;
    verb = inner == nullptr && verb == nullptr ? find_verb(group->name, word) : nullptr;
    if (inner == nullptr && verb == nullptr) {
      return fail(ErrorCode::usage,
                  fmt::format("there is no help on '{}'", printable(clip(joined, 100))),
                  "`hermes help` lists the verbs");
    }
    group = inner == nullptr ? group : inner;
  }
  Answer answer;
  answer.value = verb == nullptr ? group_json(*group) : verb_json(*verb);
  return answer;
}

}  // namespace hermes::verbs
