#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "kernel/base/fd.hpp"

namespace hermes::workers {

// The variable of a worker's environment that everything it starts inherits.
inline constexpr std::string_view k_token_variable = "HERMES_KANBAN_RUN_TOKEN";

// After a lost shim: one scan of /proc that sends SIGKILL to every process of ours whose
// environment holds the run's token, except the caller, and says how many were found alive. Zombies
// do not count. Repeat until it finds none: the killed need a moment, and a process may have forked
// behind the scan.
//
// What it cannot find: a process that was given another environment (env -i), and one that runs as
// another user. An empty or implausibly short token (under 16 bytes) finds nothing.
int kill_leftovers(std::string_view token);

// The same until nothing is left that holds anything of the run. A process that was killed gives
// its memory back before its files: while it does, its environment is gone already, and its locks
// and ports are still taken.
class Leftovers {
 public:
  explicit Leftovers(std::string token) : token_(std::move(token)) {}

  // One scan. How many still live or are dying: those that were found in this one or an earlier,
  // and those of ours that were dying at the first, whosever they were.
  int sweep();

 private:
  std::string token_;
  bool has_swept_ = false;
  std::map<pid_t, Fd> waited_for_;  // their pidfds
};

}  // namespace hermes::workers
