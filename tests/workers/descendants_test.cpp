#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>

#include "daemon/workers/lost.hpp"
#include "kernel/base/process.hpp"
#include "kernel/base/words.hpp"
#include "support/wait.hpp"
#include "workers/rig.hpp"

using namespace hermes;
using namespace hermes::workers;
using namespace hermes::workers::test;
using hermes::test::wait_until;

TEST_CASE("when a worker has ended nothing that it started is left", "[workers]") {
  const Rig rig;
  // A session of its own, a double fork, one deaf to SIGTERM; all static programs.
  const HeldShim shim = rig.go(rig.launch({k_helper, "leave"}));
  CHECK(rig.wait_for_end(shim) == 0);
  CHECK(count_living(rig.token()) == 0);  // at once, without waiting
  const auto seen = observe_end(rig.record());
  REQUIRE(seen);
  REQUIRE(std::holds_alternative<Ended>(*seen));
  CHECK(std::get<Ended>(*seen).exit.code == 3);
}

TEST_CASE("a stop reaches descendants in other sessions", "[workers]") {
  const Rig rig;
  const std::string worker =
      "setsid sh -c '"
      "trap \"echo stray told; exit\" TERM; echo stray up; while :; do sleep 0.01; done"
      "' & trap 'wait; exit 9' TERM; wait; wait; exit 8";
  const HeldShim shim = rig.go(rig.launch({"sh", "-c", worker}));
  REQUIRE(rig.wait_for_log("stray up"));
  REQUIRE(request_stop(shim.pidfd()));
  CHECK(rig.wait_for_end(shim) == 0);
  CHECK(rig.log_text().find("stray told") != std::string::npos);
  CHECK(count_living(rig.token()) == 0);
}

TEST_CASE("a hundred generations of orphans are gone", "[workers]") {
  const Rig rig;
  const Exit exit =
      rig.run({"sh", "-c",
               "f() { [ $1 -gt 0 ] && { f $(($1-1)) & }; sleep 1000; }; f 80 & sleep 0.2; exit 6"});
  CHECK(exit.code == 6);
  CHECK(count_living(rig.token()) == 0);
}

TEST_CASE("a killed shim takes its worker along, and what is left can be found and killed",
          "[workers]") {
  const Subreaper reaper;
  const Rig rig;
  const HeldShim shim = rig.go(rig.launch({k_helper, "leave-and-stay"}));
  REQUIRE(rig.wait_for_log("ready"));
  const auto alive = adopt(rig.record(), rig.boot());
  REQUIRE(alive);
  REQUIRE(std::holds_alternative<Alive>(*alive));
  const Alive known = std::get<Alive>(*alive);
  REQUIRE(is_alive(known.worker_pid, known.worker_start));

  kill_shim(shim.pidfd());
  REQUIRE(rig.wait_for_end(shim) == 128 + 9);
  CHECK(wait_until([&] { return !is_alive(known.worker_pid, known.worker_start); }));
  const auto lost = observe_end(rig.record());
  REQUIRE(lost);
  REQUIRE(std::holds_alternative<ShimLost>(*lost));
  CHECK(std::get<ShimLost>(*lost).worker_pid == known.worker_pid);
  CHECK(std::get<ShimLost>(*lost).worker_start == known.worker_start);

  CHECK(kill_leftovers(rig.token()) == 3);
  CHECK(wait_until([&] { return kill_leftovers(rig.token()) == 0; }));
  CHECK(count_living(rig.token()) == 0);
}

TEST_CASE("what is left of a run is gone only when it holds nothing any more", "[workers]") {
  const Rig rig;
  const fs::path lock = rig.path("lock");
  // Much memory takes long to give back, and a killed process lets go of its files after that.
  const std::string program =
      "use Fcntl ':flock'; open(my $f, '>', '" + lock.string() +
      "') or die; flock($f, LOCK_EX) or die; my $x = 'x' x (300 << 20); print $f 'held'; "
      "$f->flush(); sleep 600;";
  for (int round = 0; round < 3; ++round) {
    fs::remove(lock);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::setenv(std::string(k_token_variable).c_str(), rig.token().c_str(), 1);
      ::execl("/usr/bin/perl", "perl", "-e", program.c_str(), nullptr);
      ::_exit(127);
    }
    REQUIRE(wait_until([&] { return file_text(lock) == "held"; }));
    // As the end of its parent does it: nobody has seen it before.
    REQUIRE(::kill(child, SIGKILL) == 0);
    Leftovers leftovers(rig.token());
    REQUIRE(wait_until([&] { return leftovers.sweep() == 0; }));
    const Fd mine(::open(lock.c_str(), O_RDWR | O_CLOEXEC));
    CHECK(::flock(mine.get(), LOCK_EX | LOCK_NB) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
  }
}

TEST_CASE("a search for leftovers spares everybody else", "[workers]") {
  const Rig rig;
  const Rig other;
  const HeldShim shim = other.go(other.launch({k_helper, "stay"}));
  REQUIRE(other.wait_for_log("ready"));
  CHECK(kill_leftovers(rig.token()) == 0);
  CHECK(kill_leftovers(other.token().substr(0, 31)) == 0);  // a prefix is not the token
  CHECK(kill_leftovers("") == 0);
  CHECK(count_living(other.token()) == 2);
  REQUIRE(kill_now(shim.pidfd()));
  CHECK(other.wait_for_end(shim) == 0);
}

TEST_CASE("a process is opened only under its own start time", "[workers]") {
  const Rig rig;
  const HeldShim shim = rig.go(rig.launch({k_helper, "stay"}));
  REQUIRE(rig.wait_for_log("ready"));
  REQUIRE(open_process(shim.pid(), shim.start()));
  const auto wrong = open_process(shim.pid(), shim.start() + 1);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::not_found);
  CHECK_FALSE(open_process(0, 0));
  CHECK_FALSE(reap(shim.pidfd()));
  REQUIRE(kill_now(shim.pidfd()));
  CHECK(rig.wait_for_end(shim) == 0);
  CHECK_FALSE(open_process(shim.pid(), shim.start()));
  const auto gone = request_stop(shim.pidfd());
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::not_found);
}
