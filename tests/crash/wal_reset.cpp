#include "crash/wal_reset.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

#include "crash/disk.hpp"
#include "crash/reopen.hpp"
#include "crash/workload.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/db/gate.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

namespace hermes::test {

namespace {

using db::Database;

constexpr int k_rows_before = 60;  // and the WAL they fill is longer than what is written after it
constexpr int k_rows_there = 2;
constexpr int k_rows_after = 100;
constexpr int k_rows_overwritten = 200;
constexpr std::size_t k_text_bytes = 3000;    // so that a page holds one of them
constexpr std::size_t k_note_bytes = 60'000;  // of a comment, so that the WAL grows quickly

// Bytes that fall on another page of the index each time.
std::string text_of(int row, std::size_t size) {
  SeededRandom random(static_cast<std::uint64_t>(row));
  std::string text;
  while (text.size() < std::min<std::size_t>(size, 3000)) {
    text += fmt::format("{:016x}", random.next());
  }
  text.resize(size, 'x');
  return text;
}

// A connection as any program has one.
class Plain {
 public:
  explicit Plain(const std::filesystem::path& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) {
      throw std::runtime_error("cannot open a database");
    }
    sqlite3_busy_timeout(handle_, 5000);
    ask("PRAGMA journal_mode = WAL");
    ask("PRAGMA wal_autocheckpoint = 0");
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  ~Plain() { sqlite3_close(handle_); }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;

  // The first column of every row; the error, if there is one, comes last.
  std::vector<std::string> ask(const std::string& sql) {
    std::vector<std::string> rows;
    const auto take = [](void* to, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(values[0] == nullptr ? ""
                                                                                    : values[0]);
      return 0;
    };
    failed_ = sqlite3_exec(handle_, sql.c_str(), take, &rows, nullptr) != SQLITE_OK;
    if (failed_) {
      rows.emplace_back(sqlite3_errmsg(handle_));
    }
    return rows;
  }
  bool is_damaged() const {
    return sqlite3_errcode(handle_) == SQLITE_CORRUPT || sqlite3_errcode(handle_) == SQLITE_NOTADB;
  }
  bool put(int row) {
    ask(
        fmt::format("INSERT INTO notes VALUES ({0}, '{1}')"
                    " ON CONFLICT (id) DO UPDATE SET text = excluded.text",
                    row, text_of(row, k_text_bytes)));
    return !failed_;
  }

