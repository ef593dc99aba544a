// hermes-bench: measures, and prints each figure beside its floor of the same run.
#include <fmt/core.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string_view>
#include <vector>

#include "bench/measurements.hpp"
#include "bench/temp_home.hpp"
#include "bench/wait.hpp"
#include "kernel/db/connection.hpp"

namespace hermes::bench {
namespace {

constexpr int k_exit_usage = 2;
constexpr unsigned long k_tmpfs = 0x01021994;  // statfs(2)

struct Measurement {
  std::string_view name;
  std::string_view what;
  std::vector<Row> (*measure)(Effort);
};

constexpr Measurement k_measurements[] = {
    {"start", "commit of a task to its worker's first instruction", measure_start},
    {"jobs", "durable jobs per second, and task-spooler's", measure_jobs},
    {"cli", "list and create above `true`", measure_cli},
    {"mcp", "show, list and comment of an agent, and ping", measure_mcp},
    {"death", "SIGKILL of a worker to its event", measure_death},
    {"watch", "commit to the line of watch", measure_watch},
    {"scale", "10,000 and 100,000 tasks of five links against 100", measure_scale},
    {"fan", "a task with 500 children, and one with 500 parents", measure_fan},
    {"idle", "wake-ups and memory of an idle dispatcher", measure_idle},
    {"gate", "24 writers at the write gate", measure_gate},
};

std::string help_text() {
  std::string text =
      "usage: hermes-bench [--quick] [NAME...]\n"
      "\n"
      "Measures all, or what is named, in homes of its own below TMPDIR (/tmp).\n"
      "\n";
  for (const Measurement& measurement : k_measurements) {
    text += fmt::format("  {:<10} {}\n", measurement.name, measurement.what);
  }
  return text +
         "\n"
         "  --quick    few samples: shows that it works, the figures are not for comparing\n"
         "\n"
         "Exit status: 0 all was measured (goals met or not), 1 something could not be, 2 usage.\n";
}

std::string machine_text(bool quick) {
  utsname system{};
  ::uname(&system);
  const std::string temp = std::filesystem::temp_directory_path().string();
  struct statfs facts {};
  ::statfs(temp.c_str(), &facts);
  const bool memory = static_cast<unsigned long>(facts.f_type) == k_tmpfs;
  std::array<double, 1> load{};
  ::getloadavg(load.data(), 1);
  std::string text = fmt::format(
      "{} CPUs, Linux {}, {} on filesystem type {:#x}, SQLite {}, build {}, load {:.2f}\n",
      ::sysconf(_SC_NPROCESSORS_ONLN), system.release, temp,
      static_cast<unsigned long>(facts.f_type), db::loaded_sqlite().substr(0, 6), BENCH_BUILD,
      load[0]);
  if (memory) {
    text += "TMPDIR is in memory: nothing here is durable, set it to a directory on a disk\n";
  }
  if (quick) {
    text += "--quick: few samples, not for comparing\n";
  }
  return text;
}

struct Request {
  Effort effort;
  std::vector<std::string_view> names;  // empty: all
};

bool is_wanted(const Request& request, const Measurement& measurement) {
  return request.names.empty() || std::find(request.names.begin(), request.names.end(),
                                            measurement.name) != request.names.end();
}

int measure(const Request& request) {
  fmt::print("{}\n", machine_text(request.effort.quick));
  std::fflush(stdout);
  std::vector<Row> rows;
  int status = 0;
  for (const Measurement& measurement : k_measurements) {
    if (!is_wanted(request, measurement)) {
      continue;
    }
    fmt::print(stderr, "measuring {}: {}\n", measurement.name, measurement.what);
    try {
      throw_if_interrupted();
      for (Row& row : measurement.measure(request.effort)) {
        rows.push_back(std::move(row));
      }
    } catch (const std::exception& error) {
      fmt::print(stderr, "hermes-bench: {} could not be measured: {}\n", measurement.name,
                 error.what());
      rows.push_back({.name = std::string(measurement.name), .figure = {"could not be measured"}});
      status = 1;
    }
  }
  fmt::print("{}", table_text(rows));
  return status;
}

int run(const std::vector<std::string_view>& arguments) {
  Request request;
  for (const std::string_view argument : arguments) {
    const bool known =
        std::any_of(std::begin(k_measurements), std::end(k_measurements),
                    [&](const Measurement& measurement) { return measurement.name == argument; });
    if (argument == "--quick") {
      request.effort.quick = true;
    } else if (argument == "--help" || argument == "-h") {
      fmt::print("{}", help_text());
      return 0;
    } else if (known) {
      request.names.push_back(argument);
    } else {
      fmt::print(stderr, "hermes-bench: there is no measurement '{}'\n\n{}", argument, help_text());
      return k_exit_usage;
    }
  }
  heed_signals();
  const TempHomes homes;
  return measure(request);
}

}  // namespace
}  // namespace hermes::bench

int main(int argc, char* argv[]) { return hermes::bench::run({argv + 1, argv + argc}); }
