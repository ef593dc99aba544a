#include <catch2/catch.hpp>

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "kernel/base/random.hpp"
#include "kernel/board/invariants.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/db/database.hpp"
#include "support/race.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using hermes::test::TempDir;

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows query(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  INFO(sql);
  REQUIRE(sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  Rows rows;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    auto& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      row.emplace_back(text == nullptr ? "" : text);
    }
  }
  sqlite3_finalize(statement);
  sqlite3_close(handle);
  return rows;
}

// Table to its columns.
std::map<std::string, std::vector<std::string>> shape_of(const std::filesystem::path& path) {
  std::map<std::string, std::vector<std::string>> shape;
  for (const auto& table : query(path,
                                 "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT "
                                 "LIKE 'sqlite_%' AND name <> 'schema_migrations'")) {
    for (const auto& column :
         query(path, "SELECT name FROM pragma_table_info('" + table[0] + "')")) {
      shape[table[0]].push_back(column[0]);
    }
  }
  return shape;
}

Rows rows_of(const std::filesystem::path& path, const std::string& table,
             const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) {
    list += (list.empty() ? "quote(" : ", quote(") + column + ")";
  }
  Rows rows = query(path, "SELECT " + list + " FROM " + table);
  std::ranges::sort(rows);
  return rows;
}

std::filesystem::path fixture_of(int schema) {
  return std::filesystem::path(HERMES_FIXTURES) / fmt::format("board_{:04}.db", schema);
}

// A copy of a fixture in a board's directory.
struct Ground {
  TempDir dir;
  db::BoardFiles files{dir / "board.db", dir / "board.lock"};
  explicit Ground(int schema) {
    std::filesystem::copy_file(fixture_of(schema), files.database);
    std::filesystem::permissions(
        files.database, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::ofstream(files.lock).flush();
  }
};

constexpr Instant k_now{1'900'000'000'000};

}  // namespace

TEST_CASE("compat: every schema has its fixture") {
  for (int schema = 1; schema <= db::schema_version(); ++schema) {
    INFO("no board of schema " << schema << ": build, then run tests/compat/make.sh "
                               << fmt::format("build/dev/cli/hermes {:04}", schema)
                               << " and commit the file together with the migration");
    REQUIRE(std::filesystem::exists(fixture_of(schema)));
    const auto statuses = query(fixture_of(schema), "SELECT DISTINCT status FROM tasks");
    CHECK(statuses.size() == k_words<Status>.size());
    for (const char* table : {"runs", "links", "comments", "events", "leases", "attachments"}) {
      INFO(table);
      CHECK_FALSE(query(fixture_of(schema), fmt::format("SELECT 1 FROM {}", table)).empty());
    }
    CHECK(query(fixture_of(schema), "PRAGMA user_version")[0][0] == std::to_string(schema));
  }
}

TEST_CASE(
    "compat: of many who open an older board at once one brings it up, and all find it whole") {
  const Ground ground(1);
  const auto statuses = hermes::test::race(8, [&] {
    return db::Database::open(ground.files, db::Database::Access::write, k_now) ? 0 : 1;
  });
  CHECK(std::ranges::count(statuses, 0) == 8);
  const std::string newest = std::to_string(db::schema_version());
  CHECK(query(ground.files.database, "PRAGMA user_version")[0][0] == newest);
  CHECK(query(ground.files.database, "SELECT count(*) FROM schema_migrations")[0][0] == newest);
  CHECK(query(ground.files.database, "SELECT count(*) FROM tasks") ==
        query(fixture_of(1), "SELECT count(*) FROM tasks"));
  CHECK(query(ground.files.database, "PRAGMA integrity_check")[0][0] == "ok");
}

TEST_CASE("compat: a board of every older schema is brought to the newest and loses nothing") {
  for (int schema = 1; schema <= db::schema_version(); ++schema) {
    if (!std::filesystem::exists(fixture_of(schema))) {
      continue;  // the test above says so
    }
    INFO("schema " << schema);
    const Ground ground(schema);
    const auto shape = shape_of(ground.files.database);
    std::map<std::string, Rows> before;
    for (const auto& [table, columns] : shape) {
      before[table] = rows_of(ground.files.database, table, columns);
    }

    const auto refused = db::Database::open(ground.files, db::Database::Access::read, k_now);
    if (schema < db::schema_version()) {
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::schema);
      CHECK(refused.error().message.find(fmt::format("has schema {}, this program needs {}", schema,
                                                     db::schema_version())) != std::string::npos);
      CHECK(refused.error().hint.find("migrates it") != std::string::npos);
    } else {
      CHECK(refused);
    }

    auto database = db::Database::open(ground.files, db::Database::Access::write, k_now);
    REQUIRE(database);
    CHECK(query(ground.files.database, "PRAGMA user_version")[0][0] ==
          std::to_string(db::schema_version()));
    CHECK(query(ground.files.database, "SELECT count(*) FROM schema_migrations")[0][0] ==
          std::to_string(db::schema_version()));
    CHECK(database->check_integrity(false).value().empty());
    CHECK(query(ground.files.database, "PRAGMA foreign_key_check").empty());
    const auto violations = [&] {
      return database
          ->read([](db::Reader& tx) -> Result<std::vector<std::string>> {
            return board::check_invariants(tx);
          })
          .value();
    };
    CHECK_THAT(violations(), Catch::Matchers::Equals(std::vector<std::string>{}));
    for (const auto& [table, columns] : shape) {
      INFO(table);
      CHECK(rows_of(ground.files.database, table, columns) == before[table]);
    }

    // And it is a board that can be used.
    SeededRandom random{7};
    const Actor actor{"ann", std::nullopt};
    const Limits limits;
    const std::string slug = "default";
    const auto created = database->write([&](db::Writer& tx) {
      board::Change change{tx, k_now, actor, slug, limits, random};
      board::NewTask request;
      request.title = "after the upgrade";
      return board::create(change, request);
    });
    REQUIRE(created);
    CHECK_THAT(violations(), Catch::Matchers::Equals(std::vector<std::string>{}));
    CHECK(db::Database::open(ground.files, db::Database::Access::read, k_now));
  }
}
