#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>

#include "kernel/base/words.hpp"
#include "workers/rig.hpp"

using namespace hermes;
using namespace hermes::workers;
using namespace hermes::workers::test;

namespace {

Exit exit_of(const Rig& rig, const HeldShim& shim) {
  REQUIRE(rig.wait_for_end(shim) == 0);
  CHECK(count_living(rig.token()) == 0);
  const auto seen = observe_end(rig.record());
  REQUIRE(seen);
  REQUIRE(std::holds_alternative<Ended>(*seen));
  return std::get<Ended>(*seen).exit;
}

class StopWatch {
 public:
  Millis elapsed() const {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin_);
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

TEST_CASE("a stop ends a worker that listens with SIGTERM", "[workers]") {
  const Rig rig;
  const HeldShim shim = rig.go(rig.launch({k_helper, "stay"}));
  REQUIRE(rig.wait_for_log("ready"));
  const StopWatch watch;
  REQUIRE(request_stop(shim.pidfd()));
  const Exit exit = exit_of(rig, shim);
  CHECK(to_word(exit.kind) == "signaled");
  CHECK(exit.code == SIGTERM);
  CHECK(exit.stop_requested);
  CHECK(watch.elapsed() < Millis{8000});  // the grace of 10 s was not waited for
}

TEST_CASE("a worker that is asked to stop may end in its own way", "[workers]") {
  const Rig rig;
  const HeldShim shim = rig.go(
      rig.launch({"sh", "-c", "trap 'exit 42' TERM; echo ready; while :; do sleep 0.01; done"}));
  REQUIRE(rig.wait_for_log("ready"));
  REQUIRE(request_stop(shim.pidfd()));
  const Exit exit = exit_of(rig, shim);
  CHECK(to_word(exit.kind) == "exited");
  CHECK(exit.code == 42);
  CHECK(exit.stop_requested);
}

TEST_CASE("a worker that ignores SIGTERM is killed after the grace and not before", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({k_helper, "ignore-term"});
  launch.stop_grace = Millis{300};
  const HeldShim shim = rig.go(launch);
  REQUIRE(rig.wait_for_log("ready"));
  const StopWatch watch;
  REQUIRE(request_stop(shim.pidfd()));
  const Exit exit = exit_of(rig, shim);
  CHECK(watch.elapsed() >= Millis{299});
  CHECK(to_word(exit.kind) == "signaled");
  CHECK(exit.code == SIGKILL);
  CHECK(exit.stop_requested);
}

TEST_CASE("a second stop does not prolong the grace", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({k_helper, "ignore-term"});
  launch.stop_grace = Millis{400};
  const HeldShim shim = rig.go(launch);
  REQUIRE(rig.wait_for_log("ready"));
  const StopWatch watch;
  while (request_stop(shim.pidfd()) && watch.elapsed() < Millis{10'000}) {
    if (reap(shim.pidfd())) {
      break;
    }
  }
  CHECK(watch.elapsed() < Millis{5000});
}

TEST_CASE("a stopped worker is woken so that it can end", "[workers]") {
  const Rig rig;
  const HeldShim shim = rig.go(rig.launch({"sh", "-c", "echo ready; kill -STOP $$"}));
  REQUIRE(rig.wait_for_log("ready"));
  REQUIRE(request_stop(shim.pidfd()));
  const Exit exit = exit_of(rig, shim);
  CHECK(exit.stop_requested);
}

TEST_CASE("a kill is at once", "[workers]") {
  const Rig rig;
  const HeldShim shim = rig.go(rig.launch({k_helper, "ignore-term"}));
  REQUIRE(rig.wait_for_log("ready"));
  const StopWatch watch;
  REQUIRE(kill_now(shim.pidfd()));
  const Exit exit = exit_of(rig, shim);
  CHECK(exit.code == SIGKILL);
  CHECK(exit.stop_requested);
  CHECK(watch.elapsed() < Millis{8000});
}

TEST_CASE("the runtime limit ends a worker", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({k_helper, "stay"});
  launch.max_runtime = Millis{200};
  SECTION("by SIGTERM") {
    const StopWatch watch;
    const Exit exit = exit_of(rig, rig.go(launch));
    CHECK(watch.elapsed() >= Millis{199});
    CHECK(to_word(exit.kind) == "timed_out");
    CHECK(exit.code == 128 + SIGTERM);
    CHECK_FALSE(exit.stop_requested);
  }
  SECTION("by SIGKILL after the grace") {
    launch.argv = {k_helper, "ignore-term"};
    launch.stop_grace = Millis{100};
    const StopWatch watch;
    const Exit exit = exit_of(rig, rig.go(launch));
    CHECK(watch.elapsed() >= Millis{299});
    CHECK(to_word(exit.kind) == "timed_out");
    CHECK(exit.code == 128 + SIGKILL);
  }
}

TEST_CASE("a worker within its runtime limit is not bothered", "[workers]") {
  const Rig rig;
  Launch launch = rig.launch({"sh", "-c", "exit 5"});
  launch.max_runtime = Millis{60'000};
  const Exit exit = rig.run(launch);
  CHECK(to_word(exit.kind) == "exited");
  CHECK(exit.code == 5);
}
