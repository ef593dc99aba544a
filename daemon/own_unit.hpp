#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace hermes::daemon {

// A service of systemd that kills what it still holds when it ends, workers too: KillMode= is
// neither process nor none (systemd.kill(5)).
struct KillingUnit {
  std::string name;
  std::string kill_mode;
  // It ends when we do: we are its main process, or it is done with its one command
  // (systemd.service(5): Type=oneshot). Else it may.
  bool ends_with_us = false;
};

// The unit that a process is in, when it is such a one. `groups` is its /proc/PID/cgroup;
// `user_manager` the socket of the user's systemd (home::user_manager_socket). Nothing where there
// is none, and where systemd does not say within a second.
std::optional<KillingUnit> killing_unit(std::string_view groups, pid_t pid,
                                        const std::filesystem::path& user_manager);

// The service in which a process is, by its /proc/PID/cgroup (cgroups(7)).
struct InService {
  std::string name;
  bool of_user = false;  // of a user's systemd
};
std::optional<InService> service_of(std::string_view groups);

}  // namespace hermes::daemon
