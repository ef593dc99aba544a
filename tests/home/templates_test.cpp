#include "kernel/home/templates.hpp"

#include <catch2/catch.hpp>

#include "kernel/home/profile.hpp"
#include "kernel/home/settings_edit.hpp"

using namespace hermes;
using namespace hermes::home;
using Catch::Matchers::Contains;

TEST_CASE("every template is a profile that could be used as it is") {
  for (const std::string_view name : template_names()) {
    INFO(name);
    const auto text = profile_template(name);
    REQUIRE(text);
    const auto profile = parse_profile(*text, std::string(name), std::string(name));
    if (!profile) {
      FAIL(profile.error().message);
    }
    CHECK_FALSE(profile->description.empty());
    CHECK(text->find('@') == text->find("@<("));  // but for bash's, no mark is left
    for (const std::string& argument : profile->command) {
      CHECK(unknown_placeholders(argument).empty());
      CHECK(argument.size() < 8192);
    }
  }
  CHECK_FALSE(profile_template("clade-code"));
  CHECK_THAT(profile_template("clade-code").error().message, Contains("did you mean claude-code?"));
}

TEST_CASE("agents that speak MCP are told how to work and handed what their server needs") {
  for (const std::string_view name : {"claude-code", "codex", "gemini"}) {
    INFO(name);
    const auto text = profile_template(name);
    REQUIRE(text);
    CHECK_THAT(*text, Contains("exactly one task of a kanban board: {task_id}"));
    for (const std::string_view variable : handed_on_variables()) {
      CHECK_THAT(*text, Contains(std::string(variable)));
    }
  }
}

namespace {

std::string set(std::string_view text, const std::string& key,
                const std::optional<std::string>& value) {
  const auto changed = with_setting(text, key, value, "f");
  return changed ? *changed : "refused: " + changed.error().message;
}

}  // namespace

TEST_CASE("one value of a file is changed, and everything else stays byte for byte") {
  const std::string file =
      "# über alles\n"
      "a = \"ä\" # why\n"
      "\n"
      "b = [\n  1, # one\n  2,\n]\n"
      "t = { x = 1 }\n"
      "\n"
      "# about s\n"
      "[s]\n"
      "k = 1\n";
  CHECK(set(file, "a", "\"b\"").starts_with("# über alles\na = \"b\" # why\n\nb = ["));
  CHECK(set(file, "b", "[]") ==
        "# über alles\na = \"ä\" # why\n\nb = []\nt = { x = 1 }\n\n# about s\n[s]\nk = 1\n");
  CHECK_THAT(set(file, "c", "3"), Contains("t = { x = 1 }\nc = 3\n\n# about s\n[s]"));
  CHECK_THAT(set(file, "t.x", "2"), Contains("t = { x = 2 }"));
  CHECK_THAT(set(file, "t.y", "2"), Contains("t = { x = 1, y = 2 }"));
  CHECK_THAT(set(file, "s.k", "2"), Contains("[s]\nk = 2\n"));
  CHECK_THAT(set(file, "s.l", "2"), Contains("[s]\nk = 1\nl = 2\n"));
  CHECK_THAT(set(file, "u.l", "2"), Contains("k = 1\n\n[u]\nl = 2\n"));
  CHECK(set(file, "b", std::nullopt) ==
        "# über alles\na = \"ä\" # why\n\nt = { x = 1 }\n\n# about s\n[s]\nk = 1\n");
  CHECK(set(file, "none", std::nullopt) == file);
  CHECK(set("", "a", "1") == "a = 1\n");
  CHECK(set("x = 1", "a", "1") == "x = 1\na = 1\n");
  CHECK(set("# only words", "a", "1") == "a = 1\n# only words");
}

TEST_CASE("what cannot be changed without guessing is refused") {
  CHECK_THAT(set("s.k = 1\n", "s.l", "2"), Contains("edit the file") || Contains("refused"));
  CHECK_THAT(set("a = 1\n", "a b", "2"), Contains("is no key"));
  CHECK_THAT(set("a = 1\n", "a", "2 # and\nb = 3"), Contains("refused"));
  CHECK_THAT(set("a =\n", "a", "2"), Contains("refused: f:1"));
}

TEST_CASE("a value that somebody types is TOML where it can be, and else a text") {
  CHECK(toml_value("3") == "3");
  CHECK(toml_value("[\"a\", \"b\"]") == "[\"a\", \"b\"]");
  CHECK(toml_value("2h") == "\"2h\"");
  CHECK(toml_value("say \"hi\"") == R"("say \"hi\"")");
  CHECK(toml_value("1\nevil = 2") != "1\nevil = 2");
}
