#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "kernel/base/error.hpp"
#include "kernel/db/connection.hpp"
#include "kernel/db/gate.hpp"

namespace hermes::db {

// "HRMS": marks an SQLite file as a Hermes board.
inline constexpr std::int64_t k_application_id = 0x48524d53;

// The user_version this program writes: the number of its last migration.
int schema_version();

struct BoardFiles {
  std::filesystem::path database;  // board.db
  std::filesystem::path lock;      // board.lock, the write gate
};

// A read transaction: sees one state of the board and can only query.
class Reader {
 public:
  explicit Reader(Connection& connection) : connection_(connection) {}

  template <class... Args>
  Cursor query(std::string_view sql, const Args&... args) {
    return connection_.query(sql, args...);
  }

 protected:
  Connection& connection_;
};

// A write transaction under the write gate.
class Writer : public Reader {
 public:
  using Reader::Reader;

  template <class... Args>
  int execute(std::string_view sql, const Args&... args) {
    return connection_.execute(sql, args...);
  }
  std::int64_t last_insert_id() const { return connection_.last_insert_id(); }
};

// One connection to one board: the only way in. Readers take no gate and write nothing; writers go
// through the gate one at a time, COMMIT before anything is acknowledged, and checkpoint under the
// gate when the WAL has grown.
class Database {
 public:
  // Creates board.db and board.lock in an existing directory that has neither. Used by `init` and
  // `boards create` only.
  static Result<void> create(const BoardFiles& files, Instant now);

  enum class Access {
    read,   // an older schema is refused (code schema), naming what migrates it
    write,  // an older schema is migrated under the gate, one transaction per file
    as_is,  // an older schema stays, for copies and repairs: only what every schema has is touched
  };
  // Error: not_found, damaged, schema (newer: both versions named; other migrations), unavailable,
  // busy. Never changes a damaged or newer file.
  static Result<Database> open(const BoardFiles& files, Access access, Instant now,
                               Millis gate_wait = std::chrono::seconds{30});

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  Database(Database&&) noexcept = default;
  Database& operator=(Database&&) noexcept = default;
  ~Database() = default;

  // `body` takes Reader& and returns a Result. Rows are copied out before anything is printed or
  // sent.
  template <class Body>
  auto read(Body body) -> std::invoke_result_t<Body, Reader&> {
    std::optional<std::invoke_result_t<Body, Reader&>> result;
    TRY(run_read([&](Reader& reader) { result.emplace(body(reader)); }));
    return std::move(*result);
  }

  // `body` takes Writer& and returns a Result. Its error, or an exception of the database, rolls
  // everything back; a value means that COMMIT returned. Error: busy when the gate could not be had
  // within `gate_wait`; schema when a newer program has migrated the board; unavailable when the
  // board was moved away or replaced since it was opened (so with `read`), or
  // `cancellation` was requested at the gate.
  template <class Body>
  auto write(Body body, Millis gate_wait = std::chrono::seconds{30},
             Cancellation* cancellation = nullptr) -> std::invoke_result_t<Body, Writer&> {
    std::optional<std::invoke_result_t<Body, Writer&>> result;
    TRY(run_write(
        [&](Writer& writer) {
          result.emplace(body(writer));
          return result->has_value();
        },
        gate_wait, cancellation));
    return std::move(*result);
  }

  // Changes with every commit of another connection; unchanged after one's own.
  Result<std::int64_t> data_version();

  // Copies the WAL back and empties it, under the gate: for a board that has gone quiet.
  Result<void> truncate_wal(Millis gate_wait);

  // Whether the board was made by these very migrations; writers are refused by `open` otherwise.
  // Error: schema.
  Result<void> check_migrations();

  // PRAGMA integrity_check or quick_check: the problems found, at most 20 (`all`: 10,000), none
  // when healthy.
  Result<std::vector<std::string>> check_integrity(bool quick, bool all = false);

  // Copies one state of the board into `target`, which must not exist: a single file (0600, no WAL
  // beside it), synced. Everything acknowledged before the call is in it. Error: damaged, and no
  // file, when the copy is not sound; `as_found` keeps it all the same.
  Result<void> copy_to(const std::filesystem::path& target, bool as_found = false);

  // Makes a board of the file at files.database, which nobody has open and which came from outside:
  // it must be sound, a board, not newer than this program, and have this program's schema once it
  // is migrated. Makes files.lock. Error: damaged, schema.
  static Result<Database> adopt(const BoardFiles& files, Instant now);

  const BoardFiles& files() const { return files_; }

 private:
  using FileIdentity = std::pair<dev_t, ino_t>;
  Database(BoardFiles files, FileIdentity identity, Connection connection)
      : files_(std::move(files)),
        identity_(std::move(identity)),
        connection_(std::move(connection)) {}

  // Error: unavailable when another file stands at the path by now, or none. What is committed to
  // the one that is open would be lost.
  Result<void> check_still_there() const;

  Result<void> run_read(const std::function<void(Reader&)>& body);
  Result<void> run_write(const std::function<bool(Writer&)>& body, Millis gate_wait,
                         Cancellation* cancellation);
  void checkpoint_if_due();

  BoardFiles files_;
  FileIdentity identity_;
  Connection connection_;
  bool replayed_wal_ = false;  // when it was opened, and nothing has been committed since
};

}  // namespace hermes::db
