#include "kernel/db/foreign.hpp"

#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <vector>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/db/connection.hpp"

namespace hermes::db {

namespace {

constexpr int k_busy_timeout_ms = 5000;
constexpr int k_most_tries = 50;
constexpr int k_pause_ms = 100;
constexpr int k_longest_value = 64 * 1024 * 1024;  // bytes; what an expression may make as well

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

std::unexpected<Error> failed(sqlite3* handle, const std::filesystem::path& path) {
  return std::unexpected(
      to_error(DbError(sqlite3_extended_errcode(handle), sqlite3_errmsg(handle)), path));
}

Statement prepared(sqlite3* handle, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(handle, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  return Statement(statement);
}

ForeignValue value_of(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      return std::monostate{};
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(row, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    default: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
      return bytes == nullptr ? std::string() : std::string(bytes, size);
    }
  }
}

// For a file: URI (sqlite.org/uri.html).
std::string uri_of(const std::filesystem::path& path, bool at_rest) {
  std::string out = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/-._~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out + (at_rest ? "?mode=ro&immutable=1" : "?mode=ro");
}

// What tells that a file was changed meanwhile, or that somebody has it open.
struct Look {
  struct stat facts {};
  bool at_rest = false;  // neither a WAL nor a rollback journal beside it

  bool same(const Look& other) const {
    const auto equal = [](const timespec& a, const timespec& b) {
      return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
    };
    return facts.st_ino == other.facts.st_ino && facts.st_size == other.facts.st_size &&
           equal(facts.st_mtim, other.facts.st_mtim) && at_rest == other.at_rest;
  }
};

// SQLite would read any WAL of the right name, and bring back what was there before the file was
// replaced. Byte 18 of a database that ever had a WAL of its own is 2
// (sqlite.org/fileformat2.html).
Result<void> refuse_strange_wal(const std::filesystem::path& path,
                                const std::filesystem::path& wal) {
  constexpr std::size_t k_write_version = 18;
  std::array<char, k_write_version + 1> head{};
  struct stat facts {};
  if (::stat(wal.c_str(), &facts) != 0 || facts.st_size == 0) {
    return {};
  }
  TRY_ASSIGN(const Fd file, open_regular(path));
  if (::read(file.get(), head.data(), head.size()) != static_cast<ssize_t>(head.size()) ||
      head[k_write_version] == 2) {
    return {};
  }
  return fail(
      ErrorCode::invalid,
      fmt::format("{} lies beside {}, which was written without one: it is of an older file "
                  "of that name",
                  printable(wal.string()), printable(path.filename().string())),
      "remove it, or move it away, and try again");
}

Result<Look> look_at(const std::filesystem::path& path) {
  Look look;
  if (::stat(path.c_str(), &look.facts) != 0) {
    const int problem = errno;
    if (problem == ENOENT || problem == ENOTDIR) {
      return fail(ErrorCode::not_found, fmt::format("no such file: {}", printable(path.string())));
    }
    return std::unexpected(system_error("read", path, problem));
  }
  if (!S_ISREG(look.facts.st_mode)) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is not a regular file", printable(path.string())));
  }
  const std::filesystem::path wal = path.string() + "-wal";
  look.at_rest = !is_there(wal) && !is_there(path.string() + "-journal");
  TRY(refuse_strange_wal(path, wal));
  return look;
}

}  // namespace

const ForeignValue& ForeignRow::operator[](std::string_view name) const {
  static const ForeignValue k_null;
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? k_null : values_[static_cast<std::size_t>(found - names_.begin())];
}

void CloseForeign::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

