#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

std::string write_lines(const Hermes& hermes) {
  const std::string path = hermes.dir() / "issues.jsonl";
  std::ofstream(path) << R"({"id":"bd-1","title":"First","status":"closed"}
{"id":"bd-2","title":"Second","dependencies":["bd-1","bd-9"]}
{"id":"bd-3","title":" "}
)";
  return path;
}

}  // namespace

TEST_CASE("import says what came over, once for people and once for programs", "[cli]") {
  const Hermes hermes;
  const std::string path = write_lines(hermes);
  const auto before = hermes.last_event();

  const Ran dry = hermes.kanban({"import", path, "--dry-run"});
  CHECK(dry.status == 0);
  CHECK(dry.out.find("Would import 2 tasks, 1 link, 0 comments") == 0);
  CHECK(dry.out.find("1 × the title is blank: bd-3") != std::string::npos);
  CHECK(dry.out.find("bd-9 -> bd-2") != std::string::npos);
  CHECK(dry.out.find("Nothing was written.") != std::string::npos);
  CHECK(hermes.last_event() == before);

  const Json done = Json::parse(hermes.kanban({"import", path, "--json"}).out);
  CHECK(done["imported"] ==
        Json({{"tasks", 2}, {"links", 1}, {"comments", 0}, {"events", 0}, {"runs", 0}}));
  CHECK(done["skipped"][0] == Json({{"id", "bd-3"}, {"reason", "the title is blank"}}));
  REQUIRE(done["renamed"].size() == 2);
  const Json shown = Json::parse(
      hermes.kanban({"show", done["renamed"][1]["to"].get<std::string>(), "--json"}).out);
  CHECK(shown["task"]["status"] == "ready");

  const Ran again = hermes.kanban({"import", path});
  CHECK(again.status == 0);
  CHECK(again.out.find("Nothing to import: 2 of its tasks were imported before\n") == 0);
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("import refuses what it cannot read, and our own boards", "[cli]") {
  const Hermes hermes;
  const auto refused = [&](const std::string& path, const std::string& reason) {
    const Ran ran = hermes.kanban({"import", path});
    INFO(ran.err);
    CHECK(ran.status == 1);
    CHECK(ran.out.empty());
    CHECK(ran.err.find(reason) != std::string::npos);
  };
  refused(hermes.board() / "board.db", "is the board default of this home");
  refused(hermes.dir() / "absent", "there is no file");
  refused(hermes.dir(), "is not a regular file");
  std::ofstream(hermes.dir() / "empty").flush();
  refused(hermes.dir() / "empty", "is empty");
  std::ofstream(hermes.dir() / "text") << "hello";
  refused(hermes.dir() / "text", "neither an SQLite database nor JSON Lines");
  std::ofstream(hermes.dir() / "object") << "{\"a\":1}";
  refused(hermes.dir() / "object", "no line of it is a task");
  std::ofstream(hermes.dir() / "torn") << std::string("SQLite format 3\0torn", 20);
  refused(hermes.dir() / "torn", "is damaged");
  CHECK(hermes.kanban({"import", write_lines(hermes), "--board", "nope"}).status == 1);
  CHECK(hermes.last_event() == 0);
}

}  // namespace hermes::test
