#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"

namespace hermes::board {

struct SwarmWorker {
  std::string profile;
  std::string title;
  std::vector<std::string> skills;
};
struct SwarmRequest {
  std::string goal;  // at most 64 KiB
  std::vector<SwarmWorker> workers;
  std::string verifier;  // profiles
  std::string synthesizer;
  std::string tenant;
  std::int64_t priority = 0;
  std::string created_by;
  std::optional<std::string> origin;
  std::optional<std::string> idempotency_key;
};

// The tasks of a swarm.
struct Swarm {
  std::string root_id;
  std::vector<std::string> worker_ids;
  std::string verifier_id;
  std::string synthesizer_id;
  bool existing = false;
  std::string goal;  // of the swarm that exists; may be another one than was asked for
};

// What the blackboard of a swarm's root begins with: a comment of JSON. The first one on the root,
// written with it, is where the topology is kept; later ones are whatever the workers put there.
inline constexpr std::string_view k_blackboard = "[swarm:blackboard] ";

// A root that is done at once, workers that are ready, a verifier that waits for all of them, a
// synthesizer that waits for the verifier: all in the caller's one transaction. A live swarm with
// the idempotency key is answered from its root instead. Error: usage (no worker), invalid (blank
// names and titles, bounds), conflict (the key belongs to a task that is no swarm).
Result<Swarm> create_swarm(Change& change, const SwarmRequest& request);

}  // namespace hermes::board
