#pragma once

#include <cstdint>
#include <string>

namespace hermes {

// A source of random numbers, passed to whatever makes ids and tokens so that tests can repeat a
// run.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

// The kernel's generator (getrandom(2)).
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). For tests
// and simulations only.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace hermes
