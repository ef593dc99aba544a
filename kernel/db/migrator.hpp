#pragma once

#include "kernel/db/database.hpp"

namespace hermes::db {

// Brings the board to schema `to` under the write gate, one transaction per numbered file, each
// recorded with its checksum. A second migrator finds the work done. Throws DbError.
Result<void> migrate(Connection& connection, const BoardFiles& files, Instant now, Millis gate_wait,
                     std::int64_t to = schema_version());

// Compares the recorded checksums with those of the files compiled in: a board that was made by a
// program built from other migrations is not ours to change. Error: schema. Throws DbError.
Result<void> check_migrations(Connection& connection, const BoardFiles& files);

}  // namespace hermes::db
