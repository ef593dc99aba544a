#pragma once

#include <filesystem>

#include "kernel/base/error.hpp"
#include "kernel/db/connection.hpp"

// How a write transaction ends. An error before COMMIT means that nothing was changed; an error of
// COMMIT itself does not.
namespace hermes::db {

// COMMIT; rolls back when it fails. SQLite notes in the index of the WAL what it has written and
// synced, and may fail at that, or at the sync: undone for whoever has the board open, but the
// transaction may be whole in the WAL, and then it counts for the next recovery. Such an error says
// so, with one hint for all of them.
Result<void> commit(Connection& connection, const std::filesystem::path& path);

// Whether this is such an error. What belongs to the transaction must stay then.
bool may_be_kept(const Error& error);

// What is open, if anything: SQLite has rolled back by itself after some errors. Never throws, as
// the error that has led here is the one to report.
void roll_back(Connection& connection);

}  // namespace hermes::db
