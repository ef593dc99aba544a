#pragma once

#include <string_view>

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

}  // namespace hermes::workers
