#pragma once

#include <string>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/base/fd.hpp"

namespace hermes::daemon {

// A program of ours that does for the loop what takes its time. It is our child, in a process group
// of its own (Ctrl-C at our terminal is not for it), and goes on when we are killed.
struct Helper {
  std::string path;
  std::vector<std::string> argv;         // beginning with its name
  std::vector<std::string> environment;  // empty: ours
  int out = -1;                          // its standard output; none: /dev/null
  bool tells_errors = false;             // its standard error is ours, else /dev/null
  bool reads_sigterm = false;            // SIGTERM is blocked from its first instruction on
};

// Its pidfd. Error: unavailable.
Result<Fd> start_helper(const Helper& helper);

}  // namespace hermes::daemon
