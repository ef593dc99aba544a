// Boards as files: backup and restore, export and import, repair.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/run_hermes.hpp"
#include "kernel/base/files.hpp"
#include "kernel/db/connection.hpp"
#include "kernel/home/registry.hpp"
#include "support/wait.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

std::string contents(const fs::path& path) { return read_file(path, 1U << 30U).value_or("(none)"); }

std::size_t entries(const fs::path& dir) {
  std::error_code ignored;
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir, ignored), {}));
}

std::int64_t count(const fs::path& file, const std::string& sql) {
  db::Connection connection(file, db::OpenMode::existing);
  auto row = connection.query(sql);
  return row.next() ? row.integer(0) : -1;
}

void script(const fs::path& file, const std::string& sql) {
  db::Connection connection(file, db::OpenMode::existing);
  connection.execute_script(sql.c_str());
}

std::vector<std::string> titles(const Hermes& hermes, const std::string& board = "default") {
  std::vector<std::string> out;
  for (const Json& task : json_of(
           hermes.kanban({"--board", board, "list", "--archived", "--sort", "title", "--json"}))) {
    out.push_back(task["title"]);
  }
  return out;
}

// An index whose entries are fewer than the rows of its table.
void damage_index(const fs::path& file) {
  script(file,
         "PRAGMA writable_schema = ON; CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name "
         "= 'comments_task'; DELETE FROM sqlite_schema WHERE name = 'comments_task';");
  script(file,
         "INSERT INTO comments (task_id, author, body, at) SELECT id, 'x', 'y', 1 FROM tasks");
  script(file,
         "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; DROP TABLE "
         "kept;");
}

// A page in the middle of the file overwritten, as a failing disk does.
void damage_page(const fs::path& file) {
  script(file, "PRAGMA wal_checkpoint(TRUNCATE)");
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(5 * 4096);
  bytes << std::string(4096, '\xA5');
}

}  // namespace

