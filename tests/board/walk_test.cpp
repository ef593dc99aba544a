// Random operations, thousands of them. A walk that fails prints its seed and every step; the same
// again: HERMES_WALK=SEED build/dev/tests/hermes_tests '[walk]'.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <sstream>

#include "board/walk.hpp"

using namespace hermes;
using namespace hermes::test;

namespace {

constexpr int k_steps = 100;
constexpr std::uint64_t k_walks = 125;  // of each test

// HERMES_WALKS makes it shorter under a sanitizer.
std::uint64_t walks() {
  const char* given = std::getenv("HERMES_WALKS");
  return given == nullptr ? k_walks : std::strtoull(given, nullptr, 10);
}

// How often each operation was done.
using Done = std::map<std::string, std::size_t>;

void walk(std::uint64_t seed, bool tell, Done& done) {
  Walk walk(seed);
  int step = 1;
  while (step <= k_steps && walk.step()) {
    ++step;
  }
  for (const auto& [name, times] : walk.done()) {
    done[name] += times;
  }
  if (walk.findings().empty() && !tell) {
    return;
  }
  std::ostringstream text;
  text << "walk " << seed << "\n";
  for (const std::string& line : walk.trace()) {
    text << line << "\n";
  }
  for (const std::string& finding : walk.findings()) {
    text << "=> " << finding << "\n";
  }
  if (tell) {
    WARN(text.str());
  }
  INFO(text.str());
  CHECK_THAT(walk.findings(), Catch::Matchers::Equals(std::vector<std::string>{}));
}

void walk_from(std::uint64_t first) {
  Done done;
  if (const char* seed = std::getenv("HERMES_WALK")) {
    if (first == 1) {
      walk(std::strtoull(seed, nullptr, 10), true, done);
    }
    return;
  }
  for (std::uint64_t seed = first; seed < first + walks(); ++seed) {
    walk(seed, false, done);
  }
  if (walks() < k_walks) {
    return;  // too few to do everything
  }
  for (const std::string name : {"create",
                                 "swarm",
                                 "import",
                                 "claim",
                                 "claim by hand",
                                 "complete",
                                 "block",
                                 "heartbeat",
                                 "unblock",
                                 "promote",
                                 "schedule",
                                 "wake",
                                 "reclaim",
                                 "assign",
                                 "request-review",
                                 "request-changes",
                                 "reopen-review",
                                 "archive",
                                 "delete",
                                 "link",
                                 "unlink",
                                 "edit",
                                 "set-model",
                                 "comment",
                                 "attach",
                                 "attach-rm",
                                 "notify-subscribe",
                                 "notify-unsubscribe",
                                 "expire the claim",
                                 "end the run",
                                 "stop as stale",
                                 "prune events",
                                 "resume the profile",
                                 "abort all runs"}) {
    INFO(k_walks << " walks have never done this: " << name);
    CHECK(done[name] > 0);
  }
}

}  // namespace

TEST_CASE("500 random walks of 100 operations keep every rule: the first quarter", "[walk]") {
  walk_from(1);
}
TEST_CASE("500 random walks of 100 operations keep every rule: the second quarter", "[walk]") {
  walk_from(1001);
}
TEST_CASE("500 random walks of 100 operations keep every rule: the third quarter", "[walk]") {
  walk_from(2001);
}
TEST_CASE("500 random walks of 100 operations keep every rule: the last quarter", "[walk]") {
  walk_from(3001);
}
