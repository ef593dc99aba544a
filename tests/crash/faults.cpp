#include "crash/faults.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>

#include "crash/reopen.hpp"
#include "crash/workload.hpp"
#include "kernel/db/commit.hpp"
#include "support/temp_dir.hpp"

namespace hermes::test {

namespace {

using db::Database;
using Done = std::vector<bool>;  // of each call, whether it was acknowledged

constexpr std::size_t k_failures_told = 10;
constexpr std::chrono::seconds k_longest_play{20};
constexpr int k_tasks_of_a_long_wal = 80;  // some 400 pages, which a connection keeps to the end
constexpr int k_frames_before = 4040;      // of the 4,062 of one page of the index

// Changes things back and forth until one page of the index is nearly full.
void fill_wal(const std::filesystem::path& dir) {
  db::Connection connection(dir / "board.db", db::OpenMode::existing);
  while (connection.wal_frames() < k_frames_before) {
    const bool much = connection.wal_frames() < k_frames_before - 1000;
    connection.execute_script(much ? "UPDATE tasks SET body = replace(body, 'x', 'y');"
                                     "UPDATE tasks SET body = replace(body, 'y', 'x')"
                                   : "UPDATE schema_migrations SET name = name || ' ';"
                                     "UPDATE schema_migrations SET name = rtrim(name)");
  }
}

class Faults {
 public:
  Faults(const FaultPlan& plan, const Fault& fault)
      : plan_(plan), fault_(fault), workload_(plan.seed) {
    if (!plan.older_board.empty()) {
      board_ = {{"board.db", content_of(plan.older_board)}};
      return;
    }
    const TempDir fresh(TempDir::Storage::memory);
    if (auto made = Database::create(board_files(fresh.path()), Workload::k_begin); !made) {
      throw std::runtime_error(one_line(made.error()));
    }
    if (plan.long_wal) {
      Database board = open_board(fresh.path());
      Workload(plan.seed, 1, k_tasks_of_a_long_wal).call(board, 0).value();
      board.truncate_wal(std::chrono::seconds{30}).value();
    }
    board_ = files_in(fresh.path());
  }

  FaultReport run() {
    const auto play_at = [&](std::size_t at) { plan_.creation ? play_creation(at) : play(at); };
    play_at(0);  // counts
    const std::size_t operations = seen_;
    const std::size_t most = plan_.most == 0 ? operations : std::min(plan_.most, operations);
    for (std::size_t i = 0; i < most; ++i) {
      play_at(1 + (i * operations + plan_.seed % operations) / most % operations);
    }
    return report_;
  }

 private:
  void play(std::size_t at);
  void play_creation(std::size_t at);
  Answer answer(const Operation& operation);
  Done make_calls(const std::filesystem::path& dir, std::optional<Database>& board);
  Result<void> call(const std::filesystem::path& dir, std::optional<Database>& board, int number);
  std::uint64_t state_after(const Done& done);
  std::optional<Done> explain(std::uint64_t digest, const Done& done);
  void expect(const Reopened& found, std::optional<Done>& done, const std::string& when);
  void failed(const std::string& what);

