#pragma once

#include <cstdint>

namespace hermes::shim {

// The command line. Everything the shim knows comes by execve(2); it reads no file and no variable
// of the environment.
//
//   hermes-shim --gate-fd N --record PATH --log PATH --log-older PATH --log-cap BYTES
//               --max-runtime-ms N --stop-grace-ms N --cwd DIR
//               [--nice N] [--memory-bytes N] [--cpu-seconds N] [--io-priority N] -- COMMAND [ARG…]
//
// 0 means none for --log-cap, --max-runtime-ms, --memory-bytes, --cpu-seconds and --io-priority.
// The last is the number that ioprio_set(2) takes: class and level.
struct Options {
  int gate_fd = -1;
  const char* record = nullptr;
  const char* log = nullptr;
  const char* log_older = nullptr;
  const char* cwd = nullptr;
  std::int64_t log_cap = 0;
  std::int64_t max_runtime_ms = 0;
  std::int64_t stop_grace_ms = 0;
  std::int64_t nice = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t cpu_seconds = 0;
  std::int64_t io_priority = 0;
  char** command = nullptr;  // NULL-terminated, at least one
};

// Refuses unknown flags, missing values, numbers that are none, and a missing --gate-fd, --record,
// --log, --log-older, --cwd or command.
bool parse_options(int argc, char** argv, Options& options);

}  // namespace hermes::shim
