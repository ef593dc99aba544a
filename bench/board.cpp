#include "bench/board.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/db/gate.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::bench {

namespace {

constexpr std::int64_t k_per_transaction = 5000;

}  // namespace

Board::Board(const TempHome& home)
    : lock_(home.board().lock()),
      database_(must(db::Database::open(home::files_of(home.board()), db::Database::Access::write,
                                        wall_clock_now()))),
      by_hand_(home.board().database(), db::OpenMode::existing) {}

std::string Board::create(const std::string& title, const std::string& assignee) {
  return write([&](board::Change& change) -> Result<std::string> {
    TRY_ASSIGN(const auto created, board::create(change, {.title = title, .assignee = assignee}));
    return created.task.id;
  });
}

Board::Stamped Board::create_stamped(const std::string& title, const std::string& assignee) {
  const auto gate = must(db::WriteGate::enter(lock_, std::chrono::seconds{30}));
  by_hand_.execute("BEGIN IMMEDIATE");
  db::Writer tx(by_hand_);
  board::Change change{tx, wall_clock_now(), actor_, slug_, limits_, random_};
  auto created = must(board::create(change, {.title = title, .assignee = assignee}));
  by_hand_.execute("COMMIT");
  return {std::move(created.task.id), monotonic_now()};
}

void Board::fill(std::int64_t count, const std::string& assignee) {
  for (std::int64_t done = 0; done < count;) {
    throw_if_interrupted();
    const std::int64_t end = std::min(done + k_per_transaction, count);
    write([&](board::Change& change) -> Result<void> {
      for (; done < end; ++done) {
        TRY(board::create(change, {.title = fmt::format("task {}", done), .assignee = assignee}));
      }
      return {};
    });
  }
}

std::int64_t Board::count(Status status) {
  return number("SELECT COALESCE(sum(n), 0) FROM counts WHERE status = $1", status);
}

bool Board::is(const std::string& task_id, Status status) {
  return number("SELECT 1 FROM tasks WHERE id = $1 AND status = $2", task_id, status) == 1;
}

db::GateWatch Board::watch() const { return must(db::GateWatch::on(lock_)); }

void Board::empty_wal() { must(database_.truncate_wal(std::chrono::seconds{30})); }

}  // namespace hermes::bench
