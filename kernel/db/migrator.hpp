#pragma once

#include "kernel/db/database.hpp"

namespace hermes::db {

// Brings the board to schema_version() under the write gate, one transaction per numbered file,
// each recorded with its checksum. A second migrator finds the work done. Throws DbError.
Result<void> migrate(Connection& connection, const BoardFiles& files, Instant now,
                     Millis gate_wait);

}  // namespace hermes::db
