#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/base/instant.hpp"

namespace hermes::daemon {

// The command line of hermes-dispatcher.
struct Options {
  enum class Mode {
    serve,   // until SIGTERM or SIGINT
    once,    // one pass: finish, wake, expire, stop, start what can be started, then end
    finish,  // start nothing: stop what has a stop intent, finish what has ended, then end
    help,
    version,
  };
  Mode mode = Mode::serve;
  std::optional<Millis> interval;
  std::optional<std::int64_t> max_in_progress;
  std::optional<std::int64_t> failure_limit;
  std::optional<std::string> pidfile;
  bool verbose = false;
  bool json = false;  // with once: the report as JSON
};

// Error: usage.
Result<Options> parse_options(const std::vector<std::string>& arguments);

std::string help_text();

}  // namespace hermes::daemon
