#include "kernel/db/migrator.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"
#include "kernel/db/commit.hpp"
#include "kernel/db/gate.hpp"
#include "kernel/db/migration.hpp"

namespace hermes::db {

Result<void> migrate(Connection& connection, const BoardFiles& files, Instant now, Millis gate_wait,
                     std::int64_t to) {
  TRY_ASSIGN(const WriteGate gate, WriteGate::enter(files.lock, gate_wait));
  for (const EmbeddedMigration& step : embedded_migrations()) {
    connection.execute("BEGIN IMMEDIATE");
    try {
      if (step.number <= to && connection.pragma("user_version") < step.number) {
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT "
            "NOT NULL,"
            " sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
        connection.execute_script(reinterpret_cast<const char*>(step.sql));
        connection.execute(
            "INSERT INTO schema_migrations (number, name, sha256, applied_at) VALUES ($1, $2, $3, "
            "$4)",
            step.number, std::string_view(step.name), std::string_view(step.sha256), now);
        connection.execute_script(fmt::format("PRAGMA user_version = {}", step.number).c_str());
      }
      TRY(commit(connection, files.database));
    } catch (...) {
      roll_back(connection);
      throw;
    }
  }
  return {};
}

Result<void> check_migrations(Connection& connection, const BoardFiles& files) {
  const auto ours = embedded_migrations();
  Cursor row = connection.query("SELECT number, name, sha256 FROM schema_migrations");
  while (row.next()) {
    const auto same = std::find_if(ours.begin(), ours.end(), [&](const EmbeddedMigration& step) {
      return step.number == row.integer(0);
    });
    if (same != ours.end() && row.text(2) != same->sha256) {
      return fail(
          ErrorCode::schema,
          fmt::format("the board {} was made by a program built from other migrations: its step {} "
                      "({}) is not ours",
                      printable(files.database.string()), row.integer(0), printable(row.text(1))),
          "nothing was changed; use the hermes that made it, or carry its tasks over to a new "
          "board");
    }
  }
  return {};
}

}  // namespace hermes::db
