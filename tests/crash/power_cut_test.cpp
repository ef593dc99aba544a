// The power is cut after every write. What fails prints its seed; HERMES_CRASH=SEED plays another
// one, and crash_play many.
#include <catch2/catch.hpp>

#include <cstdlib>

#include "crash/power_cut.hpp"

using namespace hermes::test;

namespace {

PowerCutPlan plan_of(PowerCutPlan plan) {
  const char* seed = std::getenv("HERMES_CRASH");
  plan.seed = seed == nullptr ? plan.seed : std::strtoull(seed, nullptr, 10);
  return plan;
}

PowerCutReport check(const PowerCutPlan& plan) {
  const PowerCutReport report = cut_power(plan_of(plan));
  for (const std::string& failure : report.failures) {
    FAIL_CHECK(failure);
  }
  CHECK(report.failed == 0);
  CHECK(report.again > 0);
  return report;
}

}  // namespace

TEST_CASE("a power cut after any write leaves every acknowledged change and no half of one") {
  const PowerCutReport report = check({.calls = 16});
  CHECK(report.cuts == report.changes);
  CHECK(report.distinct > 500);
  CHECK(report.states > 10);  // of 17: a call that the board's rules refuse changes nothing
}

TEST_CASE("a power cut in a long history, between checkpoints and in them, loses nothing") {
  const PowerCutReport report = check({.seed = 2, .calls = 120, .every = 61, .again_every = 40});
  CHECK(report.changes > 2000);
  CHECK(report.states > 60);
}

TEST_CASE("a power cut while a command that comes alone empties the WAL loses nothing") {
  const PowerCutReport report = check({.seed = 4,
                                       .calls = 60,
                                       .truncate_every = 1000,
                                       .every = 41,
                                       .every_copy = 1,
                                       .again_every = 40,
                                       .alone = true});
  CHECK(report.copies > 20);  // no other checkpoint is due so soon
}

TEST_CASE("a power cut in a transaction of thousands of pages leaves all of it or nothing") {
  const PowerCutReport report = check({.seed = 3,
                                       .calls = 30,
                                       .bulk_every = 12,
                                       .truncate_every = 1000,
                                       .every = 1499,
                                       .every_copy = 293,  // crash_play cuts every one
                                       .again_every = 40});
  CHECK(report.changes > 2000);
  CHECK(report.copies > 3);  // in the checkpoint that comes after a commit past 1,000 frames
}

TEST_CASE("a power cut while a board is made leaves a whole board or none that was promised") {
  const PowerCutReport report =
      check({.begin = PowerCutPlan::Begin::creation, .calls = 3, .again_every = 60});
  CHECK(report.refused > 0);
}

TEST_CASE("a power cut while an older board is brought up to date leaves it to the next one") {
  check({.begin = PowerCutPlan::Begin::upgrade,
         .older_board = HERMES_FIXTURES "/board_0001.db",
         .calls = 3,
         .again_every = 60});
}

TEST_CASE(
    "a disk that says it has synced and has not loses what was acknowledged, and it is found") {
  const PowerCutReport report = cut_power(plan_of({.calls = 10, .every = 5, .lies = true}));
  INFO("of " << report.images << " images");
  CHECK(report.failed > report.images / 4);
}