TEST_CASE("a backup is one private file with everything, and replaces nothing unasked",
          "[cli][store]") {
  const Hermes hermes;
  hermes.create({"first"});
  const fs::path file = hermes.dir() / "b.db";
  CHECK(hermes.kanban({"backup", file.string()}).out.find("checked") != std::string::npos);
  struct stat facts {};
  REQUIRE(::stat(file.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  CHECK(count(file, "SELECT count(*) FROM tasks") == 1);
  CHECK(!fs::exists(file.string() + "-wal"));

  hermes.create({"second"});
  const Ran again = hermes.kanban({"backup", file.string()});
  CHECK(again.status == 1);
  CHECK(again.err.find("--force") != std::string::npos);
  CHECK(count(file, "SELECT count(*) FROM tasks") == 1);
  CHECK(json_of(hermes.kanban({"backup", file.string(), "--force", "--json"}))["bytes"] ==
        fs::file_size(file));
  CHECK(count(file, "SELECT count(*) FROM tasks") == 2);

  CHECK(hermes.kanban({"backup", "/no/such/directory/b.db"}).status == 1);
  CHECK(hermes.kanban({"backup", hermes.dir().string(), "--force"}).status == 1);
  CHECK(hermes.kanban({"backup", (hermes.board() / "board.db").string(), "--force"}).status == 1);
  CHECK(titles(hermes).size() == 2);
  for (const auto& entry : fs::directory_iterator(hermes.dir())) {
    CHECK(entry.path().extension() != ".tmp");
  }
}

TEST_CASE("a backup of a busy board is sound and has all that was acknowledged before it",
          "[cli][store][threads]") {
  const Hermes hermes;
  std::atomic<bool> stop{false};
  std::atomic<int> acknowledged{0};
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w) {
    writers.emplace_back([&, w] {
      auto database = db::Database::open(home::files_of(home::Home{hermes.home()}.board("default")),
                                         db::Database::Access::write, wall_clock_now());
      for (int i = 0; !stop; ++i) {
        const auto written = database->write([&](db::Writer& tx) -> Result<int> {
          return tx.execute("INSERT INTO board_facts (name, value, at) VALUES ($1, $2, 1)",
                            std::to_string(w) + "." + std::to_string(i), std::string(2000, 'x'));
        });
        acknowledged += written ? 1 : 0;
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    const int goal = acknowledged + 20;
    const bool grew = wait_until([&] { return acknowledged >= goal; });
    const int before = acknowledged;
    const fs::path file = hermes.dir() / ("b" + std::to_string(i));
    const Ran ran = hermes.kanban({"backup", file.string()});
    INFO(ran.err);
    CHECK(grew);
    CHECK(ran.status == 0);
    if (ran.status == 0) {
      CHECK(count(file, "SELECT count(*) FROM board_facts") >= before);
      db::Connection copy(file, db::OpenMode::existing);
      auto row = copy.query("PRAGMA integrity_check");
      CHECK((row.next() && row.text(0) == "ok"));
    }
  }
  stop = true;
  for (std::thread& writer : writers) {
    writer.join();
  }
}

TEST_CASE("a backup takes the place of the board, which is kept", "[cli][store]") {
  const Hermes hermes;
  const std::string id = hermes.create({"first"});
  REQUIRE(hermes.kanban({"attach", id, "-", "--name", "old"}, "old").status == 0);
  REQUIRE(hermes.kanban({"boards", "rename", "default", "mine"}).status == 0);
  const std::string file = (hermes.dir() / "b.db").string();
  REQUIRE(hermes.kanban({"backup", file}).status == 0);
  const std::string original = contents(file);
  const std::string later = hermes.create({"second"});
  REQUIRE(hermes.kanban({"attach", later, "-", "--name", "new"}, "new").status == 0);
  std::ofstream(hermes.board() / "logs" / (id + ".1.log")) << "its log\n";
  fs::create_directory(hermes.board() / "worktrees");
  std::ofstream(hermes.board() / "worktrees" / id) << "its tree";

  const Ran asked = hermes.kanban({"restore", file});
  CHECK(asked.status == 1);
  CHECK(asked.err.find("2 tasks") != std::string::npos);
  CHECK(titles(hermes).size() == 2);

  const Json done = json_of(hermes.kanban({"restore", file, "--force", "--json"}));
  CHECK(done["tasks"] == 1);
  CHECK(titles(hermes) == std::vector<std::string>{"first"});
  CHECK(json_of(hermes.kanban({"boards", "show", "--json"}))["name"] == "mine");
  CHECK(contents(hermes.board() / "attachments" / id / "old") == "old");
  CHECK(contents(hermes.board() / "logs" / (id + ".1.log")) == "its log\n");
  CHECK(contents(hermes.board() / "worktrees" / id) == "its tree");
  CHECK(contents(file) == original);
  CHECK(hermes.run({"doctor"}).status == 0);

  const fs::path kept = done["kept"].get<std::string>();
  CHECK(kept.filename().string().find("default-before-restore-") == 0);
  CHECK(contents(kept / "attachments" / later / "new") == "new");
  // What was kept can be taken back, with what its WAL holds.
  REQUIRE(hermes.kanban({"restore", (kept / "board.db").string(), "--force"}).status == 0);
  CHECK(titles(hermes) == std::vector<std::string>{"first", "second"});
}

TEST_CASE("a damaged or a lost board is restored without force", "[cli][store]") {
  const Hermes hermes;
  hermes.create({"first"});
  const std::string file = (hermes.dir() / "b.db").string();
  REQUIRE(hermes.kanban({"backup", file}).status == 0);
  SECTION("damaged") {
    fs::remove(hermes.board() / "board.db-wal");
    fs::remove(hermes.board() / "board.db-shm");
    std::ofstream(hermes.board() / "board.db", std::ios::trunc) << "no database";
  }
  SECTION("a page of it damaged") { damage_page(hermes.board() / "board.db"); }
  SECTION("lost") {
    fs::remove(hermes.board() / "board.db");
    fs::remove(hermes.board() / "board.db-wal");
    fs::remove(hermes.board() / "board.db-shm");
  }
  SECTION("without its gate") { fs::remove(hermes.board() / "board.lock"); }
  const bool sound = !fs::exists(hermes.board() / "board.lock");
  const Ran ran =
      sound ? hermes.kanban({"restore", file, "--force"}) : hermes.kanban({"restore", file});
  INFO(ran.err);
  CHECK(ran.status == 0);
  CHECK(titles(hermes) == std::vector<std::string>{"first"});
  CHECK(hermes.kanban({"create", "goes on"}).status == 0);
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("what is no backup is refused and changes nothing", "[cli][store]") {
  const Hermes hermes;
  hermes.create({"kept"});
  const std::string file = (hermes.dir() / "b.db").string();
  REQUIRE(hermes.kanban({"backup", file}).status == 0);
  std::string words;
  SECTION("a text") {
    std::ofstream(file, std::ios::trunc) << "not a database, and long enough to be looked at";
    words = "cannot be used";
  }
  SECTION("another database") {
    fs::remove(file);
    db::Connection(file, db::OpenMode::create).execute_script("CREATE TABLE x (y)");
    words = "not a Hermes board";
  }
  SECTION("empty") {
    std::ofstream(file, std::ios::trunc).close();
    words = "not a Hermes board";
  }
  SECTION("cut short") {
    fs::resize_file(file, fs::file_size(file) / 2);
    words = "damaged";
  }
  SECTION("a damaged page") {
    damage_page(file);
    words = "damaged";
  }
  SECTION("a newer one") {
    script(file, "PRAGMA user_version = 9999");
    words = "9999";
  }
  SECTION("a trigger of its own") {
    script(file, "CREATE TRIGGER t AFTER INSERT ON comments BEGIN DELETE FROM tasks; END");
    words = "not those of a board";
  }
  SECTION("a trigger that has nearly the name of a statistic") {
    script(file,
           "CREATE TRIGGER \"sqlite-stat1\" AFTER INSERT ON comments BEGIN DELETE FROM tasks; END");
    words = "not those of a board";
  }
  SECTION("a check of its own, which is not evaluated") {
    script(file,
           "PRAGMA ignore_check_constraints = ON; CREATE TABLE mine (x CHECK (x = abs(x)));"
           "INSERT INTO mine VALUES (-1)");
    words = "not those of a board";
  }
  SECTION("an attachment that leads out of the board") {
    script(file,
           "INSERT INTO attachments (task_id, filename, stored_name, size, at) SELECT id, 'a', "
           "'../../../private.txt', 1, 1 FROM tasks");
    words = "../../../private.txt";
  }
  SECTION("with the WAL of an older one") {
    const fs::path other = hermes.dir() / "other.db";
    db::Connection older(other, db::OpenMode::create);
    older.query("PRAGMA journal_mode = WAL").next();
    older.execute_script("CREATE TABLE x (y)");
    fs::copy_file(other.string() + "-wal", file + "-wal");
    words = "b.db-wal";
  }
  SECTION("a task of a run that is not there") {
    script(file,
           "PRAGMA foreign_keys = OFF; INSERT INTO comments (task_id, author, body, at) VALUES "
           "('t_00000000', 'x', 'y', 1)");
    words = "names another one";
  }
  SECTION("an export") {
    fs::remove(file);
    REQUIRE(hermes.kanban({"boards", "export", "default", file}).status == 0);
    words = "import";
  }
  SECTION("lost") {
    fs::remove(file);
    words = "no such file";
  }
  const Ran ran = hermes.kanban({"restore", file, "--force"});
  INFO(ran.err);
  CHECK(ran.status == 1);
  CHECK(ran.err.find(words) != std::string::npos);
  CHECK(titles(hermes) == std::vector<std::string>{"kept"});
  CHECK(entries(hermes.home() / "boards" / "_archived") == 0);
  if (words != "import") {
    CHECK(hermes.kanban({"boards", "import", file, "other"}).status == 1);
  }
  CHECK(entries(hermes.home() / "boards") == 2);  // default and _archived
}

TEST_CASE("a backup does not lie down beside the WAL of another database", "[cli][store]") {
  const Hermes hermes;
  const std::string file = (hermes.dir() / "b.db").string();
  REQUIRE(hermes.kanban({"backup", file}).status == 0);
  const std::string first = contents(file);
  for (const std::string ending : {"-wal", "-shm", "-journal"}) {
    std::ofstream(file + ending) << "x";
    const Ran ran = hermes.kanban({"backup", file, "--force"});
    CHECK(ran.status == 1);
    CHECK(ran.err.find(file + ending) != std::string::npos);
    CHECK(contents(file) == first);
    fs::remove(file + ending);
  }
  CHECK(hermes.kanban({"backup", file, "--force"}).status == 0);
}

TEST_CASE("a board of another home is imported while it is written to", "[cli][store][threads]") {
  const Hermes other;
  const Hermes hermes;
  other.create({"first"});
  std::atomic<bool> stop{false};
  std::atomic<int> acknowledged{0};
  std::thread writer([&] {
    auto database = db::Database::open(home::files_of(home::Home{other.home()}.board("default")),
                                       db::Database::Access::write, wall_clock_now());
    for (int i = 0; !stop; ++i) {
      const auto written = database->write([&](db::Writer& tx) -> Result<int> {
        return tx.execute("INSERT INTO board_facts (name, value, at) VALUES ($1, $2, 1)",
                          "x" + std::to_string(i), std::string(200'000, 'x'));
      });
      acknowledged += written ? 1 : 0;
    }
  });
  for (int i = 0; i < 5; ++i) {
    const int goal = acknowledged + 20;
    const bool grew = wait_until([&] { return acknowledged >= goal; });
    const Ran ran = hermes.kanban(
        {"boards", "import", (other.board() / "board.db").string(), "copy" + std::to_string(i)});
    INFO(ran.err);
    CHECK(grew);
    CHECK(ran.status == 0);
  }
  stop = true;
  writer.join();
}

TEST_CASE("the file of a board in use is no backup", "[cli][store]") {
  const Hermes hermes;
  hermes.add_board("beta");
  const std::string file = (hermes.home() / "boards" / "beta" / "board.db").string();
  CHECK(hermes.kanban({"restore", file}).err.find("in use") != std::string::npos);
  fs::create_symlink(file, hermes.dir() / "link");
  CHECK(hermes.kanban({"boards", "import", (hermes.dir() / "link").string(), "x"}).status == 1);
}

TEST_CASE("an older backup is migrated when it is taken back", "[cli][store]") {
  const Hermes hermes;
  const std::string file = (hermes.dir() / "b.db").string();
  std::filesystem::copy_file(HERMES_FIXTURES "/board_0001.db", file);
  CHECK(hermes.kanban({"restore", file, "--force"}).status == 0);
  const std::vector<std::string> restored = titles(hermes);
  CHECK(restored.size() > 5);
  CHECK(hermes.kanban({"doctor"}).status == 0);
  CHECK(hermes.kanban({"boards", "import", file, "older"}).status == 0);
  CHECK(titles(hermes, "older") == restored);
}

TEST_CASE("runs of a backup belong to another time", "[cli][store]") {
  const Hermes hermes;
  const std::string id = hermes.create({"claimed"});
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  const std::string file = (hermes.dir() / "b.db").string();
  REQUIRE(hermes.kanban({"backup", file}).status == 0);
  CHECK(json_of(hermes.kanban({"restore", file, "--force", "--json"}))["aborted_runs"] == 1);
  Json task = json_of(hermes.kanban({"show", id, "--json"}));
  CHECK(task["task"]["status"] == "ready");
  CHECK(task["runs"][0]["outcome"] == "aborted");
  CHECK(json_of(hermes.kanban({"boards", "import", file, "copy", "--json"}))["aborted_runs"] == 1);
  task = json_of(hermes.kanban({"--board", "copy", "show", id, "--json"}));
  CHECK(task["task"]["status"] == "ready");
  CHECK(hermes.run({"doctor"}).status == 0);
}

TEST_CASE("a board goes through a file into another home", "[cli][store]") {
  const Hermes from;
  const std::string id = from.create({"carried"});
  const std::string big(3 * 1024 * 1024 + 17, '\xfe');
  REQUIRE(from.kanban({"attach", id, "-", "--name", "漢字 b.bin"}, big).status == 0);
  REQUIRE(from.kanban({"attach", id, "-", "--name", "empty"}, "").status == 0);
  REQUIRE(from.kanban({"boards", "rename", "default", "carried board"}).status == 0);
  std::ofstream(from.board() / "logs" / (id + ".1.log")) << "what it said\n";
  std::ofstream(from.board() / "logs" / "notes.txt") << "not ours\n";
  const std::string file = (from.dir() / "x").string();
  const bool logs = GENERATE(false, true);
  std::vector<std::string> words{"boards", "export", "default", file, "--json"};
  if (logs) {
    words.emplace_back("--logs");
  }
  const Json exported = json_of(from.kanban(words));
  CHECK(exported["attachments"] == 2);
  CHECK(exported["logs"] == (logs ? 1 : 0));
  CHECK(from.kanban({"boards", "export", "default", file}).status == 1);  // it is there

  const Hermes to;
  CHECK(to.kanban({"boards", "import", file}).status == 1);  // there is a default board
  const Json imported = json_of(to.kanban({"boards", "import", file, "New", "--json"}));
  CHECK(imported["slug"] == "new");
  CHECK(imported["tasks"] == 1);
  CHECK(imported["attachments"] == 2);
  CHECK(titles(to, "new") == std::vector<std::string>{"carried"});
  const fs::path board = to.home() / "boards" / "new";
  CHECK(contents(board / "attachments" / id / "漢字 b.bin") == big);
  CHECK(contents(board / "attachments" / id / "empty").empty());
  CHECK(contents(board / "logs" / (id + ".1.log")) == (logs ? "what it said\n" : "(none)"));
  CHECK(!fs::exists(board / "logs" / "notes.txt"));
  CHECK(json_of(to.kanban({"boards", "show", "new", "--json"}))["name"] == "carried board");
  CHECK(fs::file_size(board / "board.db") < 1024 * 1024);  // the files are not in it any more
  CHECK(to.run({"doctor"}).status == 0);
  CHECK(to.kanban({"--board", "new", "create", "goes on"}).status == 0);
}

TEST_CASE("an export keeps the name of its board for the import", "[cli][store]") {
  const Hermes hermes;
  hermes.add_board("beta");
  const std::string file = (hermes.dir() / "x").string();
  REQUIRE(hermes.kanban({"boards", "export", "beta", file}).status == 0);
  REQUIRE(hermes.kanban({"boards", "rm", "beta", "--delete", "--yes"}).status == 0);
  CHECK(hermes.kanban({"boards", "import", file}).out.find("Imported board beta") == 0);
  CHECK(hermes.kanban({"boards", "import", file}).status == 1);
  CHECK(hermes.kanban({"boards", "import", file, "../x"}).status == 2);
}

TEST_CASE("a file with names that lead elsewhere writes nothing anywhere", "[cli][store]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  REQUIRE(hermes.kanban({"attach", id, "-", "--name", "a"}, "x").status == 0);
  const std::string file = (hermes.dir() / "x").string();
  REQUIRE(hermes.kanban({"boards", "export", "default", file, "--logs"}).status == 0);
  const auto [kind, name] =
      GENERATE_COPY(std::pair<std::string, std::string>{"attachment", "../../../../escaped"},
                    std::pair<std::string, std::string>{"attachment", "t_00000000/../../escaped"},
                    std::pair<std::string, std::string>{"attachment", "t_00000000/.."},
                    std::pair<std::string, std::string>{"attachment", "t_00000000/.hidden"},
                    std::pair<std::string, std::string>{"attachment", "t_00000000"},
                    std::pair<std::string, std::string>{"attachment", "/tmp/escaped"},
                    std::pair<std::string, std::string>{"log", "../escaped"},
                    std::pair<std::string, std::string>{"log", "t_00000000.1.log/../../x"},
                    std::pair<std::string, std::string>{"log", "../t_00000000.1.log"},
                    std::pair<std::string, std::string>{"slug", "../../escaped"});
  script(file,
         kind == "slug"
             ? "UPDATE bundle_parts SET data = CAST('" + name +
                   "' AS BLOB) WHERE file_id = (SELECT id FROM bundle_files WHERE kind = 'slug')"
             : "INSERT INTO bundle_files (kind, name, size) VALUES ('" + kind + "', '" + name +
                   "', 0)");
  const Ran ran = kind == "slug" ? hermes.kanban({"boards", "import", file})
                                 : hermes.kanban({"boards", "import", file, "other"});
  INFO(kind << " " << name << ": " << ran.err);
  CHECK(ran.status != 0);
  CHECK(entries(hermes.home() / "boards") == 1);
  CHECK(!fs::exists(hermes.dir() / "escaped"));
  CHECK(!fs::exists(hermes.home() / "escaped"));
  CHECK(!fs::exists(hermes.home() / "boards" / "escaped"));
}

TEST_CASE("a file that would make more of itself than is in it is refused", "[cli][store]") {
  const Hermes hermes;
  const std::string file = (hermes.dir() / "x").string();
  REQUIRE(hermes.kanban({"boards", "export", "default", file}).status == 0);
  SECTION("by a view") {
    script(
        file,
        "DROP TABLE bundle_files; CREATE VIEW bundle_files AS WITH RECURSIVE n(i) AS (SELECT 1 "
        "UNION ALL SELECT i + 1 FROM n) SELECT i AS id, 'log' AS kind, printf('t_%08x.1.log', i) "
        "AS name, 0 AS size FROM n");
  }
  SECTION("by a piece that is too large") {
    script(file, "UPDATE bundle_parts SET data = zeroblob(1048577)");
  }
  const Ran ran = hermes.kanban({"boards", "import", file, "other"});
  INFO(ran.err);
  CHECK(ran.status == 1);
  CHECK(entries(hermes.home() / "boards") == 1);
}

TEST_CASE("an attachment whose file is lost is named and left out", "[cli][store]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  REQUIRE(hermes.kanban({"attach", id, "-", "--name", "a"}, "x").status == 0);
  fs::remove(hermes.board() / "attachments" / id / "a");
  const Ran ran = hermes.kanban({"boards", "export", "default", (hermes.dir() / "x").string()});
  CHECK(ran.status == 0);
  CHECK(ran.err.find(id + "/a") != std::string::npos);
  CHECK(hermes.kanban({"attachments", id}).out.find("the file is missing") != std::string::npos);
}

TEST_CASE("an export takes no file that is not the board's, whatever its tables and links say",
          "[cli][store]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  REQUIRE(hermes.kanban({"attach", id, "-", "--name", "a"}, "x").status == 0);
  std::ofstream(hermes.dir() / "private.txt") << "private";
  const fs::path logs = hermes.board() / "logs";
  fs::create_symlink(hermes.dir() / "private.txt", logs / (id + ".1.log"));
  REQUIRE(::mkfifo((logs / (id + ".2.log")).c_str(), 0600) == 0);
  std::ofstream(logs / (id + ".3.log")) << "its log";
  const std::string out =
      fs::relative(hermes.dir() / "private.txt", hermes.board() / "attachments" / id);
  script(hermes.board() / "board.db", "UPDATE attachments SET stored_name = '" + out + "'");
  const fs::path file = hermes.dir() / "export";
  const Json done =
      json_of(hermes.kanban({"boards", "export", "default", file.string(), "--logs", "--json"}));
  CHECK(done["attachments"] == 0);
  CHECK(done["logs"] == 1);
  CHECK(done["missing"].size() == 3);
  CHECK(contents(file).find("private") == contents(file).find("private.txt"));
  const Json listed = json_of(hermes.kanban({"attachments", id, "--json"}));
  CHECK(listed.dump().find((hermes.dir() / "private.txt").filename().string() + "\",\"x") ==
        std::string::npos);
  CHECK(hermes.kanban({"context", id}).out.find("private.txt") == std::string::npos);
}

TEST_CASE("a sound board has nothing to repair, a lost part comes back", "[cli][store]") {
  const Hermes hermes;
  CHECK(hermes.kanban({"repair"}).out == "Board default is sound, there is nothing to repair\n");
  CHECK(entries(hermes.home() / "boards" / "_archived") == 0);
  fs::remove(hermes.board() / "board.lock");
  fs::remove(hermes.board() / "logs");
  const Json done = json_of(hermes.kanban({"repair", "--json"}));
  CHECK(done["restored_parts"] == Json({"board.lock", "logs"}));
  CHECK(hermes.kanban({"create", "goes on"}).status == 0);
}

TEST_CASE("a damaged index is built anew, after a copy", "[cli][store]") {
  const Hermes hermes;
  for (int i = 0; i < 5; ++i) {
    hermes.create({"task " + std::to_string(i)});
  }
  const fs::path file = hermes.board() / "board.db";
  damage_index(file);
  CHECK(hermes.kanban({"backup", (hermes.dir() / "b").string()}).status == 1);
  CHECK(!fs::exists(hermes.dir() / "b"));
  const Json done = json_of(hermes.kanban({"repair", "--json"}));
  CHECK(done["reindexed"] == Json({"comments_task"}));
  CHECK(!done["findings"].empty());
  const fs::path kept = done["kept"].get<std::string>();
  CHECK(count(kept / "board.db", "SELECT count(*) FROM comments NOT INDEXED") == 5);
  CHECK(hermes.kanban({"doctor"}).status == 0);
  CHECK(json_of(hermes.kanban({"list", "--json"})).size() == 5);
  CHECK(hermes.kanban({"backup", (hermes.dir() / "b").string()}).status == 0);
  CHECK(hermes.kanban({"repair"}).out.find("nothing to repair") != std::string::npos);
}

TEST_CASE("other damage is refused, naming restore, and nothing is changed", "[cli][store]") {
  const Hermes hermes;
  for (int i = 0; i < 5; ++i) {
    hermes.create({"task"});
  }
  const fs::path file = hermes.board() / "board.db";
  damage_page(file);
  const std::string before = contents(file);
  const Ran ran = hermes.kanban({"repair"});
  CHECK(ran.status == 1);
  CHECK(ran.err.find("restore") != std::string::npos);
  CHECK(contents(file) == before);
  CHECK(entries(hermes.home() / "boards" / "_archived") == 0);
}

}  // namespace hermes::test
