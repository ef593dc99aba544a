#include "cli/parse.hpp"

#include <catch2/catch.hpp>

namespace hermes::cli {

TEST_CASE("values reach the verb as they were typed", "[cli]") {
  const auto comment = parse(
      {"kanban", "comment", "t_1", "[a,b]", "--author", "-x", "", "--", "--json", "-y", "--"});
  REQUIRE(comment);
  CHECK(comment->values.list("task_id") == std::vector<std::string>{"t_1"});
  CHECK(comment->values.list("text") ==
        std::vector<std::string>{"[a,b]", "", "--json", "-y", "--"});
  CHECK(comment->values.text("author") == "-x");
  CHECK(!comment->json);

  const auto create =
      parse({"kanban", "create", "--priority", "-5", "--body=", "--assignee=a=b", "[x]"});
  REQUIRE(create);
  CHECK(create->values.text("priority") == "-5");
  CHECK(create->values.text("body") == "");
  CHECK(create->values.text("assignee") == "a=b");
  CHECK(create->values.text("title") == "[x]");
}

TEST_CASE("the flags of every verb may stand anywhere", "[cli]") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--board", "b", "--json", "kanban", "list"},
        {"kanban", "--board=b", "--json", "list"},
        {"kanban", "list", "--json", "--board", "b"},
        {"--json", "kanban", "ls", "--board=b"}}) {
    const auto request = parse(words);
    REQUIRE(request);
    CHECK(request->board == "b");
    CHECK(request->json);
    CHECK(request->verb->name == "list");
  }
}

TEST_CASE("a flag that takes several values leaves the words after -- alone", "[cli]") {
  const auto request =
      parse({"kanban", "promote", "t_1", "--ids", "t_2", "t_3", "--", "why", "not"});
  REQUIRE(request);
  CHECK(request->values.list("ids") == std::vector<std::string>{"t_2", "t_3"});
  CHECK(request->values.joined("reason") == "why not");
}

TEST_CASE("a repeatable flag takes one value each time", "[cli]") {
  const auto request = parse({"kanban", "create", "--parent", "t_1", "title", "--parent", "t_2"});
  REQUIRE(request);
  CHECK(request->values.list("parent") == std::vector<std::string>{"t_1", "t_2"});
  CHECK(request->values.text("title") == "title");
}

}  // namespace hermes::cli
