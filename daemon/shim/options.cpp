#include "options.hpp"

#include <string.h>

namespace hermes::shim {

namespace {

bool parse_number(const char* text, std::int64_t& number) {
  const bool negative = *text == '-';
  text += negative ? 1 : 0;
  if (*text == '\0') {
    return false;
  }
  std::int64_t value = 0;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *text - '0', &value)) {
      return false;
    }
  }
  number = negative ? -value : value;
  return true;
}

struct NumberFlag {
  const char* name;
  std::int64_t Options::*field;
};
constexpr NumberFlag k_number_flags[] = {
    {"--log-cap", &Options::log_cap},
    {"--max-runtime-ms", &Options::max_runtime_ms},
    {"--stop-grace-ms", &Options::stop_grace_ms},
    {"--nice", &Options::nice},
    {"--memory-bytes", &Options::memory_bytes},
    {"--cpu-seconds", &Options::cpu_seconds},
    {"--io-priority", &Options::io_priority},
};

struct TextFlag {
  const char* name;
  const char* Options::*field;
};
constexpr TextFlag k_text_flags[] = {
    {"--record", &Options::record},
    {"--log", &Options::log},
    {"--log-older", &Options::log_older},
    {"--cwd", &Options::cwd},
};

bool take_flag(const char* name, const char* value, Options& options) {
  for (const TextFlag& flag : k_text_flags) {
    if (strcmp(name, flag.name) == 0) {
      options.*flag.field = value;
      return true;
    }
  }
  for (const NumberFlag& flag : k_number_flags) {
    if (strcmp(name, flag.name) == 0) {
      return parse_number(value, options.*flag.field);
    }
  }
  std::int64_t gate = 0;
  if (strcmp(name, "--gate-fd") == 0 && parse_number(value, gate) && gate >= 0 && gate < 1 << 20) {
    options.gate_fd = static_cast<int>(gate);
    return true;
  }
  return false;
}

}  // namespace

bool parse_options(int argc, char** argv, Options& options) {
  int at = 1;
  for (; at < argc && strcmp(argv[at], "--") != 0; at += 2) {
    if (at + 1 >= argc || !take_flag(argv[at], argv[at + 1], options)) {
      return false;
    }
  }
  if (at + 1 >= argc) {
    return false;
  }
  options.command = argv + at + 1;
  return options.gate_fd >= 0 && options.record != nullptr && options.log != nullptr &&
         options.log_older != nullptr && options.cwd != nullptr;
}

}  // namespace hermes::shim
