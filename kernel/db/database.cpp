#include "kernel/db/database.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/db/commit.hpp"
#include "kernel/db/gate.hpp"
#include "kernel/db/migration.hpp"
#include "kernel/db/migrator.hpp"

namespace hermes::db {

namespace {

// Frames (pages of 4 KiB) in the WAL at which checkpoints begin. Decided by frames, never by file
// size: a reset WAL keeps its size.
constexpr int k_alone_from = 200;
constexpr int k_passive_from = 1000;
constexpr int k_passive_every = 250;
constexpr int k_truncate_from = 3000;
constexpr int k_truncate_every = 100;
constexpr int k_stuck_from = 8000;
constexpr int k_stuck_every = 1000;
constexpr Millis k_truncate_patience{100};

struct TruncatePolicy {
  int every;        // frames between two attempts
  Millis patience;  // for readers, under the gate
};

// A read transaction lasts at most 1 s. A fixed 100 ms every 1,000 frames lost against four
// overlapping readers of 200 ms nine times in ten, and the WAL grew to hundreds of MiB; so the
// patience doubles until it outlasts them. Past 8,000 frames some reader is stuck, and waiting for
// it would only slow every writer down: then a short attempt now and then.
TruncatePolicy truncate_policy(int frames) {
  if (frames >= k_stuck_from) {
    return {k_stuck_every, k_truncate_patience};
  }
  return {k_truncate_every,
          k_truncate_patience * (1 << std::clamp((frames - k_truncate_from) / 500, 0, 2))};
}

Result<void> refuse_network_filesystem(const std::filesystem::path& path) {
  if (const auto kind = network_filesystem(path)) {
    return fail(
        ErrorCode::unavailable,
        fmt::format("{} lies on a network filesystem ({}), where SQLite's locks cannot be trusted",
                    printable(path.string()), *kind),
        "set HERMES_HOME to a directory on a local disk");
  }
  return {};
}

Error newer_schema(std::int64_t found, const std::filesystem::path& path) {
  return {ErrorCode::schema,
          fmt::format("the board {} has schema {}, this program knows up to {}",
                      printable(path.string()), found, schema_version()),
          "use the newer hermes that migrated it"};
}

// What kind of file this is: refuses anything that is not a board of a version we know.
Result<void> check_identity(Connection& connection, const std::filesystem::path& path,
                            Database::Access access) {
  const auto application = connection.pragma("application_id");
  const auto version = connection.pragma("user_version");
  if (application != k_application_id || version < 1) {
    return fail(ErrorCode::damaged,
                fmt::format("{} is not a Hermes board (or was emptied)", printable(path.string())),
                "nothing was changed; take a backup back with `hermes kanban restore FILE`, or "
                "move the directory away "
                "and create the board anew");
  }
  if (version > schema_version()) {
    return std::unexpected(newer_schema(version, path));
  }
  if (version < schema_version() && access == Database::Access::read) {
    return fail(ErrorCode::schema,
                fmt::format("the board {} has schema {}, this program needs {}",
                            printable(path.string()), version, schema_version()),
                "any writing verb, `hermes init` or starting the dispatcher migrates it");
  }
  return {};
}

}  // namespace

int schema_version() { return embedded_migrations().back().number; }

Result<void> Database::create(const BoardFiles& files, Instant now) {
  TRY(refuse_network_filesystem(files.database.parent_path()));
  for (const auto& path : {files.lock, files.database}) {
    const Fd made(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made) {
      return std::unexpected(system_error("create", path, errno));
    }
  }
  try {
    Connection connection(files.database, OpenMode::create);
    connection.query("PRAGMA journal_mode = WAL").next();  // once, here; afterwards it is only read
    connection.execute_script(fmt::format("PRAGMA application_id = {}", k_application_id).c_str());
    TRY(migrate(connection, files, now, std::chrono::seconds{30}));
    connection.checkpoint(Connection::Checkpoint::truncate, k_truncate_patience);
  } catch (const DbError& error) {
    return std::unexpected(to_error(error, files.database));
  }
  return sync_directory(files.database.parent_path());
}

Result<Database> Database::open(const BoardFiles& files, Access access, Instant now,
                                Millis gate_wait) {
  struct stat facts {};
  if (::stat(files.database.c_str(), &facts) != 0) {  // stat opens nothing, so it drops no lock
    if (errno == ENOENT) {
      return fail(ErrorCode::damaged,
                  fmt::format("the board file {} is missing", printable(files.database.string())),
                  "restore it from a backup, or move its directory away and create the board anew");
    }
    return std::unexpected(system_error("open", files.database, errno));
  }
  TRY(refuse_network_filesystem(files.database));
  try {
    const int replays = wal_replays_of_this_thread();
    Connection connection(files.database, OpenMode::existing);
    TRY(check_identity(connection, files.database, access));
    if (access == Access::write) {
      TRY(db::check_migrations(connection, files));
    }
    if (access == Access::write && connection.pragma("user_version") < schema_version()) {
      TRY(migrate(connection, files, now, gate_wait));
    }
    // The identity was read first: if another file came in between, the first use finds out.
    Database opened(files, {facts.st_dev, facts.st_ino}, std::move(connection));
    opened.replayed_wal_ = wal_replays_of_this_thread() != replays;
    return opened;
  } catch (const DbError& error) {
    return std::unexpected(to_error(error, files.database));
  }
}

Result<void> Database::check_still_there() const {
  struct stat facts {};
  if (::stat(files_.database.c_str(), &facts) == 0 &&
      FileIdentity(facts.st_dev, facts.st_ino) == identity_) {
    return {};
  }
  return fail(ErrorCode::unavailable,
              fmt::format("the board {} was moved away or replaced while it was in use",
                          printable(files_.database.string())),
              "nothing was changed; try again");
}

Result<void> Database::run_read(const std::function<void(Reader&)>& body) {
  TRY(check_still_there());
  try {
    connection_.execute("BEGIN");
    try {
      Reader reader(connection_);
      body(reader);
    } catch (...) {
      connection_.execute("ROLLBACK");
      throw;
    }
    connection_.execute("COMMIT");
    return {};
  } catch (const DbError& error) {
    return std::unexpected(to_error(error, files_.database));
  }
}

Result<void> Database::run_write(const std::function<bool(Writer&)>& body, Millis gate_wait,
                                 Cancellation* cancellation) {
  TRY(check_still_there());
  TRY_ASSIGN(const WriteGate gate, WriteGate::enter(files_.lock, gate_wait, cancellation));
  TRY(check_still_there());  // whoever moves a board holds its gate
  const auto roll_back = [&] { db::roll_back(connection_); };
  try {
    connection_.execute("BEGIN IMMEDIATE");
    if (const auto version = connection_.pragma("user_version"); version != schema_version()) {
      roll_back();
      if (version < schema_version()) {
        return fail(ErrorCode::unavailable,
                    fmt::format("the board {} was replaced by an older one (schema {})",
                                printable(files_.database.string()), version),
                    "try again: it is migrated when it is opened");
      }
      return std::unexpected(newer_schema(version, files_.database));
    }
    Writer writer(connection_);
    if (!body(writer)) {
      roll_back();
      return {};
    }
    TRY(commit(connection_, files_.database));
  } catch (const DbError& error) {
    roll_back();
    return std::unexpected(to_error(error, files_.database));
  } catch (...) {
    roll_back();
    throw;
  }
  checkpoint_if_due();  // the commit stands whatever happens here
  return {};
}

// Most writers are short-lived processes without a memory of the last checkpoint, so "every 250
// frames" is decided by whether this very commit crossed a multiple of 250. Otherwise each new
// process would try again, and wait for readers, under the gate. What only PASSIVE has copied back
// is forgotten with the last process that has the board open, and the next one replays it all: 2.8
// ms for 1,000 frames. So where processes come and go alone, whoever had to replay empties the WAL.
void Database::checkpoint_if_due() {
  const int frames = connection_.wal_frames();
  if (std::exchange(replayed_wal_, false) && frames >= k_alone_from) {
    connection_.checkpoint(Connection::Checkpoint::truncate, Millis{0});
    return;
  }
  const int before = std::max(frames - connection_.frames_of_last_commit(), 0);
  const auto crossed = [&](int every) { return frames / every != before / every; };
  const TruncatePolicy truncate = truncate_policy(frames);
  if (frames >= k_truncate_from && crossed(truncate.every)) {
    connection_.checkpoint(Connection::Checkpoint::truncate, truncate.patience);
  } else if (frames >= k_passive_from && crossed(k_passive_every)) {
    connection_.checkpoint(Connection::Checkpoint::passive, Millis{0});
  }
}

Result<std::int64_t> Database::data_version() {
  try {
    return connection_.pragma("data_version");
  } catch (const DbError& error) {
    return std::unexpected(to_error(error, files_.database));
  }
}

Result<void> Database::truncate_wal(Millis gate_wait) {
  TRY_ASSIGN(const WriteGate gate, WriteGate::enter(files_.lock, gate_wait));
  TRY(check_still_there());
  connection_.checkpoint(Connection::Checkpoint::truncate, k_truncate_patience);
  return {};
}

namespace {

constexpr int k_problems_shown = 20;
constexpr int k_problems_read = 10'000;

std::vector<std::string> integrity_problems(Connection& connection, bool quick, int most) {
  std::vector<std::string> problems;
  Cursor rows =
      connection.query(fmt::format("PRAGMA {}_check({})", quick ? "quick" : "integrity", most));
  while (rows.next()) {
    if (const std::string line = rows.text(0); line != "ok") {
      problems.push_back(stated_problem(line));
    }
  }
  return problems;
}

Result<void> refuse_unsound(Connection& connection, const std::filesystem::path& path) {
  std::vector<std::string> problems = integrity_problems(connection, false, k_problems_shown);
  if (problems.empty() && connection.query("PRAGMA foreign_key_check").next()) {
    problems.emplace_back("a row names another one that is not there");
  }
  if (problems.empty()) {
    return {};
  }
  return fail(ErrorCode::damaged, fmt::format("{} is damaged: {}", printable(path.string()),
                                              printable(first_line(problems.front()))));
}

std::vector<std::string> schema_of(Connection& connection) {
  std::vector<std::string> schema;
  Cursor row = connection.query(
      "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || COALESCE(sql, '') FROM sqlite_schema"
      " WHERE NOT (type = 'table' AND substr(name, 1, 11) = 'sqlite_stat') ORDER BY type, name");
  while (row.next()) {
    schema.push_back(row.text(0));
  }
  return schema;
}

// A file from outside could bring triggers and tables of its own, and expressions that take hours:
// nothing of its schema is evaluated before it is the one that its number stands for.
Result<void> refuse_other_schema(Connection& connection, const BoardFiles& files, Instant now) {
  Connection fresh(":memory:", OpenMode::create);
  TRY(migrate(fresh, files, now, std::chrono::seconds{30}, connection.pragma("user_version")));
  if (schema_of(connection) == schema_of(fresh)) {
    return {};
  }
  return fail(ErrorCode::damaged,
              fmt::format("{} is not a Hermes board: its tables are not those of a board",
                          printable(files.database.string())));
}

}  // namespace

Result<void> Database::check_migrations() {
  try {
    return db::check_migrations(connection_, files_);
  } catch (const DbError& error) {
    return std::unexpected(to_error(error, files_.database));
  }
}

Result<std::vector<std::string>> Database::check_integrity(bool quick, bool all) {
  try {
    return integrity_problems(connection_, quick, all ? k_problems_read : k_problems_shown);
  } catch (const DbError& error) {
    return std::unexpected(to_error(error, files_.database));
  }
}

Result<void> Database::copy_to(const std::filesystem::path& target, bool as_found) {
  TRY(check_still_there());
  TRY_ASSIGN(NewFile made, NewFile::create(target));
  try {
    {
      Connection copy(target, OpenMode::existing);
      connection_.copy_into(copy);
      // The copy says of itself that it has a WAL, as its original does; a file that is carried
      // about is better whole.
      copy.query("PRAGMA journal_mode = DELETE").next();
      if (!as_found) {
        TRY(refuse_unsound(copy, files_.database));
      }
    }
    TRY(made.sync());
  } catch (const DbError& error) {
    return std::unexpected(to_error(error, target));
  }
  made.keep();
  return {};
}

Result<Database> Database::adopt(const BoardFiles& files, Instant now) {
  TRY(refuse_network_filesystem(files.database.parent_path()));
  TRY_ASSIGN(NewFile lock, NewFile::create(files.lock));
  lock.keep();  // it goes with its directory
  try {
    Connection connection(files.database, OpenMode::existing);
    TRY(check_identity(connection, files.database, Access::as_is));
    TRY(refuse_other_schema(connection, files, now));
    TRY(refuse_unsound(connection, files.database));
    if (connection.pragma("freelist_count") > 0) {
      connection.execute_script("VACUUM");  // gives back the room of what is not in it any more
    }
    connection.query("PRAGMA journal_mode = WAL").next();
    TRY(migrate(connection, files, now, std::chrono::seconds{30}));
    connection.checkpoint(Connection::Checkpoint::truncate, k_truncate_patience);
  } catch (const DbError& error) {
    return std::unexpected(to_error(error, files.database));
  }
  return open(files, Access::write, now);
}

}  // namespace hermes::db
