#include "kernel/db/connection.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/core.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "kernel/base/text.hpp"

namespace hermes::db {

namespace {

constexpr int k_busy_timeout_ms = 5000;
constexpr int k_copy_tries = 50;
constexpr int k_copy_pause_ms = 20;
constexpr int k_journal_size_limit = 4 * 1024 * 1024;

// SQLite tells of a replay only in its log, which has to be asked for before its first use; it
// writes there on the thread that opened the database.
thread_local int wal_replays = 0;
[[maybe_unused]] const int k_log = sqlite3_config(
    SQLITE_CONFIG_LOG,
    +[](void*, int code, const char*) { wal_replays += code == SQLITE_NOTICE_RECOVER_WAL ? 1 : 0; },
    nullptr);

// SQLite says "malformed" also when the system could not read the file (its SQLITE_IOERR_CORRUPTFS
// becomes SQLITE_CORRUPT). A disk that fails for a moment is not a damaged board, and nobody should
// restore a backup for it.
DbError translated(const SQLite::Exception& error, int error_number) {
  const int code =
      error.getExtendedErrorCode() > 0 ? error.getExtendedErrorCode() : error.getErrorCode();
  if ((code & 0xff) == SQLITE_CORRUPT && (error_number == EIO || error_number == ENXIO)) {
    return {SQLITE_IOERR_READ, std::strerror(error_number)};
  }
  return {code, error.what()};
}

// Runs `call` and turns SQLiteCpp's exception into ours, so that no other room sees SQLiteCpp.
template <class Call>
auto guarded(Call call) -> decltype(call()) {
  errno = 0;  // so that what is there after a failure is of this call
  try {
    return call();
  } catch (const SQLite::Exception& error) {
    throw translated(error, errno);
  }
}

// Parameters are written $1, $2 …; for SQLite these are names that it numbers by first appearance,
// so each is looked up. A value whose parameter the text does not use is left out.
void bind_all(SQLite::Statement& statement, std::span<const Value> values) {
  static constexpr const char* k_names[] = {"$1",  "$2",  "$3",  "$4",  "$5",  "$6",  "$7",  "$8",
                                            "$9",  "$10", "$11", "$12", "$13", "$14", "$15", "$16",
                                            "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24",
                                            "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32",
                                            "$33", "$34", "$35", "$36", "$37", "$38", "$39", "$40"};
  if (values.size() > std::size(k_names)) {
    throw DbError(SQLITE_MISUSE, "too many parameters");
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int place = statement.getIndex(k_names[i]);
    if (place == 0) {
      continue;
    }
    if (const auto* number = std::get_if<std::int64_t>(&values[i])) {
      statement.bind(place, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&values[i])) {
      statement.bind(place, std::string(*text));
    } else {
      statement.bind(place);
    }
  }
}

struct Prepared {
  std::unique_ptr<SQLite::Statement> statement;
  bool busy = false;
};

Error out_of_memory(const std::string& board) {
  return {ErrorCode::unavailable, fmt::format("out of memory at the board {}", board),
          "nothing was changed; free some memory and try again"};
}

struct Patience {
  int steps_left;
};

int wait_one_step(void* data, int) {
  auto* patience = static_cast<Patience*>(data);
  if (patience->steps_left-- <= 0) {
    return 0;
  }
  sqlite3_sleep(1);
  return 1;
}

}  // namespace

Error to_error(const DbError& error, const std::filesystem::path& path) {
  const std::string board = printable(path.string());
  // SQLite repeats what it stumbled over, which may be anything that stands in a file.
  const std::string said = printable(clip(error.what(), 300));
  switch (error.code() & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:  // others have held the locks of the wal-index for about 10 s
      return {ErrorCode::busy, fmt::format("the board {} is busy: {}", board, said), "try again"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::damaged, fmt::format("the board {} is damaged: {}", board, said),
              "nothing was changed; take a backup back with `hermes kanban restore FILE`, or save "
              "what can be read with: "
              "sqlite3 board.db .recover"};
    case SQLITE_FULL:
      return {ErrorCode::unavailable,
              fmt::format("disk full: {} cannot grow; nothing was changed", board),
              "free some space on that filesystem and try again"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorCode::unavailable, fmt::format("cannot open {} for writing: {}", board, said),
              "check that the file and its directory exist and that you may write there"};
    case SQLITE_NOMEM:
      return out_of_memory(board);
    case SQLITE_IOERR:
      if (error.code() == SQLITE_IOERR_NOMEM) {
        return out_of_memory(board);
      }
      return {ErrorCode::unavailable, fmt::format("I/O error on {}: {}", board, said),
              "nothing was changed; check the disk (dmesg) and free space"};
    default:
      return {ErrorCode::internal,
              fmt::format("unexpected database error on {}: {} ({})", board, said, error.code()),
              "this is a bug of Hermes: please report it"};
  }
}

std::string stated_problem(std::string_view row) {
  if (row.starts_with("***")) {  // "*** in database main ***"
    const std::size_t line = row.find('\n');
    return std::string(line == std::string_view::npos ? row : row.substr(line + 1));
  }
  return std::string(row);
}

struct Connection::State {
  State(const std::filesystem::path& path, OpenMode mode)
      : database(path.string(),
                 SQLite::OPEN_READWRITE | (mode == OpenMode::create ? SQLite::OPEN_CREATE : 0)) {}

