#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "kernel/base/error.hpp"
#include "kernel/base/instant.hpp"
#include "kernel/db/statement.hpp"
#include "kernel/db/value.hpp"

namespace hermes::db {

// A failed SQLite call. Thrown inside kernel/db and kernel/board only; Database::read and ::write
// convert it once.
class DbError : public std::runtime_error {
 public:
  DbError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }  // SQLite's extended result code

 private:
  int code_;
};

// The Error for a failed call on the board at `path`: busy, damaged, unavailable (full, read-only,
// I/O) or internal.
Error to_error(const DbError& error, const std::filesystem::path& path);

// Of what PRAGMA integrity_check says in one row: the problem, without the heading that only names
// the database.
std::string stated_problem(std::string_view row);

enum class OpenMode { create, existing };

// One SQLite connection with the settings every connection has (kernel design, section 2): no
// automatic checkpoints, none on close, synchronous FULL, foreign keys. Statements are prepared
// once and kept.
class Connection {
 public:
  // Throws DbError.
  Connection(const std::filesystem::path& path, OpenMode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  template <class... Args>
  Cursor query(std::string_view sql, const Args&... args) {
    const Value values[] = {to_value(args)..., nullptr};
    return prepare(sql, std::span(values, sizeof...(args)));
  }

  // Runs to the end; returns the number of rows changed.
  template <class... Args>
  int execute(std::string_view sql, const Args&... args) {
    const Value values[] = {to_value(args)..., nullptr};
    return run(sql, std::span(values, sizeof...(args)));
  }

  // Several statements separated by semicolons, without parameters.
  void execute_script(const char* sql);

  // Replaces what is in `target` by one state of this database, with SQLite's backup API: writers
  // are not held up, and what they commit meanwhile is not part of the copy.
  void copy_into(Connection& target);

  std::int64_t last_insert_id() const;
  std::int64_t pragma(std::string_view name);  // the integer a PRAGMA answers
  void set_pragma(std::string_view name, std::int64_t value);
  bool in_transaction() const;

  // Frames in the WAL after this connection's last commit.
  int wal_frames() const;
  int frames_of_last_commit() const;

  enum class Checkpoint { passive, truncate };
  // True when everything was copied back (and for truncate the WAL is empty). A reader in the way
  // is no error. `patience`: how long truncate waits for readers, in steps of 1 ms.
  bool checkpoint(Checkpoint kind, Millis patience);

 private:
  struct State;
  Cursor prepare(std::string_view sql, std::span<const Value> values);
  int run(std::string_view sql, std::span<const Value> values);

  std::unique_ptr<State> state_;
};

// How often SQLite has replayed a WAL on this thread: it reads each frame when it opens a database
// that nobody else has open.
int wal_replays_of_this_thread();

// The version of the SQLite library that is loaded now, with its source id.
std::string loaded_sqlite();

}  // namespace hermes::db