 private:
  sqlite3* handle_ = nullptr;
  bool failed_ = false;
};

void make_table(Plain& connection, Table table) {
  connection.ask("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  if (table == Table::growing) {
    connection.ask("CREATE INDEX notes_by_text ON notes (text)");
    return;
  }
  connection.ask(
      fmt::format("WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n"
                  " WHERE i < {}) INSERT INTO notes SELECT i, printf('%{}d', i) FROM n",
                  k_rows_overwritten, k_text_bytes));
  connection.ask("PRAGMA wal_checkpoint(TRUNCATE)");
}

std::vector<std::string> complaint(const Result<void>& done) {
  return done ? std::vector<std::string>{} : std::vector{one_line(done.error())};
}

// What is wrong with a table of which rows 0 to `rows` - 1 were acknowledged.
struct Damage {
  std::vector<std::string> told;  // by SQLite's own check
  int lost = 0;                   // rows
};
Damage damage_of(Plain& connection, int rows) {
  Damage damage;
  for (const std::string& line : connection.ask("PRAGMA integrity_check")) {
    if (line != "ok") {
      damage.told.push_back(line);
    }
  }
  for (int row = 0; row < rows; ++row) {
    const auto found = connection.ask(fmt::format("SELECT text FROM notes WHERE id = {}", row));
    damage.lost += found == std::vector{text_of(row, k_text_bytes)} ? 0 : 1;
  }
  return damage;
}

}  // namespace

bool has_wal_reset_bug(int version_number) {
  const int minor = version_number / 1000;  // 3040 for 3.40.1
  const int patch = version_number % 1000;
  switch (minor) {
    case 3044:
      return patch < 6;
    case 3050:
      return patch < 7;
    case 3051:
      return patch < 3;
    default:
      return minor >= 3007 && minor < 3051;
  }
}

ResetOutcome reset_beside_plain_checkpoint(Table table) {
  const TempDir ground(TempDir::Storage::memory);
  ResetOutcome outcome;
  std::function<void()> at_the_point;
  const Disk disk([&](const Operation& operation) {
    if (operation.kind == Touch::unfetch && at_the_point) {
      std::exchange(at_the_point, nullptr)();
    }
    return Answer{};
  });
  Plain first(ground / "plain.db");
  make_table(first, table);
  Plain checkpointing(ground / "plain.db");
  Plain other(ground / "plain.db");
  checkpointing.ask("SELECT count(*) FROM notes");  // so that it can see that it has changed
  const auto add = [&](Plain& connection, int rows) {
    for (int i = 0; i < rows; ++i) {
      outcome.rows += connection.put(outcome.rows) ? 1 : 0;
    }
  };
  add(first, k_rows_before);
  first.ask("PRAGMA wal_checkpoint(PASSIVE)");  // all of it is copied, and the WAL may be reset
  at_the_point = [&] {
    outcome.reached = true;
    const int before = outcome.rows;
    add(other, k_rows_there);
    outcome.committed_there = outcome.rows == before + k_rows_there;
  };
  checkpointing.ask("PRAGMA wal_checkpoint(PASSIVE)");
  at_the_point = nullptr;
  add(first, k_rows_after);
  first.ask("PRAGMA wal_checkpoint(PASSIVE)");
  add(other, k_rows_there);  // resets it
  first.ask("PRAGMA wal_checkpoint(TRUNCATE)");
  const Damage damage = damage_of(first, outcome.rows);
  outcome.damage = damage.told;
  outcome.lost = damage.lost;
  return outcome;
}

namespace {

// A board with one task, on which comments are written.
class Notes {
 public:
  explicit Notes(const std::filesystem::path& dir) : board_(open_board(dir)) {}

  static void make(const std::filesystem::path& dir) {
    if (auto made = Database::create(board_files(dir), Workload::k_begin); !made) {
      throw std::runtime_error(one_line(made.error()));
    }
    board::NewTask task;
    task.title = "notes";
    if (auto added = Notes(dir).write([&](board::Change& c) { return board::create(c, task); });
        !added) {
      throw std::runtime_error(one_line(added.error()));
    }
  }

  // `before`: done under the gate, before anything is written.
  Result<void> add(
      int row, std::size_t size, Millis gate_wait = std::chrono::seconds{30},
      const std::function<void()>& before = [] {}) {
    return write(
        [&](board::Change& change) -> Result<void> {
          before();
          std::string id;
          {
            auto task = change.tx.query("SELECT id FROM tasks");
            task.next();
            id = task.text(0);
          }
          TRY(board::add_comment(change, id, "", text_of(row, size)));
          return {};
        },
        gate_wait);
  }

  Result<void> truncate_wal() { return board_.truncate_wal(std::chrono::seconds{30}); }

  std::vector<std::string> damage(int rows) {
    std::vector<std::string> found = examine(board_).problems;
    const auto counted = board_.read([](db::Reader& tx) -> Result<std::int64_t> {
      auto row = tx.query("SELECT count(*) FROM comments NOT INDEXED");
      row.next();
      return row.integer(0);
    });
    if (!counted || *counted != rows) {
      found.push_back(fmt::format("{} comments were acknowledged, there are {}", rows,
                                  counted ? std::to_string(*counted) : one_line(counted.error())));
    }
    return found;
  }

 private:
  template <class Body>
  Result<void> write(Body body, Millis gate_wait = std::chrono::seconds{30}) {
    return board_.write(
        [&](db::Writer& tx) -> Result<void> {
          board::Change change{tx, Workload::k_begin, person_, slug_, limits_, random_};
          TRY(body(change));
          return {};
        },
        gate_wait);
  }

