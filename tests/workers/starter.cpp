#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "daemon/shim/record.hpp"
#include "daemon/workers/launch.hpp"
#include "daemon/workers/observe.hpp"
#include "support/wait.hpp"
#include "workers/storm_plan.hpp"

// hermes_test_starter SHIM HELPER DIRECTORY BOOT TOKEN_PREFIX COUNT: starts the runs that have no
// record yet, in order and in batches of one to four, opens the gates of a batch and waits until
// its workers have begun. It is killed at any instant and started again.
namespace hermes::workers::test {

namespace {

struct Begun {
  fs::path record;
  HeldShim shim;
};

Launch launch_of(int run, char** argv) {
  const fs::path directory = argv[3];
  Launch launch;
  launch.argv = command_of(planned(run), argv[2], directory / "ran", run);
  launch.env = {"PATH=/usr/bin:/bin", fmt::format("HERMES_KANBAN_RUN_TOKEN={}{:04}", argv[5], run)};
  launch.cwd = directory;
  launch.record = directory / fmt::format("{}.record", run);
  launch.log = directory / fmt::format("{}.log", run);
  launch.log_older = directory / fmt::format("{}.log.1", run);
  launch.boot = argv[4];
  launch.log_cap_bytes = 1 << 20;
  return launch;
}

bool has_begun(const Begun& each) {
  std::ifstream file(each.record, std::ios::binary);
  std::array<char, shim::k_record_size> bytes{};
  file.read(bytes.data(), bytes.size());
  shim::Started started{};
  return shim::load(bytes.data(), started) || reap(each.shim.pidfd()).has_value();
}

bool let_go(std::vector<Begun>& batch) {
  for (Begun& each : batch) {
    if (const auto opened = open_gate(each.shim); !opened) {
      continue;  // its shim was killed: that is what the storm is for
    }
  }
  const bool begun =
      hermes::test::wait_until([&] { return std::all_of(batch.begin(), batch.end(), has_begun); });
  batch.clear();
  return begun;
}

int start_all(char** argv) {
  std::vector<Begun> batch;
  for (int run = 0; run < std::atoi(argv[6]); ++run) {
    const Launch launch = launch_of(run, argv);
    if (fs::exists(launch.record)) {
      continue;
    }
    auto shim = start_shim(argv[1], launch);
    if (!shim) {
      fmt::print(stderr, "{}\n", one_line(shim.error()));
      return 1;
    }
    batch.push_back({launch.record, std::move(*shim)});
    if (batch.size() >= static_cast<std::size_t>(1 + run % 4) && !let_go(batch)) {
      return 3;
    }
  }
  return let_go(batch) ? 0 : 3;
}

}  // namespace

}  // namespace hermes::workers::test

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return argc == 7 ? hermes::workers::test::start_all(argv) : 2;
}