  SQLite::Database database;
  std::map<std::string, Prepared, std::less<>> prepared;
  int frames = 0;       // in the WAL after the last commit
  int last_commit = 0;  // of which it wrote this many
  int written = 0;      // pages this connection has ever written
};

Connection::Connection(const std::filesystem::path& path, OpenMode mode) {
  guarded([&] {
    state_ = std::make_unique<State>(path, mode);
    sqlite3* handle = state_->database.getHandle();
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    // A query has one plan. Without it one that compares a column of a partial index with a
    // parameter is prepared again each time that the parameter changes.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr);
    state_->database.setBusyTimeout(k_busy_timeout_ms);
    state_->database.exec(
        "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
    state_->database.exec(fmt::format("PRAGMA journal_size_limit = {}", k_journal_size_limit));
    sqlite3_wal_hook(
        handle,
        [](void* data, sqlite3* db, const char*, int frames) {
          auto* state = static_cast<State*>(data);
          int written = 0;
          int unused = 0;
          sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_WRITE, &written, &unused, 0);
          state->frames = frames;
          state->last_commit = written - std::exchange(state->written, written);
          return SQLITE_OK;
        },
        state_.get());
  });
}

Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

Cursor Connection::prepare(std::string_view sql, std::span<const Value> values) {
  return guarded([&] {
    auto found = state_->prepared.find(sql);
    if (found == state_->prepared.end()) {
      Prepared fresh{std::make_unique<SQLite::Statement>(state_->database, std::string(sql))};
      found = state_->prepared.emplace(std::string(sql), std::move(fresh)).first;
    }
    Prepared& kept = found->second;
    if (kept.busy) {  // the same statement is being stepped further up: a second one, not kept
      auto extra = std::make_unique<SQLite::Statement>(state_->database, std::string(sql));
      bind_all(*extra, values);
      return Cursor({extra.release(), nullptr, true});
    }
    bind_all(*kept.statement, values);
    kept.busy = true;
    return Cursor({kept.statement.get(), &kept.busy, false});
  });
}

int Connection::run(std::string_view sql, std::span<const Value> values) {
  Cursor cursor = prepare(sql, values);
  while (cursor.next()) {
  }
  return sqlite3_changes(state_->database.getHandle());
}

void Connection::execute_script(const char* sql) {
  guarded([&] { state_->database.exec(sql); });
}

// All pages in one step, so in one read transaction: SQLite would begin anew whenever another
// process commits between two steps.
void Connection::copy_into(Connection& target) {
  sqlite3* to = target.state_->database.getHandle();
  sqlite3_backup* backup = sqlite3_backup_init(to, "main", state_->database.getHandle(), "main");
  if (backup == nullptr) {
    throw DbError(sqlite3_extended_errcode(to), sqlite3_errmsg(to));
  }
  int code = sqlite3_backup_step(backup, -1);
  for (int tries = 0; (code == SQLITE_BUSY || code == SQLITE_LOCKED) && tries < k_copy_tries;
       ++tries) {
    sqlite3_sleep(k_copy_pause_ms);
    code = sqlite3_backup_step(backup, -1);
  }
  const int finished = sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE || finished != SQLITE_OK) {
    const int problem = code != SQLITE_DONE ? code : finished;
    throw DbError(problem, sqlite3_errstr(problem));
  }
}

