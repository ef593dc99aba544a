#include "verbs/table.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

#include "verbs/call.hpp"

namespace hermes::verbs {

TEST_CASE("every verb has a name of its own, help and a handler", "[verbs]") {
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const Verb& verb : all_verbs()) {
    INFO(verb.group << " " << verb.name);
    CHECK(!verb.name.empty());
    CHECK(!verb.help.empty());
    CHECK(!verb.help.ends_with('.'));
    CHECK(verb.handler != nullptr);
    CHECK(names.emplace(verb.group, verb.name).second);
    CHECK((verb.alias.empty() || names.emplace(verb.group, verb.alias).second));
    CHECK(find_verb(verb.group, verb.name) == &verb);
    CHECK((!verb.properties.streams || verb.properties.reads_only));
  }
  CHECK(find_verb("kanban", "ls") == find_verb("kanban", "list"));
  CHECK(find_verb("kanban", "") == nullptr);
  CHECK(find_verb("", "list") == nullptr);
}

TEST_CASE("the arguments of a verb are sound", "[verbs]") {
  const std::set<std::string_view> taken{"board", "json", "help", "version"};
  for (const Verb& verb : all_verbs()) {
    std::set<std::string> flags;
    bool rest = false;
    for (const Argument& argument : verb.arguments) {
      INFO(verb.name << " " << argument.name);
      CHECK(!argument.help.empty());
      CHECK(!taken.contains(argument.name));
      CHECK(flags.emplace(argument.name).second);
      CHECK((argument.alias.empty() || flags.emplace(argument.alias).second));
      CHECK((argument.letter == 0 ||
             (argument.letter != 'h' && flags.emplace(1, argument.letter).second)));
      CHECK((argument.type == Type::boolean) == argument.value.empty());
      CHECK((argument.type == Type::word) == !argument.words.empty());
      CHECK((!argument.greedy || argument.repeatable));
      if (argument.positional) {
        CHECK(!rest);  // nothing can follow what takes the rest
        rest = argument.repeatable;
      }
    }
  }
}

TEST_CASE("verbs for agents neither stream nor start programs", "[verbs]") {
  for (const Verb& verb : all_verbs()) {
    CHECK_FALSE((verb.properties.runs_dispatcher && !verb.properties.for_people));
    CHECK_FALSE((verb.properties.controls_dispatcher && !verb.properties.for_people));
    if (verb.properties.tool_of != ToolOf::nobody) {
      INFO(verb.name);
      CHECK_FALSE(verb.properties.for_people);
      CHECK(!verb.properties.streams);
      CHECK(!verb.properties.runs_dispatcher);
      CHECK(!verb.properties.serves);
      CHECK(verb.group == "kanban");
      CHECK(!verb.tool_help.empty());
    }
  }
}

TEST_CASE("what a tool needs can be given to it, under names of its own", "[verbs]") {
  for (const Verb& verb : all_verbs()) {
    std::set<std::string_view> names{"board"};
    for (const Argument& argument : verb.arguments) {
      INFO(verb.name << " " << argument.name);
      if (verb.properties.tool_of == ToolOf::nobody) {
        continue;
      }
      CHECK((!argument.required || !argument.tool.name.empty()));
      CHECK((argument.tool.name.empty() || names.insert(argument.tool.name).second));
      // Who speaks is never told by whoever calls.
      CHECK((argument.tool.name.empty() ||
             (argument.name != "author" && argument.name != "created-by")));
    }
  }
}

}  // namespace hermes::verbs
