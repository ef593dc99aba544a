#include "verbs/values.hpp"

#include <catch2/catch.hpp>

#include "verbs/table.hpp"

namespace hermes::verbs {

namespace {

struct Row {
  std::string verb;
  std::vector<std::pair<std::string, std::string>> given;
  std::string refusal;  // part of the message; "" when all is well
};

}  // namespace

TEST_CASE("values are judged by the schema alone, whatever surface they come from", "[verbs]") {
  const std::vector<Row> rows{
      {"create", {{"title", "a"}}, ""},
      {"create", {}, "TITLE is missing"},
      {"create", {{"title", "a"}, {"title", "b"}}, "given before"},
      {"create", {{"title", "a"}, {"colour", "red"}}, "no argument 'colour'"},
      {"create", {{"title", "a"}, {"priority", "-7"}}, ""},
      {"create", {{"title", "a"}, {"priority", "7.5"}}, "whole number"},
      {"create", {{"title", "a"}, {"priority", ""}}, "whole number"},
      {"create", {{"title", "a"}, {"priority", "99999999999999999999"}}, "whole number"},
      {"create", {{"title", "a"}, {"max-runtime", "1.5h"}}, ""},
      {"create", {{"title", "a"}, {"max-runtime", "999ms"}}, "at least 1 s"},
      {"create", {{"title", "a"}, {"parent", "x"}, {"parent", "y"}}, ""},
      {"list", {{"status", "Ready"}}, "must be one of triage, todo"},
      {"list", {{"limit", "1"}}, ""},
      {"complete", {{"task_ids", "x"}, {"metadata", " "}}, ""},
      {"complete", {{"task_ids", "x"}, {"metadata", "{\"a\": [1]}"}}, ""},
      {"complete", {{"task_ids", "x"}, {"metadata", "null"}}, "JSON object"},
      {"complete", {{"task_ids", "x"}, {"metadata", "{"}}, "not JSON"},
  };
  for (const Row& row : rows) {
    Values values;
    std::string line = row.verb;
    for (const auto& [name, value] : row.given) {
      values.add(name, value);
      line += " " + name + "=" + value;
    }
    INFO(line);
    const auto checked = check(*find_verb("kanban", row.verb), values);
    CHECK(checked.has_value() == row.refusal.empty());
    if (!checked) {
      CHECK(checked.error().code == ErrorCode::usage);
      CHECK(checked.error().message.find(row.refusal) != std::string::npos);
      CHECK(!checked.error().hint.empty());
    }
  }
}

TEST_CASE("a refusal shows the beginning of a long value, never the whole", "[verbs]") {
  const std::string long_text(100'000, 'x');
  const std::vector<std::pair<std::string, std::vector<std::string>>> rows{
      {"metadata", {"{\"a\": \"" + long_text}},
      {"metadata", {long_text}},
      {"summary", {long_text, "twice"}},
      {long_text, {"no such argument"}},
  };
  for (const auto& [name, given] : rows) {
    CAPTURE(name.substr(0, 20));
    Values values;
    values.add("task_ids", "t_00000001");
    for (const std::string& value : given) {
      values.add(name, value);
    }
    const auto checked = check(*find_verb("kanban", "complete"), values);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().message.size() < 1000);
  }
}

TEST_CASE("typed readers give what was asked for, or nothing", "[verbs]") {
  Values values;
  values.add("n", "42");
  values.add("d", "250ms");
  values.add("words", "a");
  values.add("words", "b");
  values.add("json", " ");
  CHECK(values.integer("n") == 42);
  CHECK(values.duration("d") == Millis{250});
  CHECK(values.joined("words") == "a b");
  CHECK(!values.json_object("json"));
  CHECK(!values.integer("absent"));
  CHECK(values.list("absent").empty());
  CHECK(values.text_or("absent", "x") == "x");
}

}  // namespace hermes::verbs
