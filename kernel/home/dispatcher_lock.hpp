#pragma once

#include <optional>

#include "kernel/base/fd.hpp"
#include "kernel/base/instant.hpp"
#include "kernel/home/paths.hpp"

namespace hermes::home {

// run/dispatcher.lock, held for a dispatcher's life, decides alone who dispatches a home.

enum class LockPurpose {
  serve,  // until it is told to end
  pass,   // one pass, or finishing what was told to stop
};

// Error: locked, naming the holder's PID. Waits up to 300 ms, because a look holds it for
// microseconds; who wants to serve waits up to `patience` for a holder that only passes.
Result<Fd> take_dispatcher_lock(const Home& home, LockPurpose purpose = LockPurpose::serve,
                                Millis patience = std::chrono::seconds{30});

struct DispatcherState {
  bool alive = false;            // one serves
  bool passing = false;          // one is there for a moment only
  std::optional<pid_t> pid;      // when it is visible
  std::optional<Instant> since;  // when it took the lock
};
DispatcherState dispatcher_state(const Home& home);

}  // namespace hermes::home
