#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hermes::bench {

// Nanoseconds of CLOCK_MONOTONIC, which every process of this machine reads alike.
using Nanos = std::int64_t;
Nanos monotonic_now();

// Durations of the same thing, measured again and again.
class Sample {
 public:
  void add(Nanos duration);
  std::size_t size() const { return sorted_.size(); }

  // The smallest value that at least this share of all values does not exceed (nearest rank).
  // `share` is above 0 and at most 1; the sample is not empty.
  Nanos at(double share) const;
  Nanos median() const { return at(0.5); }
  Nanos most() const { return at(1.0); }

 private:
  std::vector<Nanos> sorted_;
};

// "p50 3.12 ms  p99 4.90 ms  max 7.21 ms"
std::string spread(const Sample& sample);

// With the unit that fits: "812 µs", "3.12 ms", "4.21 s".
std::string duration_text(Nanos duration);

// "1,234"
std::string count_text(std::int64_t count);

// How many of `count` fit into a second.
double per_second(std::int64_t count, Nanos duration);

inline constexpr Nanos k_microsecond = 1'000;
inline constexpr Nanos k_millisecond = 1'000'000;
inline constexpr Nanos k_second = 1'000'000'000;

}  // namespace hermes::bench
