#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
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

// Which of the wanted limits hold. A controller that is not delegated to the user's systemd bounds
// nothing, and where none runs nothing does.
struct Bounded {
  bool has_manager = true;
  bool memory = true;
  bool cpu = true;
};

// One for each, asked for at once over the private socket of the user's systemd
// (home::user_manager_socket) and there within a second. Error: unavailable when it refuses one,
// busy when it does not answer in time; the process is where it was then, or in the scope.
std::vector<Result<Bounded>> place_in_scopes(const std::filesystem::path& socket,
                                             const std::vector<WantedScope>& wanted);

// Whether a controller ("memory", "cpu") holds a process by the group of this name. `groups` is its
// /proc/PID/cgroup (cgroups(7)); `file` is what the group has with version 2 when it does, below
// one of `roots`.
bool is_held(std::string_view groups, std::string_view name, std::string_view controller,
             std::string_view file, const std::vector<std::filesystem::path>& roots);

}  // namespace hermes::daemon