  const FaultPlan plan_;
  const Fault& fault_;
  const Workload workload_;
  Image board_;  // before the first call
  std::map<Done, std::uint64_t> states_;
  std::size_t at_ = 0;  // the operation that fails; 0: none
  std::size_t seen_ = 0;
  std::vector<std::string> undone_;  // of each call the error that says so; "" if there is none
  bool armed_ = false;
  FaultReport report_;
};

Answer Faults::answer(const Operation& operation) {
  if (operation.kind == Touch::sleep) {
    return {.code = SQLITE_ABORT};  // nobody is there to wait for
  }
  if (!armed_ || operation.kind != fault_.touch) {
    return {};
  }
  ++seen_;
  if (at_ == 0 || (plan_.lasting ? seen_ < at_ : seen_ != at_)) {
    return {};
  }
  return {.code = fault_.code,
          .written = fault_.half_written ? operation.data.size() / 2 : 0,
          .error_number = fault_.error_number};
}

Result<void> Faults::call(const std::filesystem::path& dir, std::optional<Database>& board,
                          int number) {
  if (!board) {
    TRY_ASSIGN(Database opened,
               Database::open(board_files(dir), Database::Access::write, Workload::k_begin));
    board.emplace(std::move(opened));
  }
  auto done = workload_.call(*board, number);
  if (done && number % 4 == 3) {
    TRY(board->truncate_wal(std::chrono::seconds{30}));
  }
  if (!done && !plan_.kept_open) {
    board.reset();
  }
  return done;
}

Done Faults::make_calls(const std::filesystem::path& dir, std::optional<Database>& board) {
  Done acknowledged;
  undone_.clear();
  for (int number = 0; number < plan_.calls; ++number) {
    const auto done = call(dir, board, number);
    acknowledged.push_back(done.has_value());
    undone_.push_back(done || db::may_be_kept(done.error()) ? "" : one_line(done.error()));
    if (!done) {
      ++report_.errors;
      ++report_.codes[done.error().code];
    }
  }
  return acknowledged;
}

void Faults::play(std::size_t at) {
  const TempDir ground(TempDir::Storage::memory);
  const auto& dir = ground.path();
  lay_out(board_, dir);
  const auto begin = std::chrono::steady_clock::now();
  const Disk disk([this](const Operation& operation) { return answer(operation); });
  at_ = at;
  seen_ = 0;
  std::optional<db::Connection> reader;
  if (plan_.long_wal) {  // it needs the beginning of the WAL
    reader.emplace(dir / "board.db", db::OpenMode::existing);
    reader->execute("BEGIN");
    reader->pragma("user_version");
    fill_wal(dir);
  }
  std::optional<Database> board;
  std::optional<Done> done;
  try {
    armed_ = true;
    done = make_calls(dir, board);
    armed_ = false;
  } catch (const std::exception& error) {
    armed_ = false;
    failed(fmt::format("a call has thrown: {}", error.what()));
    return;
  }
  if (at == 0) {
    return;
  }
  ++report_.faults;
  report_.met += std::ranges::find(*done, false) != done->end() ? 1 : 0;
  reader.reset();
  if (board) {  // it goes on without being opened anew
    expect(examine(*board), done, "the board that has stayed open");
    if (const auto more = workload_.call(*board, plan_.calls); !more) {
      failed("no call succeeds after the fault: " + one_line(more.error()));
    } else if (done) {
      done->push_back(true);
      expect(examine(*board), done, "the board after one call more");
    }
    board.reset();
  }
  expect(reopen(dir), done, "the board that was opened again");
  if (std::chrono::steady_clock::now() - begin > k_longest_play) {
    failed("it has taken too long");
  }
}

// Whether it says so or not: what is there is the whole board, or nothing that can be opened.
void Faults::play_creation(std::size_t at) {
  const TempDir ground(TempDir::Storage::memory);
  const Disk disk([this](const Operation& operation) { return answer(operation); });
  at_ = at;
  seen_ = 0;
  armed_ = true;
  const auto made = Database::create(board_files(ground.path()), Workload::k_begin);
  armed_ = false;
  if (at == 0) {
    return;
  }
  ++report_.faults;
  if (!made) {
    ++report_.met;
    ++report_.errors;
    ++report_.codes[made.error().code];
  }
  const Reopened found = reopen(ground.path());
  if (!found.refused.empty()) {
    if (made) {
      failed("a board that was made is refused: " + found.refused);
    }
    return;
  }
  report_.whole += made ? 0 : 1;
  if (!found.problems.empty() || found.digest != state_after({})) {
    failed("half a board");
  }
}

// What `done` becomes when it explains what is there; nothing when it does not.
void Faults::expect(const Reopened& found, std::optional<Done>& done, const std::string& when) {
  if (!done) {
    return;  // told already
  }
  if (!found.refused.empty() || !found.problems.empty()) {
    failed(when + ": " + (found.problems.empty() ? found.refused : found.problems.front()));
    done.reset();
    return;
  }
  const auto explained = explain(found.digest, *done);
  if (!explained) {
    failed(when + " is of no state that its calls can lead to");
  } else if (*explained != *done) {
    ++report_.whole;
    for (std::size_t i = 0; i < undone_.size(); ++i) {
      if ((*explained)[i] && !(*done)[i] && !undone_[i].empty()) {
        failed(fmt::format("{} holds call {}, of which was said: {}", when, i, undone_[i]));
      }
    }
  }
  done = explained;
}

// The calls that lead to this state: those acknowledged, and perhaps one that was not. More than
// one, in a row, when the board was opened anew in between: what was written and could not be
// synced is found in the WAL then.
std::optional<Done> Faults::explain(std::uint64_t digest, const Done& done) {
  if (state_after(done) == digest) {
    return done;
  }
  for (std::size_t from = 0; from < done.size(); ++from) {
    Done and_these = done;
    for (std::size_t i = from; i < done.size() && (i == from || !plan_.kept_open); ++i) {
      if (!and_these[i]) {
        and_these[i] = true;
        if (state_after(and_these) == digest) {
          return and_these;
        }
      }
    }
  }
  return std::nullopt;
}

std::uint64_t Faults::state_after(const Done& done) {
  const auto known = states_.find(done);
  if (known != states_.end()) {
    return known->second;
  }
  const TempDir ground(TempDir::Storage::memory);
  lay_out(board_, ground.path());
  Database board = open_board(ground.path());
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (done[i]) {
      workload_.call(board, static_cast<int>(i)).value();
    }
  }
  return states_[done] = digest_of(board).value();
}

void Faults::failed(const std::string& what) {
  ++report_.failed;
  if (report_.failures.size() < k_failures_told) {
    report_.failures.push_back(fmt::format("seed {}, {} at operation {}{}, {}: {}", plan_.seed,
                                           fault_.name, at_,
                                           plan_.lasting ? " and from then on" : "",
                                           plan_.kept_open ? "kept open" : "opened anew", what));
  }
}

}  // namespace

