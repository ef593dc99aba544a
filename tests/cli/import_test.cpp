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

TEST_CASE("import brings the attachments whose files are still among those of the board", "[cli]") {
  const Hermes hermes;
  const std::string source = hermes.dir() / "kanban.db";
  const std::filesystem::path files =
      hermes.dir() / GENERATE("attachments", "kanban/attachments") / "t_00000001";
  std::filesystem::create_directories(files);
  std::ofstream(files / "kept.txt") << "words";
  std::ofstream(hermes.dir() / "private") << "none of the board's business";
  std::filesystem::create_symlink(hermes.dir() / "private", files / "link");
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(source.c_str(), &handle) == SQLITE_OK);
  const std::string dir = hermes.dir();
  const std::string sql =
      "CREATE TABLE tasks (id TEXT, title TEXT, status TEXT, created_at INTEGER);"
      "CREATE TABLE task_attachments (task_id TEXT, filename TEXT, stored_path TEXT, content_type "
      "TEXT DEFAULT 'whatever');"
      "INSERT INTO tasks VALUES ('t_00000001', 'a', 'ready', 1600000000);"
      "INSERT INTO task_attachments (task_id, filename, stored_path) VALUES ('t_00000001', "
      "'kept.txt', '" +
      files.string() + "/kept.txt'), ('t_00000001', 'lost.txt', '" + files.string() +
      "/lost.txt'), ('t_00000001', 'theirs', '" + dir +
      "/../passwd'), ('t_00000001', 'private', '" + dir + "/private'), ('t_00000001', 'link', '" +
      files.string() + "/link'), ('t_00000001', 'p', '/etc/passwd');";
  REQUIRE(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);

  const Json dry = Json::parse(hermes.kanban({"import", source, "--dry-run", "--json"}).out);
  CHECK(dry["imported"]["attachments"] == 1);
  CHECK(dry["notes"].dump().find("guessed by its name") != std::string::npos);
  const Json done = Json::parse(hermes.kanban({"import", source, "--json"}).out);
  CHECK(done["imported"]["attachments"] == 1);
  CHECK(done["skipped"] == dry["skipped"]);
  REQUIRE(done["skipped"].size() == 5);
  CHECK(done["skipped"][0]["reason"] == "the file of an attachment is not there");
  for (std::size_t i = 1; i < 5; ++i) {
    CHECK(done["skipped"][i]["reason"] ==
          "the file of an attachment is not in the attachments directory of the board");
  }
  const Ran listed = hermes.kanban({"attachments", "t_00000001"});
  CHECK(listed.out.find("kept.txt") != std::string::npos);
  CHECK(listed.out.find("text/plain") != std::string::npos);
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("a hostile board makes import evaluate no expression and walk into no depth", "[cli]") {
  const Hermes hermes;
  const std::string source = hermes.dir() / "kanban.db";
  const std::string deep = std::string(20'000, '[') + std::string(20'000, ']');
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(source.c_str(), &handle) == SQLITE_OK);
  const std::string sql =
      "PRAGMA ignore_check_constraints = ON;"
      "CREATE TABLE tasks (id TEXT, title TEXT CHECK (abs(-9223372036854775808) > 0), status TEXT, "
      "skills TEXT, created_at INTEGER);"
      "CREATE TABLE task_events (task_id TEXT, kind TEXT, payload TEXT, created_at INTEGER);"
      "CREATE TABLE task_runs (id INTEGER, task_id TEXT, status TEXT, metadata TEXT, started_at "
      "INTEGER, ended_at INTEGER);"
      "INSERT INTO tasks VALUES ('t_00000001', 'a', 'ready', '" +
      deep +
      "', 1600000000);"
      "INSERT INTO task_events VALUES ('t_00000001', 'edited', '{\"a\":" +
      deep +
      "}', 1600000000);"
      "INSERT INTO task_runs VALUES (1, 't_00000001', 'done', '{\"a\":" +
      deep + "}', 1600000000, 1600000001);";
  REQUIRE(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
  const Ran ran = hermes.kanban({"import", source, "--json"});
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  CHECK(Json::parse(ran.out)["imported"]["tasks"] == 1);
  CHECK(hermes.kanban({"show", "t_00000001", "--json"}).status == 0);
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("metadata that nests too deep is refused", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  const auto metadata = [](std::size_t depth) {
    return "{\"a[{\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  const Ran refused = hermes.kanban({"complete", id, "--metadata", metadata(20'000)});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("200") != std::string::npos);
  CHECK(hermes.kanban({"complete", id, "--metadata", metadata(201)}).status == 2);
  CHECK(hermes.kanban({"complete", id, "--metadata", metadata(200)}).status == 0);
}

namespace {

std::filesystem::path file_of(const Hermes& hermes, const std::string& name) {
  return hermes.dir() / "attachments" / name;
}

// A board of the predecessor with one task and these files among its attachments.
std::string write_board(const Hermes& hermes, const std::vector<std::string>& files) {
  const std::string source = hermes.dir() / "kanban.db";
  std::filesystem::create_directories(hermes.dir() / "attachments");
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(source.c_str(), &handle) == SQLITE_OK);
  std::string sql =
      "CREATE TABLE tasks (id TEXT, title TEXT, status TEXT, created_at INTEGER);"
      "CREATE TABLE task_attachments (task_id TEXT, filename TEXT, stored_path TEXT);"
      "INSERT INTO tasks VALUES ('t_00000001', 'a', 'ready', 1600000000);";
  for (const std::string& file : files) {
    sql += "INSERT INTO task_attachments VALUES ('t_00000001', 'a.txt', '" +
           file_of(hermes, file).string() + "');";
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
  std::ofstream(file_of(hermes, "one")) << "words";
  std::ofstream(file_of(hermes, "two")) << "other";
  const Json first = json_of(hermes.kanban({"import", source, "--json"}));
  CHECK(first["imported"]["attachments"] == 2);
  CHECK(first["skipped"] == Json::array({{{"id", "t_00000001"},
                                          {"reason", "the file of an attachment is not there"}}}));
  std::ofstream(file_of(hermes, "three")) << "longer words";
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
      std::ofstream(file_of(hermes, name)) << std::string(3 << 20, *name);
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
  std::ofstream(file_of(hermes, "one")) << "words";
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
