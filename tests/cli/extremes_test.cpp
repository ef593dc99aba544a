// Texts, numbers, places and times that people do not think of.
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/run_hermes.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/registry.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

namespace fs = std::filesystem;

template <class Body>
auto change(const Hermes& hermes, Instant now, Body body) {
  auto database = db::Database::open(home::files_of(home::Home{hermes.home()}.board("default")),
                                     db::Database::Access::write, now);
  REQUIRE(database);
  SystemRandom random;
  const Actor actor{"alice", std::nullopt};
  const Limits limits;
  return database->write([&](db::Writer& tx) {
    board::Change c{tx, now, actor, "default", limits, random};
    return body(c);
  });
}

std::vector<std::string> create_many(const Hermes& hermes, int number) {
  std::vector<std::string> ids;
  REQUIRE(change(hermes, wall_clock_now(), [&](board::Change& c) -> Result<int> {
    for (int i = 0; i < number; ++i) {
      TRY_ASSIGN(auto created, board::create(c, {.title = "one of many"}));
      ids.push_back(created.task.id);
    }
    return number;
  }));
  return ids;
}

Json json(const Hermes& hermes, std::vector<std::string> words) {
  words.emplace_back("--json");
  const Ran ran = hermes.kanban(words);
  CAPTURE(words, ran.err);
  REQUIRE(ran.status == 0);
  return Json::parse(ran.out);
}

void back_up(const fs::path& from, const fs::path& to) {
  sqlite3* source = nullptr;
  sqlite3* target = nullptr;
  REQUIRE(sqlite3_open(from.c_str(), &source) == SQLITE_OK);
  REQUIRE(sqlite3_open(to.c_str(), &target) == SQLITE_OK);
  sqlite3_backup* backup = sqlite3_backup_init(target, "main", source, "main");
  REQUIRE(backup != nullptr);
  CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
  sqlite3_backup_finish(backup);
  sqlite3_close(target);
  sqlite3_close(source);
}

}  // namespace

TEST_CASE("texts of any script and any danger come back as they were", "[cli]") {
  const Hermes hermes;
  const std::vector<std::string> texts{
      "Zürich, 東京, Ελλάδα, 한국어",
      "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xE2\x80\xAE reversed \xE2\x80\xAC end",
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80 e\xCC\x81",
      "'; DROP TABLE tasks; --",
      "\" OR 1=1; $1 ?1 :x @y",
      "$(touch x) `id` ; rm -rf / | & > < * ? [a-z] {a,b} ~",
      "%s %n {} {0} \\n \\0 \\x41",
      "<script>alert(1)</script> & &amp;",
      "{\"json\": [null]}",
      std::string(1000, 'w')};
  std::set<std::string> ids;
  for (const std::string& text : texts) {
    CAPTURE(text);
    const std::string id = hermes.create({text, "--body", text, "--tenant", "acme"});
    ids.insert(id);
    REQUIRE(hermes.kanban({"comment", id, "--", text}).status == 0);
    REQUIRE(hermes.kanban({"block", id, "--", text}).status == 0);
    const Json whole = json(hermes, {"show", id});
    CHECK(whole["task"]["title"] == text);
    CHECK(whole["task"]["body"] == text);
    CHECK(whole["comments"][0]["body"] == text);
    CHECK(hermes.kanban({"show", id}).status == 0);
    CHECK(hermes.kanban({"list"}).status == 0);
  }
  CHECK(json(hermes, {"list"}).size() == texts.size());
  CHECK(ids.size() == texts.size());
}

