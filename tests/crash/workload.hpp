#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"

namespace hermes::test {

// What people, a dispatcher and workers do on a board, one kernel call at a time. What call number
// N does follows from the seed, N and the board alone, so a call that was done on one board can be
// done on another one.
class Workload {
 public:
  // `bulk_every`: each so manieth call is one large transaction, an import of
  // `bulk_tasks` with 16 KB of text each; 0: none.
  explicit Workload(std::uint64_t seed, int bulk_every = 0, int bulk_tasks = 150)
      : seed_(seed), bulk_every_(bulk_every), bulk_tasks_(bulk_tasks) {}

  // Done, or refused by the rules of the board: both are answers to rely on. Error: of the storage.
  Result<void> call(db::Database& board, int number) const;

  static constexpr Instant k_begin{1'700'000'000'000};

 private:
  std::uint64_t seed_;
  int bulk_every_;
  int bulk_tasks_;
};

// Stands for everything that is in the tables of a board.
Result<std::uint64_t> digest_of(db::Database& board);

}  // namespace hermes::test
