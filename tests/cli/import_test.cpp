#include <catch2/catch.hpp>

#include <signal.h>
#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"
#include "support/wait.hpp"

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
  CHECK(done["imported"] == Json({{"tasks", 2},
                                  {"links", 1},
                                  {"comments", 0},
                                  {"events", 0},
                                  {"runs", 0},
                                  {"attachments", 0}}));
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

TEST_CASE("import brings the attachments whose files are still below the board", "[cli]") {
  const Hermes hermes;
  const std::string source = hermes.dir() / "kanban.db";
  std::ofstream(hermes.dir() / "kept.txt") << "words";
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(source.c_str(), &handle) == SQLITE_OK);
  const std::string dir = hermes.dir();
  const std::string sql =
      "CREATE TABLE tasks (id TEXT, title TEXT, status TEXT, created_at INTEGER);"
      "CREATE TABLE task_attachments (task_id TEXT, filename TEXT, stored_path TEXT);"
      "INSERT INTO tasks VALUES ('t_00000001', 'a', 'ready', 1600000000);"
      "INSERT INTO task_attachments VALUES ('t_00000001', 'kept.txt', '" +
      dir + "/kept.txt'), ('t_00000001', 'lost.txt', '" + dir +
      "/lost.txt'), ('t_00000001', 'theirs', '" + dir +
      "/../passwd'), ('t_00000001', 'p', "
      "'/etc/passwd');";
  REQUIRE(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);

  const Json dry = Json::parse(hermes.kanban({"import", source, "--dry-run", "--json"}).out);
  CHECK(dry["imported"]["attachments"] == 1);
  const Json done = Json::parse(hermes.kanban({"import", source, "--json"}).out);
  CHECK(done["imported"]["attachments"] == 1);
  CHECK(done["skipped"] == dry["skipped"]);
  REQUIRE(done["skipped"].size() == 3);
  CHECK(done["skipped"][0]["reason"] == "the file of an attachment is not there");
  CHECK(done["skipped"][2]["reason"] ==
        "the file of an attachment is not below the directory of the board");
  const Ran listed = hermes.kanban({"attachments", "t_00000001"});
  CHECK(listed.out.find("kept.txt") != std::string::npos);
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

namespace {

// A board of the predecessor with one task and these files beside it.
std::string write_board(const Hermes& hermes, const std::vector<std::string>& files) {
  const std::string source = hermes.dir() / "kanban.db";
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(source.c_str(), &handle) == SQLITE_OK);
  std::string sql =
      "CREATE TABLE tasks (id TEXT, title TEXT, status TEXT, created_at INTEGER);"
      "CREATE TABLE task_attachments (task_id TEXT, filename TEXT, stored_path TEXT);"
      "INSERT INTO tasks VALUES ('t_00000001', 'a', 'ready', 1600000000);";
  for (const std::string& file : files) {
    sql += "INSERT INTO task_attachments VALUES ('t_00000001', 'a.txt', '" +
           (hermes.dir() / file).string() + "');";
  }
  REQUIRE(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
  return source;
}

std::vector<std::string> attachments_of(const Hermes& hermes) {
  std::vector<std::string> names;
  for (const Json& one : json_of(hermes.kanban({"attachments", "t_00000001", "--json"}))) {
    CHECK(one["missing"] == false);
    names.push_back(one["filename"]);
  }
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("importing again brings the files that were missing, and no other twice", "[cli]") {
  const Hermes hermes;
  const std::string source = write_board(hermes, {"one", "two", "three"});
  std::ofstream(hermes.dir() / "one") << "words";
  std::ofstream(hermes.dir() / "two") << "other";
  const Json first = json_of(hermes.kanban({"import", source, "--json"}));
  CHECK(first["imported"]["attachments"] == 2);
  CHECK(first["skipped"] == Json::array({{{"id", "t_00000001"},
                                          {"reason", "the file of an attachment is not there"}}}));
  std::ofstream(hermes.dir() / "three") << "longer words";
  CHECK(json_of(hermes.kanban(
            {"import", source, "--dry-run", "--json"}))["imported"]["attachments"] == 1);
  const Ran second = hermes.kanban({"import", source});
  CHECK(second.out.find("1 attachment into board default") != std::string::npos);
  CHECK(attachments_of(hermes) == Names{"a (1).txt", "a (2).txt", "a.txt"});
  const Ran third = hermes.kanban({"import", source});
  CHECK(third.out.find("Nothing to import") == 0);
  CHECK(attachments_of(hermes).size() == 3);
}

TEST_CASE("an import that was killed before its files are attached is finished by another",
          "[cli]") {
  for (int turns = 4; turns < 64; turns += 6) {
    const Hermes hermes;
    const std::string source = write_board(hermes, {"one", "two"});
    for (const char* name : {"one", "two"}) {
      std::ofstream(hermes.dir() / name) << std::string(3 << 20, *name);
    }
    Running running = hermes.start({"kanban", "import", source});
    wait_until([] { return false; }, std::chrono::milliseconds{turns});
    running.signal(SIGKILL);
    running.wait();
    INFO(turns);
    REQUIRE(hermes.kanban({"import", source}).status == 0);
    CHECK(attachments_of(hermes).size() == 2);
    CHECK(hermes.kanban({"doctor"}).status == 0);
  }
}

TEST_CASE("an import whose attachments were never committed is finished by another", "[cli]") {
  const Hermes hermes;
  const std::string source = write_board(hermes, {"one"});
  std::ofstream(hermes.dir() / "one") << "words";
  REQUIRE(hermes.kanban({"import", source}).status == 0);
  sqlite3* handle = nullptr;  // as if it had been killed between its two transactions
  REQUIRE(sqlite3_open((hermes.board() / "board.db").c_str(), &handle) == SQLITE_OK);
  REQUIRE(sqlite3_exec(handle, "DELETE FROM attachments", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
  const Json again = json_of(hermes.kanban({"import", source, "--json"}));
  CHECK(again["existing"] == 1);
  CHECK(again["imported"]["attachments"] == 1);
  CHECK(attachments_of(hermes) == Names{"a (1).txt"});  // the first copy is left to gc
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
