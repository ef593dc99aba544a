#pragma once

#include <sys/types.h>

#include "options.hpp"
#include "record.hpp"

namespace hermes::shim {

// What a child that did not come to execve(2) says through the pipe.
struct ExecFailure {
  Stage stage;
  int error_number;
};

// A worker that has been forked. `failure_fd` is the read end of a pipe whose other end is closed
// by now: an ExecFailure in it tells a failed exec from a program that ended with 127.
struct StartedWorker {
  pid_t pid = -1;
  int failure_fd = -1;
};

// Forks the worker in a session of its own, with default signals, the options' limits and
// directory, and nothing open but /dev/null and the log. It dies with the shim. On failure
// `failure` names the step and nothing was forked.
bool start_worker(const Options& options, int log_fd, StartedWorker& worker, ExecFailure& failure);

}  // namespace hermes::shim