  Database board_;
  SystemRandom random_;
  Limits limits_;
  Actor person_{"alice", std::nullopt};
  std::string slug_ = "default";
};

// A passive checkpoint of a connection that has not written.
void checkpoint_by_hand(db::Connection& connection, const std::filesystem::path& dir) {
  const auto gate = db::WriteGate::enter(dir / "board.lock", std::chrono::seconds{30});
  connection.checkpoint(db::Connection::Checkpoint::passive, Millis{0});
}

// Whether somebody waits for the lock of `path`: a line "7: -> FLOCK ... 00:17:4711 ..." (proc(5)).
bool is_waited_for(const std::filesystem::path& path) {
  struct stat facts {};
  ::stat(path.c_str(), &facts);
  const std::string inode = fmt::format(":{} ", facts.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    if (line.find("-> FLOCK") != std::string::npos && line.find(inode) != std::string::npos) {
      return true;
    }
  }
  return false;
}

// The other side: it tries to commit while a checkpoint is under way.
class Other {
 public:
  Other(std::filesystem::path dir, int row, std::size_t size)
      : dir_(std::move(dir)), row_(row), size_(size) {}
  ~Other() { join(); }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;

  // Called within the checkpoint. A commit in haste must be refused; one with patience must wait.
  void come(ResetOutcome& outcome) {
    outcome.reached = true;
    std::thread haste([&] { hasty_ = Notes(dir_).add(row_, size_, Millis{30}).has_value(); });
    haste.join();
    patient_ = std::thread([this] {
      Notes notes(dir_);
      done_ =
          notes.add(row_, size_, std::chrono::seconds{30}, [this] { inside_ = true; }).has_value();
    });
    outcome.waited_at_gate = wait_until([&] { return is_waited_for(dir_ / "board.lock"); });
    outcome.committed_there = hasty_ || inside_;
  }

  // How many rows it has written.
  int join() {
    if (patient_.joinable()) {
      patient_.join();
    }
    return (hasty_ ? 1 : 0) + (done_ ? 1 : 0);
  }

 private:
  std::filesystem::path dir_;
  int row_;
  std::size_t size_;
  std::thread patient_;
  bool hasty_ = false;
  bool done_ = false;
  std::atomic<bool> inside_ = false;
};

}  // namespace

ResetOutcome reset_beside_board_checkpoint(BoardCheckpoint kind) {
  const TempDir ground(TempDir::Storage::memory);
  const auto& dir = ground.path();
  Notes::make(dir);
  ResetOutcome outcome;
  Other other(dir, k_rows_before, k_note_bytes);
  const auto thread = std::this_thread::get_id();
  const Touch point = kind == BoardCheckpoint::after_commit ? Touch::write : Touch::unfetch;
  bool armed = kind == BoardCheckpoint::after_commit;
  const Disk disk([&](const Operation& operation) {
    if (std::this_thread::get_id() == thread && armed && operation.kind == point &&
        operation.file == "board.db") {
      armed = false;
      other.come(outcome);
    }
    return Answer{};
  });
  Notes first(dir);
  Notes second(dir);
  db::Connection by_hand(dir / "board.db", db::OpenMode::existing);
  by_hand.pragma("user_version");  // so that it can see that it has changed
  const auto add = [&](Notes& notes, int rows) {
    for (int i = 0; i < rows; ++i) {
      outcome.rows += notes.add(outcome.rows, k_note_bytes) ? 1 : 0;
    }
  };
  add(first, k_rows_before);  // which is enough for the checkpoint after a commit
  if (kind != BoardCheckpoint::after_commit) {
    db::Connection third(dir / "board.db", db::OpenMode::existing);
    checkpoint_by_hand(third, dir);  // so that the WAL may be reset
    armed = true;
  }
  if (kind == BoardCheckpoint::of_quiet_board) {
    outcome.damage = complaint(second.truncate_wal());
  } else if (kind == BoardCheckpoint::passive_by_hand) {
    checkpoint_by_hand(by_hand, dir);
  }
  armed = false;
  outcome.rows += other.join();
  add(second, k_rows_after);
  const auto take = [&](const std::vector<std::string>& lines) {
    outcome.damage.insert(outcome.damage.end(), lines.begin(), lines.end());
  };
  take(complaint(second.truncate_wal()));
  add(first, k_rows_there);
  take(first.damage(outcome.rows));
  return outcome;
}

namespace {

// Holds whoever comes by up at random, for up to 1.5 ms, wherever a checkpoint may be overtaken.
class Delays {
 public:
  explicit Delays(std::uint64_t seed) : seed_(seed) {}

