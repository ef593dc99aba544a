#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "kernel/base/error.hpp"
#include "kernel/base/fd.hpp"

// Processes by identity: a PID with its start time, then a pidfd.
namespace hermes::workers {

// Start time of a process in clock ticks since boot, also of a zombie. Three system calls and no
// stream: it is on the path of every start.
std::optional<std::uint64_t> start_of(pid_t pid);

// A pidfd of exactly this process. Errors: not_found when it is gone (or a zombie) or the PID is
// another's by now; unavailable.
Result<Fd> open_process(pid_t pid, std::uint64_t start);

// To a shim: end the run gracefully (SIGTERM; SIGKILL after the grace it was started with). Error:
// not_found when it is gone.
Result<void> request_stop(const Fd& pidfd);

// To a shim: SIGKILL for the worker and everything it started, now. Error: not_found when it is
// gone.
Result<void> kill_now(const Fd& pidfd);

// The exit status of a shim that is our own child and has ended (128 + n when signal n ended it),
// which is reaped; nothing while it lives or when it is not our child. Never blocks.
std::optional<int> reap(const Fd& pidfd);

}  // namespace hermes::workers
