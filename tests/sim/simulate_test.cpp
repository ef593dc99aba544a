#include "sim/simulate.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

using hermes::sim::History;
using hermes::sim::Simulation;

namespace {

// HERMES_SEEDS makes it shorter under a sanitizer, or longer.
std::uint64_t seeds() {
  const char* given = std::getenv("HERMES_SEEDS");
  return given == nullptr ? 2000 : std::strtoull(given, nullptr, 10);
}

void play(std::uint64_t part) {
  auto simulation = Simulation::open();
  REQUIRE(simulation);
  const std::uint64_t first = part * 1'000'000;
  for (std::uint64_t seed = first; seed < first + seeds(); ++seed) {
    const History history = simulation->play(seed);
    if (!history.violations.empty()) {
      for (const std::string& line : history.trace) {
        UNSCOPED_INFO(line);
      }
      FAIL("seed " << seed << ": " << history.violations.front());
    }
    REQUIRE(history.steps == Simulation::k_steps);
  }
}

}  // namespace

// Five of them, so that they run side by side.
TEST_CASE("no history of people, workers, kills and clocks breaks a rule, part 1", "[sim]") {
  play(0);
}
TEST_CASE("no history of people, workers, kills and clocks breaks a rule, part 2", "[sim]") {
  play(1);
}
TEST_CASE("no history of people, workers, kills and clocks breaks a rule, part 3", "[sim]") {
  play(2);
}
TEST_CASE("no history of people, workers, kills and clocks breaks a rule, part 4", "[sim]") {
  play(3);
}
TEST_CASE("no history of people, workers, kills and clocks breaks a rule, part 5", "[sim]") {
  play(4);
}

TEST_CASE("a seed is one history, whenever it is played", "[sim]") {
  auto simulation = Simulation::open();
  REQUIRE(simulation);
  const History once = simulation->play(77);
  (void)simulation->play(78);
  const History again = simulation->play(77);
  CHECK(once.trace == again.trace);
  CHECK(once.trace.size() > 30);
  CHECK(simulation->play(78).trace != once.trace);
}

TEST_CASE("histories hold what they are for", "[sim]") {
  auto simulation = Simulation::open();
  REQUIRE(simulation);
  std::string all;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (const std::string& line : simulation->play(seed).trace) {
      all += line + "\n";
    }
  }
  for (const std::string what :
       {"takes the board over", "is killed", "a second dispatcher starts", "is fenced off",
        "the machine restarts", "the clock is set by -", "adopts run", "the shim of run",
        "kills what run", "to stop", "says complete: accepted", "says block: accepted",
        "says heartbeat: accepted", "superseded or has ended", "ends: exited 75", "ends: timed_out",
        "alice: claim", "alice: reopen-review", "creates a child"}) {
    INFO(what);
    CHECK(all.find(what) != std::string::npos);
  }
}
