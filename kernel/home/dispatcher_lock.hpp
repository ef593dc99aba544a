#pragma once

#include <optional>

#include "kernel/base/fd.hpp"
#include "kernel/base/instant.hpp"
#include "kernel/home/paths.hpp"

namespace hermes::home {

// run/dispatcher.lock, held for a dispatcher's life, decides alone who dispatches a home.

// Error: locked, naming the holder's PID. Waits up to 300 ms, because a look from dispatcher_alive
// holds it for microseconds.
Result<Fd> take_dispatcher_lock(const Home& home);

struct DispatcherState {
  bool alive = false;
  std::optional<pid_t> pid;      // when it is visible
  std::optional<Instant> since;  // when it took the lock
};
DispatcherState dispatcher_state(const Home& home);

}  // namespace hermes::home