const std::vector<Fault>& faults() {
  static const std::vector<Fault> k_faults{
      {"an error of reading", Touch::read, SQLITE_IOERR_READ, EIO},
      {"an error of writing", Touch::write, SQLITE_IOERR_WRITE, EIO},
      {"an error of writing, half done", Touch::write, SQLITE_IOERR_WRITE, EIO, true},
      {"a full disk", Touch::write, SQLITE_FULL, ENOSPC},
      {"a full disk, half written", Touch::write, SQLITE_FULL, ENOSPC, true},
      {"an error of syncing", Touch::sync, SQLITE_IOERR_FSYNC, EIO},
      {"an error of truncating", Touch::truncate, SQLITE_IOERR_TRUNCATE, EIO},
      {"an error of locking", Touch::lock, SQLITE_IOERR_LOCK, ENOLCK},
      {"a lock that is busy", Touch::lock, SQLITE_BUSY, EAGAIN},
      {"a shared memory that cannot be mapped", Touch::shm_map, SQLITE_IOERR_SHMMAP, ENOMEM},
      {"a shared memory that cannot grow", Touch::shm_map, SQLITE_IOERR_SHMSIZE, ENOSPC},
      {"no memory for a mapping", Touch::shm_map, SQLITE_NOMEM, ENOMEM},
      {"an error of locking the shared memory", Touch::shm_lock, SQLITE_IOERR_SHMLOCK, EIO},
      {"a lock of the shared memory that is busy", Touch::shm_lock, SQLITE_BUSY, EAGAIN},
      {"a file that cannot be opened", Touch::open, SQLITE_CANTOPEN, EMFILE},
      {"an error of removing", Touch::remove, SQLITE_IOERR_DELETE, EIO},
      {"a directory that cannot be synced", Touch::sync_directory, SQLITE_IOERR_DIR_FSYNC, EIO},
  };
  return k_faults;
}

bool can_meet(const FaultPlan& plan, const Fault& fault) {
  if (plan.long_wal) {
    return fault.touch == Touch::shm_map;
  }
  return plan.creation || (fault.touch != Touch::remove && fault.touch != Touch::sync_directory);
}

void FaultReport::add(const FaultReport& other) {
  faults += other.faults;
  met += other.met;
  errors += other.errors;
  whole += other.whole;
  failed += other.failed;
  for (const auto& [code, times] : other.codes) {
    codes[code] += times;
  }
  failures.insert(failures.end(), other.failures.begin(), other.failures.end());
}

FaultReport play_faults(const FaultPlan& plan, const Fault& fault) {
  return Faults(plan, fault).run();
}

}  // namespace hermes::test
