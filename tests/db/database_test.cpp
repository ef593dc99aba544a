#include <catch2/catch.hpp>

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "kernel/base/files.hpp"
#include "kernel/db/database.hpp"
#include "kernel/db/watch.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using namespace hermes::db;
using hermes::test::TempDir;

namespace {

struct Ground {
  TempDir dir;
  BoardFiles files{dir / "board.db", dir / "board.lock"};
  Ground() { REQUIRE(Database::create(files, Instant{1000})); }

  Result<Database> open(Database::Access access = Database::Access::write) const {
    return Database::open(files, access, Instant{2000});
  }
  void raw(const std::string& sql) const {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(files.database.c_str(), &handle) == SQLITE_OK);
    REQUIRE(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(handle);
  }
};

Result<void> add_event(Database& database, std::string_view kind) {
  return database.write([&](Writer& tx) -> Result<void> {
    tx.execute("INSERT INTO events (kind, at) VALUES ($1, 0)", kind);
    return {};
  });
}

Result<std::int64_t> count_events(Database& database) {
  return database.read([](Reader& tx) -> Result<std::int64_t> {
    auto rows = tx.query("SELECT count(*) FROM events");
    rows.next();
    return rows.integer(0);
  });
}

}  // namespace

TEST_CASE("a new board is private, marked as ours and at the newest schema") {
  const Ground ground;
  struct stat facts {};
  REQUIRE(::stat(ground.files.database.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  auto database = ground.open();
  REQUIRE(database);
  const auto problems = database->check_integrity(false);
  REQUIRE(problems);
  CHECK(problems->empty());
  CHECK_FALSE(Database::create(ground.files, Instant{1}));  // never over an existing one
}

TEST_CASE("100,000 operations leave no descriptor open, whatever became of them") {
  const TempDir dir(TempDir::Storage::memory);
  const BoardFiles files{dir / "board.db", dir / "board.lock"};
  REQUIRE(Database::create(files, Instant{1000}));
  auto database = Database::open(files, Database::Access::write, Instant{2000});
  REQUIRE(database);
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto use = [&](int times) {
    for (int i = 0; i < times; ++i) {
      if (i % 10 == 0) {
        REQUIRE(add_event(*database, "x"));
      } else if (i % 10 == 1) {
        CHECK_FALSE(
            database->write([](Writer&) { return Result<void>(fail(ErrorCode::invalid, "x")); }));
      } else if (i % 1000 == 2) {
        REQUIRE(Database::open(files, Database::Access::read, Instant{3000}));
        CHECK_FALSE(Database::open({dir / "none", files.lock}, Database::Access::read, Instant{1}));
        REQUIRE(GateWatch::on(files.lock));
      } else {
        REQUIRE(database->read([](Reader& tx) -> Result<std::int64_t> {
          auto row = tx.query("SELECT max(seq) FROM events");
          return row.next() ? row.integer(0) : -1;
        }));
      }
    }
  };
  use(2000);
  const auto before = open_files();
  use(100'000);
  CHECK(open_files() == before);
}

TEST_CASE("the journal mode is set when a board is made, and not by whoever opens it") {
  const Ground ground;
  const auto mode = [&] {  // of the file's header: 1 is the rollback journal, 2 the WAL
    std::ifstream file(ground.files.database, std::ios::binary);
    file.seekg(18);
    return file.get();
  };
  CHECK(mode() == 2);
  ground.raw("PRAGMA journal_mode = DELETE");
  REQUIRE(mode() == 1);
  for (const auto access : {Database::Access::read, Database::Access::write}) {
    if (auto database = ground.open(access); database && access == Database::Access::write) {
      (void)add_event(*database, "x");
    }
    CHECK(mode() == 1);
  }
}

TEST_CASE("a refused write rolls everything back") {
  const Ground ground;
  auto database = ground.open();
  REQUIRE(database);
  const auto refused = database->write([](Writer& tx) -> Result<void> {
    tx.execute("INSERT INTO events (kind, at) VALUES ('x', 0)");
    return fail(ErrorCode::conflict, "no");
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "no");
  CHECK(count_events(*database) == 0);
}

TEST_CASE("an exception of the database inside a write becomes an error and rolls back") {
  const Ground ground;
  auto database = ground.open();
  REQUIRE(database);
  const auto refused = database->write([](Writer& tx) -> Result<void> {
    tx.execute("INSERT INTO events (kind, at) VALUES ('x', 0)");
    tx.execute("INSERT INTO counts (status, assignee, tenant, n) VALUES ('a', '', '', -1)");
    return {};
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::internal);
  CHECK(count_events(*database) == 0);
  CHECK(add_event(*database, "after"));
}

TEST_CASE(
    "a watcher sees every commit after it is visible, and one's own by an unchanged data_version") {
  const Ground ground;
  auto reader = ground.open(Database::Access::read);
  auto writer = ground.open();
  REQUIRE((reader && writer));
  auto watch = GateWatch::on(ground.files.lock);
  REQUIRE(watch);
  const auto own_before = writer->data_version();
  const auto other_before = reader->data_version();
  for (int i = 1; i <= 20; ++i) {
    REQUIRE(add_event(*writer, "e"));
    REQUIRE(watch->wait(2000));
    CHECK(watch->take() == GateWatch::Seen::written);
    CHECK(count_events(*reader) == i);
  }
  CHECK(writer->data_version() == own_before);
  CHECK(reader->data_version() != other_before);
}

TEST_CASE("the WAL is copied back by its frames and stays small under one writer") {
  const Ground ground;
  auto database = ground.open();
  REQUIRE(database);
  const std::string filler(20'000, 'x');
  for (int i = 0; i < 1500; ++i) {
    REQUIRE(database->write([&](Writer& tx) -> Result<void> {
      tx.execute("INSERT INTO events (kind, payload, at) VALUES ('x', '{' || $1, 0)", filler);
      return {};
    }));
  }
  CHECK(std::filesystem::file_size(ground.dir / "board.db-wal") <= 8U * 1024 * 1024);
  REQUIRE(database->truncate_wal(Millis{1000}));
  CHECK(std::filesystem::file_size(ground.dir / "board.db-wal") == 0);
}

TEST_CASE("processes that come alone one after another keep the WAL short") {
  const Ground ground;
  const auto commit_in_turn = [&] {
    for (int i = 0; i < 300; ++i) {
      auto database = ground.open();
      REQUIRE(database);
      REQUIRE(add_event(*database, "x"));
    }
    return std::filesystem::file_size(ground.dir / "board.db-wal") / 4120;
  };
  CHECK(commit_in_turn() < 250);
  // Where somebody has the board open nothing is replayed, and checkpoints can wait.
  const auto somebody = ground.open();
  REQUIRE(somebody);
  CHECK(commit_in_turn() > 500);
}

TEST_CASE("a newer board is refused, naming both versions") {
  const Ground ground;
  ground.raw("PRAGMA user_version = 99");
  for (const auto access : {Database::Access::read, Database::Access::write}) {
    const auto opened = ground.open(access);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ErrorCode::schema);
    CHECK(opened.error().message.find("99") != std::string::npos);
    CHECK(opened.error().message.find(std::to_string(schema_version())) != std::string::npos);
  }
}

TEST_CASE("a board that a newer program migrates while it is open is not written any more") {
  const Ground ground;
  auto database = ground.open();
  REQUIRE(database);
  ground.raw("PRAGMA user_version = 99");
  const auto written = add_event(*database, "x");
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::schema);
}

// Takes back what the migrations from 3 on have added, the last first.
const std::string k_undo_from_3 =
    "DROP TRIGGER tasks_blocked_insert; DROP TRIGGER tasks_blocked_update; DROP INDEX "
    "tasks_blocked;"
    "ALTER TABLE tasks DROP COLUMN blocked_at; DROP INDEX events_of_board; DROP INDEX "
    "deliveries_event; DROP INDEX tasks_current_run; DROP TABLE plannings; DROP INDEX tasks_triage;"
    "ALTER TABLE profile_gates DROP COLUMN pause_ms; ALTER TABLE profile_gates DROP COLUMN "
    "resumed_at; DROP INDEX tasks_failures; DROP INDEX tasks_blocks;";

TEST_CASE(
    "an older board is migrated by a writer and refused by a reader, who says what migrates it") {
  const Ground ground;
  ground.raw(
      k_undo_from_3 +
      "DROP TABLE board_facts; DELETE FROM schema_migrations WHERE number > 1; PRAGMA user_version "
      "= 1;"
      "INSERT INTO events (kind, at) VALUES ('kept', 0)");
  const auto read = ground.open(Database::Access::read);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::schema);
  CHECK(read.error().hint.find("hermes init") != std::string::npos);

  auto migrated = ground.open(Database::Access::write);
  REQUIRE(migrated);
  CHECK(count_events(*migrated) == 1);
  const auto recorded = migrated->read([](Reader& tx) -> Result<std::int64_t> {
    auto rows = tx.query("SELECT count(*) FROM schema_migrations WHERE length(sha256) = 64");
    rows.next();
    return rows.integer(0);
  });
  CHECK(recorded == schema_version());
  CHECK(ground.open(Database::Access::read));
}

TEST_CASE("a board of schema 2 keeps a pause that it holds, with a length to be doubled") {
  const Ground ground;
  ground.raw(
      k_undo_from_3 +
      "DELETE FROM schema_migrations WHERE number > 2; PRAGMA user_version = 2;"
      "INSERT INTO profile_gates (profile, paused_until, reason) VALUES ('shell', 9000, 'x')");
  auto migrated = ground.open();
  REQUIRE(migrated);
  const auto kept = migrated->read([](Reader& tx) -> Result<std::string> {
    auto rows = tx.query(
        "SELECT profile || paused_until || reason || pause_ms FROM profile_gates WHERE resumed_at "
        "IS NULL");
    rows.next();
    return rows.text(0);
  });
  CHECK(kept == "shell9000x0");
}

TEST_CASE("a board of other migrations is left alone by writers, and the check says so") {
  const Ground ground;
  ground.raw("UPDATE schema_migrations SET sha256 = replace(sha256, 'a', 'b') WHERE number = 2");
  const auto written = ground.open();
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::schema);
  CHECK(written.error().message.find("its step 2") != std::string::npos);
  auto read = ground.open(Database::Access::read);
  REQUIRE(read);
  CHECK_FALSE(read->check_migrations());
  CHECK(Ground().open(Database::Access::read)->check_migrations());
}

TEST_CASE("a damaged, emptied or foreign file is refused and not changed") {
  const Ground ground;
  std::string text;
  SECTION("not a database") {
    text = "this is not a database, it is a letter to the editor of some length";
  }
  SECTION("emptied") { text = ""; }
  {
    std::filesystem::remove(ground.dir / "board.db-wal");
    std::filesystem::remove(ground.dir / "board.db-shm");
    std::ofstream(ground.files.database, std::ios::trunc) << text;
  }
  const auto opened = ground.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::damaged);
  CHECK(opened.error().hint.find("restore") != std::string::npos);
  CHECK(read_file(ground.files.database, 1000) == text);
}

TEST_CASE("damage deep in the file is found by the check and never called busy") {
  const Ground ground;
  {
    auto database = ground.open();
    REQUIRE(database);
    for (int i = 0; i < 200; ++i) {
      REQUIRE(add_event(*database, "some event kind that fills pages"));
    }
    REQUIRE(database->truncate_wal(Millis{1000}));
  }
  {
    std::fstream file(ground.files.database, std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 2; page < 60; ++page) {
      file.seekp(page * 4096 + 8);
      file << std::string(200, '\xee');
    }
  }
  auto database = ground.open();
  if (database) {
    const auto problems = database->check_integrity(true);
    CHECK((!problems || !problems->empty()));
    if (!problems) {
      CHECK(problems.error().code == ErrorCode::damaged);
    }
  } else {
    CHECK(database.error().code == ErrorCode::damaged);
  }
}

TEST_CASE("a missing board file is an error, never a new board") {
  const Ground ground;
  std::filesystem::remove(ground.files.database);
  const auto opened = ground.open();
  REQUIRE_FALSE(opened);
  CHECK_FALSE(std::filesystem::exists(ground.files.database));
}

TEST_CASE("a full disk refuses the write, keeps what was acknowledged and recovers") {
  if (::geteuid() != 0) {
    WARN("needs root to mount a small filesystem: skipped");
    return;
  }
  const TempDir dir;
  if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=700k") != 0) {
    WARN("cannot mount a small filesystem here: skipped");
    return;
  }
  const std::shared_ptr<void> mounted(nullptr, [&](void*) {  // also when a check fails
    ::umount2(dir.path().c_str(), MNT_DETACH);
  });
  const BoardFiles files{dir / "board.db", dir / "board.lock"};
  REQUIRE(Database::create(files, Instant{1000}));
  {
    auto database = Database::open(files, Database::Access::write, Instant{1});
    REQUIRE(database);
    const std::string filler(5000, 'x');
    std::int64_t acknowledged = 0;
    Result<void> last;
    for (int i = 0; i < 1000 && last; ++i) {
      last = database->write([&](Writer& tx) -> Result<void> {
        tx.execute("INSERT INTO events (kind, payload, at) VALUES ('x', '{' || $1, 0)", filler);
        return {};
      });
      acknowledged += last ? 1 : 0;
    }
    REQUIRE_FALSE(last);
    CHECK(last.error().code == ErrorCode::unavailable);
    CHECK(last.error().message.find("disk full") != std::string::npos);
    CHECK(count_events(*database) == acknowledged);
    REQUIRE(::mount("tmpfs", dir.path().c_str(), "tmpfs", MS_REMOUNT, "size=20m") == 0);
    CHECK(add_event(*database, "after"));
    CHECK(count_events(*database) == acknowledged + 1);
  }
}
