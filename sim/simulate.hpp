#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernel/base/error.hpp"

// A deterministic simulation of the kernel and of what is decided around it: people, scripts and
// workers that use the board at random, one or two dispatchers that are killed between any two
// steps, workers that end in every way, clocks that are set, heartbeats that are late or missing, a
// machine that restarts. A seed is a history; after every step of it the rules of the board and
// those of sim/oracle.hpp must hold, and at the end everything must come to rest.
namespace hermes::sim {

struct History {
  std::uint64_t seed = 0;
  std::int64_t steps = 0;
  std::vector<std::string> trace;       // a line for each thing that happened
  std::vector<std::string> violations;  // empty: all was well
};

// Plays histories, one after the other, on one board in a directory of its own, which goes with it.
class Simulation {
 public:
  // Error: unavailable, when there is no place for the board.
  static Result<Simulation> open();
  Simulation(Simulation&&) noexcept;
  Simulation& operator=(Simulation&&) = delete;
  ~Simulation();

  // `steps`: at least 1.
  History play(std::uint64_t seed, int steps = k_steps);

  static constexpr int k_steps = 150;

 private:
  struct State;
  explicit Simulation(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hermes::sim
