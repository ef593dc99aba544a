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

// A private copy of an SQLite database of another program, made by SQLite's backup API: one state
// of it, also while that program writes. The original is opened read-only and never changed; the
// copy is a temporary file that nobody else sees.
class ForeignCopy {
 public:
  // Error: not_found, invalid (no regular file), damaged (the copy fails PRAGMA quick_check), busy,
  // unavailable.
  static Result<ForeignCopy> take(const std::filesystem::path& path);

  // Tables only: no view of a foreign schema is ever evaluated.
  bool has_table(std::string_view name) const;
  std::int64_t application_id() const;

  // Every row of `table`, in the order in which it was stored. `table` and `columns` are ours, not
  // the file's. Error: damaged.
  Result<void> each(std::string_view table, std::span<const std::string_view> columns,
                    const std::function<void(const ForeignRow&)>& take_row) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  using Handle = std::unique_ptr<sqlite3, Close>;
  ForeignCopy(std::filesystem::path path, Handle copy)
      : path_(std::move(path)), copy_(std::move(copy)) {}

  static Result<Handle> copy_of(const std::filesystem::path& path, bool at_rest);
  Result<void> check() const;

  std::filesystem::path path_;
  Handle copy_;
};

}  // namespace hermes::db
