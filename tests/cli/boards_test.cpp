#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/run_hermes.hpp"
#include "kernel/db/connection.hpp"
#include "kernel/db/database.hpp"

namespace hermes::test {

namespace {

void set_schema(const Hermes& hermes, int version) {
  db::Connection connection(hermes.board() / "board.db", db::OpenMode::existing);
  connection.execute_script(("PRAGMA user_version = " + std::to_string(version)).c_str());
}

}  // namespace

TEST_CASE("a home without a board is never made by a verb of the board", "[cli]") {
  const Hermes hermes(false);
  for (const std::string verb : {"list", "stats"}) {
    const Ran ran = hermes.kanban({verb});
    CHECK(ran.status == 1);
    CHECK(ran.err.find("hermes init") != std::string::npos);
  }
  CHECK(hermes.kanban({"create", "x"}).status == 1);
  CHECK(!std::filesystem::exists(hermes.home()));
}

TEST_CASE("init can be repeated and puts a lost gate back", "[cli]") {
  const Hermes hermes;
  hermes.create({"kept"});
  const std::int64_t before = hermes.last_event();
  std::filesystem::remove(hermes.board() / "board.lock");
  CHECK(hermes.kanban({"create", "x"}).status == 1);
  const Ran ran = hermes.run({"init"});
  CHECK(ran.status == 0);
  CHECK(ran.out.find("board.db") != std::string::npos);
  CHECK(ran.out.find("shell") != std::string::npos);
  CHECK(hermes.last_event() == before);
  CHECK(hermes.kanban({"create", "x"}).status == 0);
}

TEST_CASE("a newer board is refused by all verbs, naming both versions", "[cli]") {
  const Hermes hermes;
  set_schema(hermes, 999);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"list"}, {"create", "x"}, {"watch"}, {"stats"}}) {
    const Ran ran = hermes.kanban(words);
    CHECK(ran.status == 1);
    CHECK(ran.out.empty());
    CHECK(ran.err.find("999") != std::string::npos);
    CHECK(ran.err.find(std::to_string(db::schema_version())) != std::string::npos);
  }
}

TEST_CASE("an older board is refused by reading verbs, which say what migrates it", "[cli]") {
  if (db::schema_version() < 2) {
    return;
  }
  const Hermes hermes;
  set_schema(hermes, db::schema_version() - 1);
  const Ran ran = hermes.kanban({"list"});
  CHECK(ran.status == 1);
  CHECK(ran.err.find("init") != std::string::npos);
}

TEST_CASE("a damaged board is refused and left as it is", "[cli]") {
  const Hermes hermes;
  const auto file = hermes.board() / "board.db";
  std::filesystem::remove(file.string() + "-wal");
  std::filesystem::remove(file.string() + "-shm");
  std::ofstream(file, std::ios::trunc) << "this is no database, whatever its name says";
  const auto size = std::filesystem::file_size(file);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"list"}, {"create", "x"}}) {
    const Ran ran = hermes.kanban(words);
    CHECK(ran.status == 1);
    CHECK(ran.out.empty());
    CHECK(ran.err.find("kanban: ") == 0);
  }
  CHECK(std::filesystem::file_size(file) == size);
  const Ran doctor = hermes.run({"doctor", "--json"});
  CHECK(doctor.status == 1);
  CHECK(nlohmann::json::parse(doctor.out)["ok"] == false);
}

TEST_CASE("a home that cannot be written is refused", "[cli]") {
  if (::geteuid() == 0) {
    return;  // root can write anywhere
  }
  const Hermes hermes;
  ::chmod((hermes.board() / "board.lock").c_str(), 0400);
  CHECK(hermes.kanban({"create", "x"}).status == 1);
  ::chmod((hermes.board() / "board.lock").c_str(), 0600);
}

TEST_CASE("the board is chosen by flag, environment and file, in this order", "[cli]") {
  Hermes hermes;
  hermes.add_board("beta");
  hermes.add_board("gamma");
  REQUIRE(hermes.kanban({"--board", "beta", "create", "in beta"}).status == 0);
  REQUIRE(hermes.kanban({"create", "in gamma", "--board=gamma"}).status == 0);
  hermes.set("HERMES_KANBAN_BOARD", "beta");
  CHECK(hermes.kanban({"list"}).out.find("in beta") != std::string::npos);
  CHECK(hermes.kanban({"list", "--board", "gamma"}).out.find("in gamma") != std::string::npos);
  CHECK(hermes.kanban({"list"}).out.find("Board: beta (2 other boards") == 0);
  hermes.set("HERMES_KANBAN_BOARD", "lost");
  const Ran ran = hermes.kanban({"list"});
  CHECK(ran.status == 1);
  CHECK(ran.err.find("HERMES_KANBAN_BOARD") != std::string::npos);
}

TEST_CASE("a slip in config.toml is told and keeps nobody from giving a verdict", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  std::ofstream(hermes.home() / "config.toml") << "[dispatcher]\nno_such_key = 1\n";
  const Ran ran = hermes.kanban({"complete", id});
  CHECK(ran.status == 0);
  CHECK(ran.err.find("no_such_key") != std::string::npos);
  CHECK(hermes.run({"doctor"}).status == 1);
}

TEST_CASE("doctor names what it looked at", "[cli]") {
  const Hermes hermes;
  const Ran ran = hermes.kanban({"doctor", "--json"});
  CHECK(ran.status == 0);
  CHECK(nlohmann::json::parse(ran.out)["ok"] == true);
  const auto all = nlohmann::json::parse(hermes.run({"doctor", "--json"}).out);
  std::set<std::string> checks;
  for (const auto& check : all["checks"]) {
    checks.insert(check["check"].get<std::string>());
  }
  for (const std::string name :
       {"sqlite", "home", "settings", "profile", "dispatcher", "program", "board"}) {
    CHECK(checks.contains(name));
  }
}

}  // namespace hermes::test
