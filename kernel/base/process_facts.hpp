#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hermes {

// What /proc says of a living process at this moment.
struct ProcessFacts {
  pid_t pid = 0;
  char state = '?';            // R, S, D, T … (proc(5))
  std::int64_t age_ms = 0;     // since it was started
  std::int64_t cpu_ms = 0;     // user and system time, without its children
  std::int64_t rss_bytes = 0;  // memory it holds
  std::int64_t threads = 0;
  std::int64_t descendants = 0;            // children, their children …
  std::optional<std::int64_t> open_files;  // descriptors; nothing when we may not look
  std::optional<std::string> cwd;          // nothing when we may not look
  std::string command;                     // at most 15 bytes, without arguments
  std::vector<std::string> argv;           // may hold secrets
};

// Of the process with this PID and this start time (see process_start); nothing when it has gone,
// also when its PID belongs to another one by now.
std::optional<ProcessFacts> look_at_process(pid_t pid, std::uint64_t start);

}  // namespace hermes
