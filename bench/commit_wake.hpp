#pragma once

#include "bench/sample.hpp"

namespace hermes::bench {

// Floors of everything that waits for a commit: a thread of this process sleeps at the gate of a
// board of its own, and another commits.
struct CommitWakes {
  Sample to_wake;  // COMMIT has returned → the sleeper runs
  Sample to_read;  // … → it has read the new event by its number
};
CommitWakes measure_commit_wakes(int count);

}  // namespace hermes::bench
