#include <catch2/catch.hpp>

#include <sqlite3.h>

#include <algorithm>

#include "crash/wal_reset.hpp"

using namespace hermes::test;

namespace {

const std::vector<std::string> k_none;

bool is_affected() {
  if (has_wal_reset_bug(sqlite3_libversion_number())) {
    return true;
  }
  WARN("SQLite " << sqlite3_libversion() << " has no such bug: nothing to compare with");
  return false;
}

}  // namespace

TEST_CASE("the SQLite versions whose WAL may be reset beside a checkpoint are known") {
  for (const int affected : {3007000, 3040001, 3044005, 3045000, 3050006, 3051002}) {
    CHECK(has_wal_reset_bug(affected));
  }
  for (const int sound : {3006023, 3044006, 3050007, 3051003, 3052000}) {
    CHECK_FALSE(has_wal_reset_bug(sound));
  }
}

TEST_CASE(
    "the reset of the WAL beside a checkpoint corrupts plain SQLite of this version and never a "
    "board",
    "[threads]") {
  const bool affected = is_affected();
  for (const Table table : {Table::growing, Table::overwritten}) {
    const ResetOutcome plain = reset_beside_plain_checkpoint(table);
    CHECK(plain.reached);
    CHECK(plain.committed_there);
    CHECK((plain.lost > 0) == affected);
    // What was overwritten is lost, and SQLite's own check says that all is well.
    CHECK(plain.damage.empty() == (!affected || table == Table::overwritten));
  }
  for (const auto kind : {BoardCheckpoint::of_quiet_board, BoardCheckpoint::after_commit,
                          BoardCheckpoint::passive_by_hand}) {
    INFO("kind " << static_cast<int>(kind));
    const ResetOutcome board = reset_beside_board_checkpoint(kind);
    CHECK(board.reached);
    CHECK(board.waited_at_gate);
    CHECK_FALSE(board.committed_there);
    CHECK_THAT(board.damage, Catch::Matchers::Equals(k_none));
  }
}

TEST_CASE("writers and checkpoints that are held up at random damage plain SQLite and no board",
          "[threads]") {
  std::chrono::milliseconds time{2000};
  if (is_affected()) {
    const RandomOutcome plain = race_plain(1, std::chrono::seconds{20}, Until::damaged);
    CHECK(plain.damaged == 1);
    time = std::max(time, 2 * plain.time);  // what has damaged that one, and as long again
  }
  const RandomOutcome boards = race_boards(1, time, Until::end);
  CHECK(boards.commits == boards.rounds * k_rows_of_a_round);
  CHECK_THAT(boards.damage, Catch::Matchers::Equals(k_none));
}
