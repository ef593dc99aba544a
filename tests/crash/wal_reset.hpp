#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// In SQLite 3.7.0 to 3.51.2 a commit that resets the WAL between two steps of another connection's
// checkpoint leaves a wal-index that takes later frames for copied. They are lost, and tables and
// indexes disagree. Here both steps are held apart on purpose: with plain SQLite, and with boards.
namespace hermes::test {

// Whether the SQLite that is loaded has this bug (fixed in 3.44.6, 3.50.7 and 3.51.3).
bool has_wal_reset_bug(int version_number);

struct ResetOutcome {
  bool reached = false;             // the point between the two steps
  bool committed_there = false;     // another connection has committed there
  bool waited_at_gate = false;      // it has waited at the gate meanwhile
  int rows = 0;                     // acknowledged
  int lost = 0;                     // of them, as far as that was counted
  std::vector<std::string> damage;  // what the check of the file says, and a board's own
};

// A checkpoint and a commit at its weakest point, then commits, a checkpoint and a reset that bring
// to light what is wrong. A table that grows and has an index is torn; one whose rows are
// overwritten loses the newest of them, and nothing in the file tells.
enum class Table { growing, overwritten };
ResetOutcome reset_beside_plain_checkpoint(Table table);

// The same on a board. Its checkpoints are that of a board that has gone quiet and that which
// follows a commit when the WAL has grown; the very one that damages plain SQLite, a passive one of
// a connection that has not written, is made under the gate by hand.
enum class BoardCheckpoint { of_quiet_board, after_commit, passive_by_hand };
ResetOutcome reset_beside_board_checkpoint(BoardCheckpoint kind);

// Two writers and two that checkpoint, held up at random at their locks, on a new database each
// round.
inline constexpr int k_rows_of_a_round = 80;
struct RandomOutcome {
  std::chrono::milliseconds time{0};
  int rounds = 0;
  int damaged = 0;  // of them
  int commits = 0;
  std::vector<std::string> damage;  // of the last one that was damaged
};
enum class Until { end, damaged };  // of `time`, or sooner
RandomOutcome race_plain(std::uint64_t seed, std::chrono::milliseconds time, Until until);
RandomOutcome race_boards(std::uint64_t seed, std::chrono::milliseconds time, Until until);

}  // namespace hermes::test
