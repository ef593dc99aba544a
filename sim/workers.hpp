#pragma once

#include "sim/world.hpp"

namespace hermes::sim {

// Something happens to one of the processes: its worker speaks for its task, ends, ignores a stop,
// is killed, or its shim is.
void step_worker(World& world);

// A worker whose run has ended, or what it has left behind, speaks up all the same; now and then in
// the name of the run that came after it, whose token it does not have.
void step_ghost(World& world);

// The worker gives the verdict that its profile asks for and ends with exit code 0.
void finish_well(World& world, Process& process);

}  // namespace hermes::sim