namespace {

// A file that nobody has open is read as `immutable`: an ordinary read-only connection would leave
// a -wal and a -shm beside a database in WAL mode, and could not read one on read-only media at
// all. "" as the target is a temporary file.
Result<ForeignHandle> copy_of(const std::filesystem::path& path, bool at_rest,
                              const std::string& target) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(uri_of(path, at_rest).c_str(), &opened,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  const ForeignHandle source(opened);
  if (code != SQLITE_OK) {
    return failed(source.get(), path);
  }
  sqlite3_db_config(source.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_busy_timeout(source.get(), k_busy_timeout_ms);
  opened = nullptr;
  if (sqlite3_open_v2(target.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                      nullptr) != SQLITE_OK) {
    const ForeignHandle broken(opened);
    return failed(broken.get(), target);
  }
  ForeignHandle copy(opened);
  sqlite3_backup* backup = sqlite3_backup_init(copy.get(), "main", source.get(), "main");
  if (backup == nullptr) {
    return failed(copy.get(), path);
  }
  int step = SQLITE_OK;
  for (int i = 0; i < k_most_tries; ++i) {
    step = sqlite3_backup_step(backup, -1);
    if (step != SQLITE_BUSY && step != SQLITE_LOCKED) {
      break;
    }
    sqlite3_sleep(k_pause_ms);
  }
  const int finished = sqlite3_backup_finish(backup);
  if (step != SQLITE_DONE || finished != SQLITE_OK) {
    const int problem = step != SQLITE_DONE ? step : finished;
    return std::unexpected(to_error(DbError(problem, sqlite3_errstr(problem)), path));
  }
  return copy;
}

Result<ForeignHandle> take_copy(const std::filesystem::path& path, const std::string& target) {
  TRY_ASSIGN(const Look before, look_at(path));
  if (before.at_rest) {
    auto copy = copy_of(path, true, target);
    TRY_ASSIGN(const Look after, look_at(path));
    if (before.same(after)) {  // else somebody came to write: again, with locks
      return copy;
    }
  }
  return copy_of(path, false, target);
}

}  // namespace

Result<void> copy_database(const std::filesystem::path& path, const std::filesystem::path& target) {
  TRY_ASSIGN(NewFile file, NewFile::create(target));
  { TRY_ASSIGN(const ForeignHandle copy, take_copy(path, target.string())); }
  TRY(file.sync());
  file.keep();
  return {};
}

Result<ForeignCopy> ForeignCopy::take(const std::filesystem::path& path) {
  TRY_ASSIGN(ForeignHandle handle, take_copy(path, ""));
  ForeignCopy taken(path, std::move(handle));
  TRY(taken.check());
  return taken;
}

Result<void> ForeignCopy::check() const {
  sqlite3_db_config(copy_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(copy_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(copy_.get(), SQLITE_LIMIT_LENGTH, k_longest_value);
  sqlite3_exec(copy_.get(), "PRAGMA ignore_check_constraints = ON", nullptr, nullptr, nullptr);
  const Statement statement = prepared(copy_.get(), "PRAGMA quick_check(1)");
  if (!statement || sqlite3_step(statement.get()) != SQLITE_ROW) {
    return failed(copy_.get(), path_);
  }
  const std::string said(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0)));
  if (said != "ok") {
    return std::unexpected(to_error(DbError(SQLITE_CORRUPT, stated_problem(said)), path_));
  }
  return {};
}

bool ForeignCopy::has_table(std::string_view name) const {
  const Statement statement =
      prepared(copy_.get(), "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1");
  sqlite3_bind_text(statement.get(), 1, name.data(), static_cast<int>(name.size()),
                    SQLITE_TRANSIENT);
  return statement && sqlite3_step(statement.get()) == SQLITE_ROW;
}

std::int64_t ForeignCopy::application_id() const {
  const Statement statement = prepared(copy_.get(), "PRAGMA application_id");
  return statement && sqlite3_step(statement.get()) == SQLITE_ROW
             ? sqlite3_column_int64(statement.get(), 0)
             : 0;
}

Result<void> ForeignCopy::each(std::string_view table, std::span<const std::string_view> columns,
                               const std::function<void(const ForeignRow&)>& take_row) const {
  std::set<std::string, std::less<>> present;
  {
    const Statement info = prepared(copy_.get(), fmt::format("PRAGMA table_info('{}')", table));
    while (info && sqlite3_step(info.get()) == SQLITE_ROW) {
      present.emplace(reinterpret_cast<const char*>(sqlite3_column_text(info.get(), 1)));
    }
  }
  std::string list;
  for (const std::string_view column : columns) {
    list += list.empty() ? "" : ", ";
    list += present.contains(column) ? fmt::format("\"{}\"", column) : "NULL";
  }
  // NOT INDEXED: a covering index would give its own order.
  const Statement rows =
      prepared(copy_.get(), fmt::format("SELECT {} FROM \"{}\" NOT INDEXED", list, table));
  if (!rows) {
    return failed(copy_.get(), path_);
  }
  std::vector<ForeignValue> values(columns.size());
  int step = SQLITE_OK;
  while ((step = sqlite3_step(rows.get())) == SQLITE_ROW) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      values[i] = value_of(rows.get(), static_cast<int>(i));
    }
    take_row(ForeignRow(columns, values));
  }
  if (step != SQLITE_DONE) {
    return failed(copy_.get(), path_);
  }
  return {};
}

}  // namespace hermes::db
