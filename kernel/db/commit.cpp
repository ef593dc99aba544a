#include "kernel/db/commit.hpp"

#include <sqlite3.h>

namespace hermes::db {

namespace {

constexpr const char* k_may_be_kept =
    "the change may be kept or not: check the disk (dmesg), free space and memory, then look "
    "before you try again";

// A lock that was not had, a rule of the schema, and a write for which there was no room: the frame
// that would make the transaction count is not whole.
bool is_surely_undone(const DbError& error) {
  const int kind = error.code() & 0xff;
  return kind == SQLITE_BUSY || kind == SQLITE_CONSTRAINT || kind == SQLITE_FULL;
}

}  // namespace

Result<void> commit(Connection& connection, const std::filesystem::path& path) {
  try {
    connection.execute("COMMIT");
    return {};
  } catch (const DbError& error) {
    roll_back(connection);
    Error told = to_error(error, path);
    if (!is_surely_undone(error)) {
      told.hint = k_may_be_kept;
    }
    return std::unexpected(std::move(told));
  }
}

bool may_be_kept(const Error& error) { return error.hint == k_may_be_kept; }

void roll_back(Connection& connection) {
  if (!connection.in_transaction()) {
    return;
  }
  try {
    connection.execute("ROLLBACK");
  } catch (const DbError&) {  // it is undone when the connection is closed
  }
}

}  // namespace hermes::db