  Answer operator()(const Operation& operation) const {
    if (operation.kind == Touch::unfetch || operation.kind == Touch::shm_lock) {
      thread_local SeededRandom random(seed_ ^
                                       std::hash<std::thread::id>{}(std::this_thread::get_id()));
      if (random.next() % (operation.kind == Touch::unfetch ? 2 : 16) == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds{random.next() % 1500});
      }
    }
    return {};
  }

 private:
  std::uint64_t seed_;
};

constexpr int k_rows_of_a_writer = k_rows_of_a_round / 2;

// Writers that write while others make checkpoints.
void race(const std::vector<std::function<void()>>& writers,
          const std::vector<std::function<void()>>& checkpoints) {
  std::atomic<std::size_t> writing = writers.size();
  std::vector<std::thread> threads;
  for (const auto& write : writers) {
    threads.emplace_back([&] {
      write();
      --writing;
    });
  }
  for (const auto& checkpoint : checkpoints) {
    threads.emplace_back([&] {
      while (writing > 0) {
        checkpoint();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

template <class Round>
RandomOutcome rounds(std::uint64_t seed, std::chrono::milliseconds time, Until until, Round round) {
  RandomOutcome outcome;
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + time;
  do {
    const TempDir ground(TempDir::Storage::memory);
    int rows = 0;
    const std::vector<std::string> damage =
        round(seed + static_cast<std::uint64_t>(outcome.rounds), ground.path(), rows);
    ++outcome.rounds;
    outcome.commits += rows;
    if (!damage.empty()) {
      ++outcome.damaged;
      outcome.damage = damage;
    }
  } while (std::chrono::steady_clock::now() < end &&
           !(until == Until::damaged && outcome.damaged > 0));
  outcome.time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  return outcome;
}

}  // namespace

RandomOutcome race_plain(std::uint64_t seed, std::chrono::milliseconds time, Until until) {
  return rounds(seed, time, until,
                [](std::uint64_t round, const std::filesystem::path& dir, int& rows) {
                  const Disk disk{Delays(round)};
                  Plain first(dir / "plain.db");
                  make_table(first, Table::growing);
                  const auto write = [&](int from) {
                    return [&dir, from] {
                      Plain plain(dir / "plain.db");
                      for (int row = from; row < from + k_rows_of_a_writer; ++row) {
                        while (!plain.put(row) && !plain.is_damaged()) {
                        }
                      }
                    };
                  };
                  const auto checkpoint = [&] {
                    Plain(dir / "plain.db").ask("PRAGMA wal_checkpoint(PASSIVE)");
                  };
                  race({write(0), write(k_rows_of_a_writer)}, {checkpoint, checkpoint});
                  rows = k_rows_of_a_round;
                  Damage damage = damage_of(first, rows);
                  if (damage.lost > 0) {
                    damage.told.push_back(fmt::format("{} rows are lost", damage.lost));
                  }
                  return damage.told;
                });
}

RandomOutcome race_boards(std::uint64_t seed, std::chrono::milliseconds time, Until until) {
  return rounds(seed, time, until,
                [](std::uint64_t round, const std::filesystem::path& dir, int& rows) {
                  Notes::make(dir);
                  const Disk disk{Delays(round)};
                  std::atomic<int> written = 0;
                  const auto write = [&] {
                    Notes notes(dir);
                    for (int row = 0; row < k_rows_of_a_writer; ++row) {
                      written += notes.add(row, k_text_bytes).has_value() ? 1 : 0;
                    }
                  };
                  const auto copy = [&] {
                    db::Connection connection(dir / "board.db", db::OpenMode::existing);
                    checkpoint_by_hand(connection, dir);
                  };
                  race({write, write}, {copy, copy});
                  rows = written;
                  std::vector<std::string> damage = Notes(dir).damage(rows);
                  if (rows != k_rows_of_a_round) {
                    damage.push_back(fmt::format("{} of {} writes were refused",
                                                 k_rows_of_a_round - rows, k_rows_of_a_round));
                  }
                  return damage;
                });
}

}  // namespace hermes::test
