#include "bench/sample.hpp"

#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace hermes::bench {

Nanos monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * k_second + now.tv_nsec;
}

void Sample::add(Nanos duration) {
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), duration), duration);
}

Nanos Sample::at(double share) const {
  if (sorted_.empty()) {
    throw std::logic_error("a sample without values has no percentiles");
  }
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(size())));
  return sorted_[std::clamp<std::size_t>(rank, 1, size()) - 1];
}

std::string spread(const Sample& sample) {
  return fmt::format("p50 {}  p99 {}  max {}", duration_text(sample.median()),
                     duration_text(sample.at(0.99)), duration_text(sample.most()));
}

std::string duration_text(Nanos duration) {
  const auto value = static_cast<double>(duration);
  const Nanos size = std::abs(duration);
  if (size < k_millisecond) {
    return fmt::format("{:.{}f} µs", value / 1e3, size < 100 * k_microsecond ? 1 : 0);
  }
  return size < k_second ? fmt::format("{:.2f} ms", value / 1e6)
                         : fmt::format("{:.2f} s", value / 1e9);
}

std::string count_text(std::int64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

double per_second(std::int64_t count, Nanos duration) {
  return static_cast<double>(count) * 1e9 / static_cast<double>(std::max<Nanos>(duration, 1));
}

}  // namespace hermes::bench
