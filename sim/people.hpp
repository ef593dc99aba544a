#pragma once

#include "sim/world.hpp"

namespace hermes::sim {

// A person or a script does one thing to the board: any verb, at any task, whether it is allowed or
// not.
void step_person(World& world);

}  // namespace hermes::sim
