#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/home/profile.hpp"

namespace hermes::daemon {

// A control group for a worker whose profile bounds what it uses with all that it starts: a
// transient scope of the user's systemd (systemd.scope(5)). It is gone with its last process,
// whatever becomes of us.
struct WantedScope {
  pid_t pid = -1;           // has started nothing yet: what it starts later is in the scope
  std::string name;         // without ".scope"; no other unit has it
  std::string description;  // for people
  home::TreeLimits limits;
};

// What is really bounded: less than was wanted where a controller is not delegated to the user's
// systemd, nothing where none runs.
struct Bounded {
  bool memory = false;
  bool cpu = false;
};

// One for each, asked for at once over the private socket of the user's systemd
// (home::user_manager_socket) and there within 2 s. Error: unavailable when it is there and
// refuses, or does not answer in time; the process is where it was then, or in the scope.
std::vector<Result<Bounded>> place_in_scopes(const std::filesystem::path& socket,
                                             const std::vector<WantedScope>& wanted);

}  // namespace hermes::daemon
