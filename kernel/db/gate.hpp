#pragma once

#include <signal.h>
#include <time.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>

#include "kernel/base/error.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/base/instant.hpp"

namespace hermes::db {

// Ends a wait at the gate from another thread.
class Cancellation {
 public:
  void request();
  void forget();  // before the next wait
  bool requested() const { return requested_; }

  // For the gate: while a thread waits there, the timer that interrupts it.
  void attach(timer_t timer);
  void detach();

 private:
  std::mutex mutex_;
  std::atomic<bool> requested_ = false;
  std::optional<timer_t> timer_;
};

// The write gate: an exclusive flock on board.lock, held for one write transaction or checkpoint of
// any process.
//
// It gives three things at once. Fairness: SQLite's own busy handler lets one writer starve the
// others for seconds. Safety: a commit never meets another connection's checkpoint, which can
// corrupt a WAL database in SQLite 3.7.0 to 3.51.2. And the wake-up: closing the descriptor is the
// change signal that GateWatch waits for, sent by the kernel even when the writer is killed.
//
// Nothing but SQL happens while it is held, and it is not recursive (asserted). SIGTSTP is blocked
// meanwhile, so that Ctrl-Z cannot stop a process that everybody waits for. It is the one place of
// the kernel that uses a timer.
class WriteGate {
 public:
  // Waits in one blocking flock, bounded by a timer signal of this thread; a loop over LOCK_NB
  // would lose the fairness. Error: busy, naming the PID that holds the gate; unavailable
  // when the file cannot be opened, or `cancellation` was requested before the gate was had.
  static Result<WriteGate> enter(const std::filesystem::path& lock_file, Millis wait,
                                 Cancellation* cancellation = nullptr);

  WriteGate(WriteGate&&) noexcept = default;
  WriteGate& operator=(WriteGate&&) = delete;
  ~WriteGate();

 private:
  WriteGate(Fd fd, const sigset_t& mask) : fd_(std::move(fd)), mask_before_(mask) {}

  Fd fd_;
  sigset_t mask_before_;
};

}  // namespace hermes::db
