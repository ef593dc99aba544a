#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "daemon/workers/process.hpp"
#include "kernel/base/error.hpp"
#include "kernel/base/instant.hpp"
#include "kernel/base/words.hpp"

// What became of a run, read from its control record (the format: daemon/shim/record.hpp).
namespace hermes::workers {

namespace fs = std::filesystem;

enum class ExitKind {
  exited,        // code = exit code
  signaled,      // code = signal
  exec_failed,   // code = errno, stage = the step
  timed_out,     // code = exit code, or 128 + signal, of the worker after the runtime limit struck
  setup_failed,  // code = errno, stage = the step; the command was never tried
};

struct Exit {
  ExitKind kind = ExitKind::exited;
  int code = 0;
  std::string stage;  // "exec", "cwd" …; empty unless exec_failed or setup_failed
  Instant ended_at;
  std::int64_t max_rss_kb = 0;  // of the largest process of the run
  std::int64_t cpu_ms = 0;      // of all of them
  bool stop_requested = false;  // the shim was asked to stop before the worker ended
};

// The shim lives. `worker_pid` is 0 while the gate is shut.
struct Alive {
  pid_t pid = 0;
  std::uint64_t start = 0;
  pid_t worker_pid = 0;
  std::uint64_t worker_start = 0;
};
// Nothing of the run is left; this is how it ended.
struct Ended {
  Exit exit;
};
// No worker was started and none will be.
struct NeverStarted {};
// The shim is gone without a word. The worker died with it; what the worker started may live:
// Leftovers in lost.hpp.
struct ShimLost {
  pid_t worker_pid = 0;  // 0 when not recorded
  std::uint64_t worker_start = 0;
};
// The record is from another boot: nothing of the run is left, how it ended is unknown.
struct OtherBoot {};

using Observation = std::variant<Alive, Ended, NeverStarted, ShimLost, OtherBoot>;

// For a run found in the board by a dispatcher that has not started it. Order: other boot; valid
// exit; locked = alive; free: exit read again; no `started` = never started; else lost.
//
// NeverStarted is a promise. A shim may have been spawned, with its gate already open, and not have
// come to lock its record yet. So it is answered only after `revoked` was written under the lock;
// the late shim then refuses (status 100; 101 if it came while the lock was held here). Call it
// only as the dispatcher: the moment of holding the lock can turn a shim away.
//
// Errors: unavailable when the record exists and cannot be read or locked. Never a guess: the run's
// state stays as it is.
Result<Observation> adopt(const fs::path& record, const std::string& boot);

// The exit that stands in the record, for who only wants to know: takes no lock and writes nothing,
// so it disturbs neither shim nor dispatcher. Nothing when there is none (yet).
std::optional<Exit> recorded_exit(const fs::path& path);

// The worker that stands in the record of a run whose shim lives; `pid` is 0 until it has one.
// Takes no lock and writes nothing: adopt() could turn away a shim that is slow to lock its record.
// Error: not_found without a record, unavailable when it cannot be read for now.
struct Worker {
  pid_t pid = 0;
  std::uint64_t start = 0;
};
Result<Worker> recorded_worker(const fs::path& path);

// For a run whose shim was our child and whose pidfd has fired. Like adopt(), without the question
// of the boot.
Result<Observation> observe_end(const fs::path& record);

}  // namespace hermes::workers

template <>
inline constexpr auto hermes::k_words<hermes::workers::ExitKind> = std::to_array<std::string_view>(
    {"exited", "signaled", "exec_failed", "timed_out", "setup_failed"});