std::int64_t Connection::last_insert_id() const { return state_->database.getLastInsertRowid(); }

std::int64_t Connection::pragma(std::string_view name) {
  Cursor cursor = query(fmt::format("PRAGMA {}", name));
  return cursor.next() ? cursor.integer(0) : 0;
}

void Connection::set_pragma(std::string_view name, std::int64_t value) {
  execute_script(fmt::format("PRAGMA {} = {}", name, value).c_str());
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(state_->database.getHandle()) == 0;
}

int Connection::wal_frames() const { return state_->frames; }
int Connection::frames_of_last_commit() const { return state_->last_commit; }

bool Connection::checkpoint(Checkpoint kind, Millis patience) {
  sqlite3* handle = state_->database.getHandle();
  Patience steps{static_cast<int>(patience.count())};
  sqlite3_busy_handler(handle, wait_one_step, &steps);
  int in_log = 0;
  int copied = 0;
  const int mode =
      kind == Checkpoint::truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(handle, nullptr, mode, &in_log, &copied);
  sqlite3_busy_timeout(handle, k_busy_timeout_ms);
  if (code == SQLITE_OK) {
    state_->frames = kind == Checkpoint::truncate ? 0 : in_log;
  }
  return code == SQLITE_OK && in_log == copied;
}

int wal_replays_of_this_thread() { return wal_replays; }

Cursor::Cursor(Cursor&& other) noexcept
    : slot_(std::exchange(other.slot_, {nullptr, nullptr, false})) {}

Cursor::~Cursor() {
  if (slot_.statement == nullptr) {
    return;
  }
  if (slot_.owned) {
    delete slot_.statement;
    return;
  }
  slot_.statement->tryReset();
  try {
    slot_.statement->clearBindings();   // lets go of large texts
  } catch (const SQLite::Exception&) {  // they stay until the statement is used again
  }
  *slot_.busy = false;
}

bool Cursor::next() {  // NOLINT(readability-make-member-function-const): it moves the cursor
  return guarded([&] { return slot_.statement->executeStep(); });
}

bool Cursor::is_null(int column) const { return slot_.statement->isColumnNull(column); }
std::int64_t Cursor::integer(int column) const {
  return slot_.statement->getColumn(column).getInt64();
}
std::string Cursor::text(int column) const {
  return slot_.statement->getColumn(column).getString();
}

std::optional<std::int64_t> Cursor::maybe_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}
std::optional<std::string> Cursor::maybe_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}
std::optional<Instant> Cursor::maybe_instant(int column) const {
  return is_null(column) ? std::nullopt : std::optional(instant(column));
}

void Cursor::unknown_word(const std::string& found) {
  throw DbError(SQLITE_CORRUPT,
                fmt::format("unknown word '{}' in a column with a closed list", printable(found)));
}

std::string loaded_sqlite() {
  return fmt::format("{} ({})", sqlite3_libversion(), sqlite3_sourceid());
}

}  // namespace hermes::db
