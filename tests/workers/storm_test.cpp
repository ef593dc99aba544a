#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <map>
#include <set>

#include "daemon/shim/record.hpp"
#include "daemon/workers/lost.hpp"
#include "kernel/base/words.hpp"
#include "support/wait.hpp"
#include "workers/rig.hpp"
#include "workers/storm_plan.hpp"

using namespace hermes;
using namespace hermes::workers;
using namespace hermes::workers::test;
using hermes::test::wait_until;

namespace {

constexpr int k_runs = 200;
constexpr int k_most_kills =
    25;  // of starters: on a slow machine too, most runs shall come to their start

// Runs numbered 0 to 199, a starter that is killed again and again, and shims that are killed.
class Storm {
 public:
  explicit Storm(std::uint64_t seed) : random_(seed) {}

  void blow() {
    for (bool finished = false; !finished;) {
      const pid_t starter = spawn_starter();
      ++starts;
      // From before its first shim to several shims later.
      finished =
          starts > k_most_kills ? wait_for(starter) : !kill_after(starter, random_.next() % 25'000);
      adopt_some();
      kill_some_shims(3);
    }
    kill_some_shims(10);
  }

  // The answer that holds: every shim has ended.
  Observation end_of(int run) {
    Observation seen = look(run);
    while (const Alive* alive = std::get_if<Alive>(&seen)) {
      if (const auto process = open_process(alive->pid, alive->start)) {
        pollfd ended{process->get(), POLLIN, 0};
        REQUIRE(::poll(&ended, 1, 20'000) == 1);
      }
      reap_orphans();
      seen = look(run);
    }
    return seen;
  }

  std::map<int, int> times_ran() const {
    std::map<int, int> times;
    std::ifstream file(directory_ / "ran");
    for (int run = 0; file >> run;) {
      ++times[run];
    }
    return times;
  }

  std::string token(int run) const { return fmt::format("{}{:04}", prefix, run); }
  static void reap_orphans() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }

  std::string prefix = fmt::format("storm-{}-{:016x}-", ::getpid(), SystemRandom{}.next());
  std::set<int> killed;         // runs whose shim was sent SIGKILL
  std::set<int> never_started;  // runs for which an adopter was promised that no worker starts
  int starts = 0;

 private:
  fs::path record(int run) const { return directory_ / fmt::format("{}.record", run); }

  Observation look(int run) const {
    const auto seen = adopt(record(run), "storm");
    if (!seen) {
      FAIL(one_line(seen.error()));
    }
    return *seen;
  }

  pid_t spawn_starter() const {
    const std::vector<std::string> words = {
        k_starter, k_shim, k_helper, directory_.path(), "storm", prefix, std::to_string(k_runs)};
    std::vector<char*> argv;
    for (const std::string& word : words) {
      argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    pid_t pid = -1;
    REQUIRE(::posix_spawn(&pid, k_starter.c_str(), nullptr, nullptr, argv.data(), environ) == 0);
    return pid;
  }

  // True when it had to be killed; false when it was done before.
  static bool kill_after(pid_t starter, std::uint64_t microseconds) {
    const timespec length{0, static_cast<long>(microseconds * 1000)};
    ::nanosleep(&length, nullptr);  // not a wait for anything: the instant of the kill is the point
    ::kill(starter, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(starter, &status, 0) == starter);
    if (WIFEXITED(status)) {
      REQUIRE(WEXITSTATUS(status) == 0);
    }
    return !WIFEXITED(status);
  }

  static bool wait_for(pid_t starter) {
    int status = 0;
    REQUIRE(::waitpid(starter, &status, 0) == starter);
    REQUIRE(status == 0);
    return true;
  }

  // As a dispatcher that has just come up: there is no other now.
  void adopt_some() {
    for (int run = 0; run < k_runs; ++run) {
      if (fs::exists(record(run)) && random_.next() % 4 == 0 &&
          std::holds_alternative<NeverStarted>(look(run))) {
        never_started.insert(run);
      }
    }
  }

  void kill_some_shims(int most) {
    for (int attempt = 0; attempt < most; ++attempt) {
      const int run = static_cast<int>(random_.next() % k_runs);
      if (!fs::exists(record(run))) {
        continue;
      }
      const Observation seen = look(run);
      if (const Alive* alive = std::get_if<Alive>(&seen)) {
        if (const auto process = open_process(alive->pid, alive->start)) {
          killed.insert(run);
          kill_shim(*process);
        }
      }
    }
  }

  hermes::test::TempDir directory_;
  SeededRandom random_;
};

void check_exit(const Exit& exit, const PlannedRun& plan) {
  CHECK(to_word(exit.kind) == (plan.signal != 0 ? "signaled" : "exited"));
  CHECK(exit.code == (plan.signal != 0 ? plan.signal : plan.code));
}

}  // namespace

TEST_CASE("a storm of killed starters and killed shims loses no exit and runs no worker twice",
          "[workers][storm]") {
  const Subreaper reaper;
  const std::uint64_t seed = SystemRandom{}.next();
  INFO("seed " << seed);
  Storm storm(seed);
  storm.blow();

  std::map<int, Observation> ends;
  int lost = 0;
  for (int run = 0; run < k_runs; ++run) {
    ends.emplace(run, storm.end_of(run));
    if (std::holds_alternative<ShimLost>(ends.at(run))) {
      ++lost;
      CHECK(wait_until([&] { return kill_leftovers(storm.token(run)) == 0; }));
    }
  }
  Storm::reap_orphans();
  CHECK(count_living(storm.prefix) == 0);

  std::map<int, int> times = storm.times_ran();
  int ended = 0;
  for (const auto& [run, end] : ends) {
    INFO("run " << run);
    if (const Ended* told = std::get_if<Ended>(&end)) {
      ++ended;
      check_exit(told->exit, planned(run));
      CHECK(times[run] == 1);
      CHECK_FALSE(storm.never_started.contains(run));
    } else if (std::holds_alternative<NeverStarted>(end)) {
      CHECK(times[run] == 0);
    } else {
      REQUIRE(std::holds_alternative<ShimLost>(end));
      CHECK(storm.killed.contains(run));
      CHECK(times[run] <= 1);
      CHECK_FALSE(storm.never_started.contains(run));
    }
  }
  INFO("ended " << ended << ", lost " << lost << ", starter started " << storm.starts << " times");
  CHECK(storm.starts > 3);
  CHECK(ended > k_runs / 5);
  if (std::getenv("HERMES_TEST_VERBOSE") != nullptr) {
    WARN("ended " << ended << ", lost " << lost << ", never started " << k_runs - ended - lost
                  << ", shims killed " << storm.killed.size() << ", starters " << storm.starts);
  }
}
