#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace hermes {

using Millis = std::chrono::milliseconds;

// Wall-clock time: milliseconds since the Unix epoch (UTC). A different type from
// steady_clock::time_point on purpose, so that a stored deadline is never compared with a monotonic
// one. Only programs, the loop and the log read a clock.
struct Instant {
  std::int64_t ms = 0;

  auto operator<=>(const Instant&) const = default;
  std::int64_t seconds() const { return ms / 1000; }
};

inline Instant operator+(Instant at, Millis by) { return {at.ms + by.count()}; }
inline Instant operator-(Instant at, Millis by) { return {at.ms - by.count()}; }
inline Millis operator-(Instant a, Instant b) { return Millis{a.ms - b.ms}; }

// Reads the system clock: for main functions, the daemon's loop and tests.
inline Instant wall_clock_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<Millis>(now).count()};
}

}  // namespace hermes
