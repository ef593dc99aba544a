#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

// Who a process is. A PID alone is never an identity: it is paired with the start time and the
// boot.
namespace hermes {

// Start time of a process in clock ticks since boot (field 22 of /proc/<pid>/stat); nothing if
// there is no such process or it is a zombie.
std::optional<std::uint64_t> process_start(pid_t pid);

// This host and this boot of it. `machine` is /etc/machine-id (or "unknown"), `boot` the kernel's
// boot id joined with the start time of PID 1, so that a restarted container counts as a new boot.
struct HostIdentity {
  std::string machine;
  std::string boot;
};
HostIdentity this_host();

// True while the process with this PID and start time lives.
bool is_alive(pid_t pid, std::uint64_t start);

}  // namespace hermes
