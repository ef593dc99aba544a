// What the operating system refuses, at one operation after the other. What fails prints its seed
// and its operation; crash_play plays all operations of many seeds.
#include <catch2/catch.hpp>

#include <sqlite3.h>

#include "crash/faults.hpp"
#include "kernel/db/connection.hpp"

using namespace hermes;
using namespace hermes::test;

namespace {

// A fault at a few operations of each kind, once and lasting, with and without opening anew.
FaultReport play(FaultPlan plan) {
  FaultReport all;
  for (const Fault& fault : faults()) {
    for (int i = 0; i < 4; ++i) {
      plan.lasting = i % 2 == 1;
      plan.kept_open = i >= 2;
      all.add(play_faults(plan, fault));
      ++plan.seed;  // and other operations
    }
  }
  for (const std::string& failure : all.failures) {
    FAIL_CHECK(failure);
  }
  CHECK(all.failed == 0);
  CHECK(all.met > all.faults / 2);
  CHECK(all.codes[ErrorCode::damaged] == 0);  // nobody should restore a backup for it
  CHECK(all.codes[ErrorCode::internal] == 0);
  CHECK(all.codes[ErrorCode::unavailable] > 0);
  CHECK(all.codes[ErrorCode::busy] > 0);
  return all;
}

}  // namespace

TEST_CASE("an error at any operation leaves every acknowledged change and no half of one") {
  const FaultReport report = play({.most = 4});
  CHECK(report.faults > 150);
  CHECK(report.whole > 0);  // told as an error, because its sync has failed, and kept all the same
}

TEST_CASE("what the disk did not confirm is not said to be undone") {
  const auto hint = [](int code) { return db::to_error(db::DbError(code, "x"), "board.db").hint; };
  CHECK_THAT(hint(SQLITE_IOERR_FSYNC), Catch::Matchers::Contains("may be kept or not"));
  CHECK_THAT(hint(SQLITE_IOERR_WRITE), Catch::Matchers::StartsWith("nothing was changed"));
}

TEST_CASE("an error at any operation of an upgrade leaves the board to the next one") {
  play({.calls = 4, .older_board = HERMES_FIXTURES "/board_0001.db", .most = 2});
}
