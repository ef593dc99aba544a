#pragma once

#include <string>

#include "kernel/base/instant.hpp"
#include "kernel/base/random.hpp"
#include "kernel/db/database.hpp"
#include "kernel/model/actor.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::board {

// What every change of a board is made with: the write transaction it belongs to and what the
// kernel may not read for itself.
struct Change {
  db::Writer& tx;
  Instant now;
  const Actor& actor;
  const std::string& board;  // slug
  const Limits& limits;
  Random& random;
};

// Under whose name something is written: a worker writes in its own, whatever name it gives.
inline std::string signed_by(const Change& change, const std::string& given) {
  return change.actor.worker || given.empty() ? change.actor.name : given;
}

}  // namespace hermes::board
