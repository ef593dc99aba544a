#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/base/instant.hpp"

// Starting a run: a supervisor (hermes-shim) is spawned and waits at its gate; the caller commits
// its identity; then the gate opens.
namespace hermes::workers {

namespace fs = std::filesystem;

// What is to be run. All paths are absolute; the directories of record, log and log_older exist.
struct Launch {
  std::vector<std::string>
      argv;                      // the command, looked up in the PATH of `env` when it has no slash
  std::vector<std::string> env;  // the whole environment of the worker, "KEY=value"
  fs::path cwd;
  fs::path record;                 // created here; must not exist
  fs::path log;                    // created here when missing; appended to
  fs::path log_older;              // same filesystem as the log
  std::string token;               // at most 127 bytes
  std::string boot;                // HostIdentity::boot, at most 127 bytes
  std::int64_t log_cap_bytes = 0;  // 0 = no bound
  Millis max_runtime{0};           // 0 = none
  Millis stop_grace{10'000};
  int nice = 0;                   // added to our own
  std::int64_t memory_bytes = 0;  // 0 = none; RLIMIT_AS
  std::int64_t cpu_seconds = 0;   // 0 = none; RLIMIT_CPU
  int io_priority = 0;            // 0 = none; what ioprio_set(2) takes
};

// A supervisor that has been spawned. Until its gate is opened it has started nothing; dropped in
// that state, it ends with status 100 and is reaped here (waits for that, normally well below a
// millisecond, at most one second).
class HeldShim {
 public:
  HeldShim(HeldShim&&) noexcept = default;
  HeldShim& operator=(HeldShim&& other) noexcept;
  ~HeldShim();

  pid_t pid() const { return pid_; }
  // Clock ticks since boot; 0 when the shim ended before it could be read.
  std::uint64_t start() const { return start_; }
  // Readable when the shim has ended. It is our child: see reap() in process.hpp.
  const Fd& pidfd() const { return pidfd_; }
  // For an event loop that owns its descriptors. From then on the caller reaps, also when the gate
  // stays shut.
  Fd take_pidfd() { return std::move(pidfd_); }

 private:
  friend Result<HeldShim> start_shim(const fs::path& shim_program, const Launch& launch);
  friend Result<void> open_gate(HeldShim& shim);
  HeldShim(pid_t pid, std::uint64_t start, Fd pidfd, Fd gate)
      : pid_(pid), start_(start), pidfd_(std::move(pidfd)), gate_(std::move(gate)) {}
  void abandon();

  pid_t pid_ = -1;
  std::uint64_t start_ = 0;
  Fd pidfd_;
  Fd gate_;
};

// Creates the control record and the log, and spawns the supervisor, which waits at its gate. The
// child gets nothing of ours but the gate: no descriptor, no ignored signal, no signal mask, not
// our standard streams. Errors: invalid (a relative path, an empty command, a NUL, too long a
// token), conflict (the record exists: this run has been started before), unavailable (no space, no
// process, argument list too long). After an error there is no record of this call.
Result<HeldShim> start_shim(const fs::path& shim_program, const Launch& launch);

// The point of no return: from here on the worker may run. SIGPIPE must be ignored, as in every
// program of ours. Error: unavailable when the shim has ended already; then its exit status and
// record tell why.
Result<void> open_gate(HeldShim& shim);

}  // namespace hermes::workers
