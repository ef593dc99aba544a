#pragma once

#include "kernel/home/paths.hpp"

namespace hermes::daemon {

// Makes $HERMES_HOME/run: a link to a private directory on /dev/shm where there is one, else a
// plain directory. One that is there and usable stays as it is; a link that a reboot left dangling
// gets its directory back.
Result<void> prepare_run_directory(const home::Home& home);

}  // namespace hermes::daemon
