// What the operating system refuses, at a sample of the operations: a few of each kind, spread over
// the whole workload. crash_play plays every one, of many seeds. What fails prints its seed and its
// operation.
#include <catch2/catch.hpp>

#include "crash/faults.hpp"

using namespace hermes;
using namespace hermes::test;

namespace {

// A fault at a few operations of each kind, once and lasting, with and without opening anew.
FaultReport play(FaultPlan plan) {
  FaultReport all;
  for (const Fault& fault : faults()) {
    if (!can_meet(plan, fault)) {
      continue;
    }
    std::size_t of_kind = 0;
    for (int i = 0; i < 4; ++i) {
      plan.lasting = i % 2 == 1;
      plan.kept_open = i >= 2;
      const FaultReport report = play_faults(plan, fault);
      of_kind += report.faults;
      all.add(report);
      ++plan.seed;  // and other operations
    }
    INFO(fault.name);
    CHECK(of_kind > 0);
  }
  for (const std::string& failure : all.failures) {
    FAIL_CHECK(failure);
  }
  CHECK(all.failed == 0);
  CHECK(all.met > all.faults / 2);
  CHECK(all.codes[ErrorCode::damaged] == 0);  // nobody should restore a backup for it
  CHECK(all.codes[ErrorCode::internal] == 0);
  CHECK(all.codes[ErrorCode::unavailable] > 0);
  return all;
}

}  // namespace

TEST_CASE("an error at any operation leaves every acknowledged change and no half of one") {
  FaultReport report = play({.most = 4});
  CHECK(report.faults > 150);
  CHECK(report.codes[ErrorCode::busy] > 0);
  CHECK(report.whole > 0);  // told as an error, because its sync has failed, and kept all the same
}

// Past 4,062 frames the index of the WAL takes another page of memory, after COMMIT has synced.
TEST_CASE("what the disk did not confirm is not said to be undone") {
  for (const Fault& fault : faults()) {
    const FaultPlan plan{.lasting = true, .long_wal = true};
    if (can_meet(plan, fault)) {
      INFO(fault.name);
      const FaultReport report = play_faults(plan, fault);
      CHECK_THAT(report.failures, Catch::Matchers::Equals(std::vector<std::string>{}));
      CHECK(report.whole > 0);
    }
  }
}

TEST_CASE("an error at any operation of an upgrade leaves the board to the next one") {
  FaultReport report =
      play({.calls = 4, .older_board = HERMES_FIXTURES "/board_0001.db", .most = 2});
  CHECK(report.codes[ErrorCode::busy] > 0);
}

TEST_CASE("an error at any operation while a board is made leaves a whole board or none") {
  play({.most = 4, .creation = true});
}
