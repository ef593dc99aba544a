#pragma once

#include <chrono>
#include <string>
#include <thread>

namespace hermes::bench {

// A measurement that cannot be made ends by an exception: its homes and processes go with it.

// SIGINT, SIGTERM and SIGHUP let the next look at a condition throw, so that nothing is left
// behind.
void heed_signals();
void throw_if_interrupted();

[[noreturn]] void give_up(const std::string& what);

// Looks every `step` until `condition()` holds; throws, naming `what`, when that takes longer than
// `limit`.
template <class Condition>
void wait_for(const std::string& what, Condition condition,
              std::chrono::milliseconds limit = std::chrono::seconds{30},
              std::chrono::microseconds step = std::chrono::milliseconds{2}) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    throw_if_interrupted();
    if (std::chrono::steady_clock::now() >= deadline) {
      give_up(what);
    }
    std::this_thread::sleep_for(step);
  }
}

// Until the descriptor is readable; throws after `limit`, naming `what`.
void wait_readable(const std::string& what, int fd,
                   std::chrono::milliseconds limit = std::chrono::seconds{30});

}  // namespace hermes::bench
