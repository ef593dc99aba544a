#pragma once

#include <cstddef>
#include <span>

namespace hermes::db {

// One migrations/NNNN_name.sql as compiled in.
struct EmbeddedMigration {
  int number;  // also the user_version it leads to
  const char* name;
  const char* sha256;
  const unsigned char* sql;  // NUL-terminated
  std::size_t size;          // bytes without the NUL
};

// In ascending order without gaps.
std::span<const EmbeddedMigration> embedded_migrations();

}  // namespace hermes::db
