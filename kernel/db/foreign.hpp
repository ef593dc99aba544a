#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "kernel/base/error.hpp"

struct sqlite3;

namespace hermes::db {

// A value of a database whose columns cannot be trusted to hold what they say. Text and blobs are
// bytes: they need not be UTF-8.
using ForeignValue = std::variant<std::monostate, std::int64_t, double, std::string>;

struct CloseForeign {
  void operator()(sqlite3* handle) const;
};
using ForeignHandle = std::unique_ptr<sqlite3, CloseForeign>;

// One row, asked by the names of its columns; null for a column that the table lacks.
class ForeignRow {
 public:
  ForeignRow(std::span<const std::string_view> names, std::span<const ForeignValue> values)
      : names_(names), values_(values) {}
  const ForeignValue& operator[](std::string_view name) const;

 private:
  std::span<const std::string_view> names_;
  std::span<const ForeignValue> values_;
};

// Copies the database at `path` into the new file `target`, by SQLite's backup API: one state of
// it, also while a program writes to it, with what its WAL holds. It is not judged. Error:
// not_found, invalid (no regular file, or a WAL beside it that is another's), conflict (`target` is
// there), damaged, busy, unavailable.
Result<void> copy_database(const std::filesystem::path& path, const std::filesystem::path& target);

// A private copy of an SQLite database of another program, made by SQLite's backup API: one state
// of it, also while that program writes. The original is opened read-only and never changed; the
// copy is a temporary file that nobody else sees. No CHECK of its schema is ever evaluated.
class ForeignCopy {
 public:
  // Error: as copy_database; damaged also when the copy fails PRAGMA quick_check.
  static Result<ForeignCopy> take(const std::filesystem::path& path);

  // Tables only: no view of a foreign schema is ever evaluated.
  bool has_table(std::string_view name) const;
  std::int64_t application_id() const;

  // Every row of `table`, in the order in which it was stored. `table` and `columns` are ours, not
  // the file's. Error: damaged.
  Result<void> each(std::string_view table, std::span<const std::string_view> columns,
                    const std::function<void(const ForeignRow&)>& take_row) const;

 private:
  ForeignCopy(std::filesystem::path path, ForeignHandle copy)
      : path_(std::move(path)), copy_(std::move(copy)) {}

  Result<void> check() const;

  std::filesystem::path path_;
  ForeignHandle copy_;
};

}  // namespace hermes::db