TEST_CASE("1010 ids are one list, one statistic and one command like any number", "[cli]") {
  const Hermes hermes;
  const auto ids = create_many(hermes, 1010);
  CHECK(json(hermes, {"list"}).size() == 1010);
  CHECK(json(hermes, {"stats"})["by_status"]["ready"] == 1010);
  std::vector<std::string> words{"archive"};
  words.insert(words.end(), ids.begin(), ids.end());
  REQUIRE(hermes.kanban(words).status == 0);
  CHECK(json(hermes, {"list"}).empty());
  CHECK(json(hermes, {"list", "--archived"}).size() == 1010);
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("no age is negative after the clock was set back", "[cli]") {
  const Hermes hermes;
  const Instant ahead = wall_clock_now() + std::chrono::hours{26};
  std::string id;
  REQUIRE(change(hermes, ahead, [&](board::Change& c) -> Result<int> {
    TRY_ASSIGN(auto created, board::create(c, {.title = "a", .assignee = "shell"}));
    id = created.task.id;
    return board::add_comment(c, id, "bob", "from tomorrow") ? 0 : 1;
  }));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"show", id}, {"stats"}, {"list"}, {"context", id}, {"why", id}}) {
    const Ran ran = hermes.kanban(words);
    CAPTURE(words, ran.out);
    CHECK(ran.status == 0);
    CHECK(ran.out.find("-1d") == std::string::npos);
    CHECK(ran.out.find("(-") == std::string::npos);
  }
  CHECK(json(hermes, {"stats"})["oldest_ready_age_seconds"] == 0);
  const Ran claimed = hermes.kanban({"claim", id});
  CAPTURE(claimed.err);
  CHECK(claimed.status == 0);
}

TEST_CASE("doctor prints the SQLite library that is loaded, with its source", "[cli]") {
  const Hermes hermes;
  const Ran ran = hermes.run({"doctor"});
  CHECK(ran.out.find(sqlite3_libversion()) != std::string::npos);
  CHECK(ran.out.find(sqlite3_sourceid()) != std::string::npos);
}

TEST_CASE("a read-only home can be read, and a write says what stands in its way", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"kept"});
  const std::string dir = hermes.dir().string();
  const bool root = ::geteuid() == 0;
  // A mount of one's own where that is allowed; else the modes.
  const std::string set_up =
      root ? "mount --bind '" + dir + "' '" + dir + "' && mount -o remount,ro,bind '" + dir + "'"
           : "chmod -R a-w '" + hermes.home().string() + "'";
  std::ofstream(hermes.dir() / "script")
      << "set -e\n"
      << set_up << "\n"
      << "'" << HERMES_BINARY << "' kanban list\n'" << HERMES_BINARY << "' kanban show " << id
      << "\n! '" << HERMES_BINARY << "' kanban create never\n! '" << HERMES_BINARY
      << "' kanban complete " << id << "\n";
  const TempDir output;
  const std::string command = "HERMES_HOME='" + hermes.home().string() + "' " +
                              (root ? "unshare --mount " : "") + "/bin/sh '" + dir +
                              "/script' > '" + (output / "all").string() + "' 2>&1";
  const int status = std::system(command.c_str());
  std::ostringstream said;
  said << std::ifstream(output / "all").rdbuf();
  if (!root) {
    CHECK(std::system(("chmod -R u+w '" + hermes.home().string() + "'").c_str()) == 0);
  }
  CAPTURE(said.str());
  if (said.str().starts_with("unshare") || said.str().starts_with("mount:")) {
    WARN("no mounts here");
    return;
  }
  CHECK(status == 0);
  CHECK(said.str().find(id + "  ready") != std::string::npos);
  CHECK(said.str().find("cannot open the write gate") != std::string::npos);
  CHECK(said.str().find("damaged") == std::string::npos);
  CHECK(json(hermes, {"list"}).size() == 1);
}

TEST_CASE("what is mounted in a scratch workspace outlives it", "[cli]") {
  if (::geteuid() != 0) {
    WARN("not tried: mounting takes root");
    return;
  }
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  const fs::path workspace = hermes.board() / "workspaces" / id;
  const fs::path precious = hermes.dir() / "precious things";
  fs::create_directory(precious);
  fs::create_directory(workspace / "a mount");
  std::ofstream(precious / "work") << "of months";
  std::ofstream(hermes.dir() / "script")
      << "mount --bind '" << precious.string() << "' '" << (workspace / "a mount").string()
      << "' && '" << HERMES_BINARY << "' kanban complete " << id << " --force && '" << HERMES_BINARY
      << "' kanban archive " << id << "\n";
  const int status = std::system(
      ("HERMES_HOME='" + hermes.home().string() + "' unshare --mount /bin/sh '" +
       (hermes.dir() / "script").string() + "' > '" + (hermes.dir() / "said").string() + "' 2>&1")
          .c_str());
  std::ostringstream said;
  said << std::ifstream(hermes.dir() / "said").rdbuf();
  CAPTURE(said.str());
  if (said.str().starts_with("unshare") || said.str().starts_with("mount:")) {
    WARN("no mounts here");
    return;
  }
  CHECK(status == 0);
  CHECK(json(hermes, {"show", id})["task"]["status"] == "archived");
  CHECK(fs::file_size(precious / "work") == 9);
}

