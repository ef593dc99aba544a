#include "kernel/base/process.hpp"

#include <fmt/core.h>

#include <fstream>
#include <sstream>

namespace hermes {

namespace {

std::string first_word_of(const char* path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

}  // namespace

std::optional<std::uint64_t> process_start(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) {
    return std::nullopt;
  }
  // The command name may hold anything, blanks and brackets too: count from the last ')' (proc(5)).
  const auto bracket = line.rfind(')');
  if (bracket == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream rest(line.substr(bracket + 1));
  std::string state;
  rest >> state;
  if (state == "Z" || state == "X") {
    return std::nullopt;
  }
  std::string skipped;
  for (int field = 4; field < 22; ++field) {
    rest >> skipped;
  }
  std::uint64_t start = 0;
  if (!(rest >> start)) {
    return std::nullopt;
  }
  return start;
}

HostIdentity this_host() {
  HostIdentity host;
  host.machine = first_word_of("/etc/machine-id");
  if (host.machine.empty()) {
    host.machine = "unknown";
  }
  host.boot = fmt::format("{}.{}", first_word_of("/proc/sys/kernel/random/boot_id"),
                          process_start(1).value_or(0));
  return host;
}

bool is_alive(pid_t pid, std::uint64_t start) { return process_start(pid) == start; }

}  // namespace hermes