TEST_CASE("archiving never removes a directory that the task was given", "[cli]") {
  const Hermes hermes;
  const std::string other = hermes.create({"other"});
  REQUIRE(hermes.kanban({"claim", other}).status == 0);
  const fs::path scratch = hermes.board() / "workspaces" / other;
  std::ofstream(scratch / "file") << "kept";
  for (const std::string& given :
       {(hermes.board() / "workspaces").string(), scratch.string(), hermes.home().string(),
        (scratch / ".." / "..").string(), hermes.dir().string()}) {
    CAPTURE(given);
    const std::string id = hermes.create({"a", "--workspace", "dir:" + given});
    REQUIRE(hermes.kanban({"claim", id}).status == 0);
    REQUIRE(hermes.kanban({"complete", id}).status == 0);
    REQUIRE(hermes.kanban({"archive", id}).status == 0);
    CHECK(fs::exists(scratch / "file"));
  }
  CHECK(hermes.run({"doctor"}).status == 0);
}

TEST_CASE("the steps of the documentation bring a damaged board back from its backup", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"saved"});
  const fs::path board = hermes.board() / "board.db";
  back_up(board, hermes.dir() / "board-backup.db");
  for (const char* suffix : {"-wal", "-shm"}) {
    fs::remove(board.string() + suffix);
  }
  std::ofstream(board, std::ios::binary) << std::string(64 * 1024, '\xA5');
  CHECK(hermes.run({"doctor"}).status == 1);
  const Ran refused = hermes.kanban({"create", "x"});
  CHECK(refused.status == 1);
  CHECK(refused.err.find("backup") != std::string::npos);
  fs::rename(board, hermes.dir() / "damaged.db");
  SECTION("a board whose file is gone is not made anew") {
    CHECK(hermes.run({"init"}).status == 1);
    CHECK_FALSE(fs::exists(board));
  }
  fs::rename(hermes.dir() / "board-backup.db", board);
  CHECK(hermes.run({"init"}).status == 0);
  CHECK(hermes.run({"doctor"}).status == 0);
  CHECK(json(hermes, {"list"})[0]["id"] == id);
}

TEST_CASE("each reason to wait has its sentence, and the command that ends it", "[cli]") {
  const Hermes hermes;
  const std::string parent = hermes.create({"parent", "--assignee", "ann"});
  const std::string todo = hermes.create({"todo", "--assignee", "shell", "--parent", parent});
  const std::string nobody = hermes.create({"nobody"});
  const std::string blocked = hermes.create({"blocked", "--assignee", "shell"});
  const std::string triage = hermes.create({"triage", "--assignee", "shell", "--triage"});
  const std::string ready = hermes.create({"ready", "--assignee", "shell"});
  REQUIRE(hermes.kanban({"block", blocked, "which branch?"}).status == 0);
  const auto why = [&](const std::string& id) { return hermes.kanban({"why", id}).out; };
  CHECK(why(parent).find("ann") != std::string::npos);
  CHECK(why(todo).find(parent) != std::string::npos);
  CHECK(why(nobody).find("nobody is assigned") != std::string::npos);
  CHECK(why(blocked).find("which branch?") != std::string::npos);
  CHECK(why(blocked).find("unblock") != std::string::npos);
  CHECK(why(triage).find("promote") != std::string::npos);
  CHECK(why(ready).find("dispatcher") != std::string::npos);
  REQUIRE(hermes.kanban({"complete", parent}).status == 0);
  CHECK(why(parent).find("done") != std::string::npos);
}

}  // namespace hermes::test
