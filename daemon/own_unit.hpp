#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace hermes::daemon {

// A service of systemd that ends with us and then kills whatever it still holds, workers too:
// KillMode= is neither process nor none (systemd.kill(5)).
struct KillingUnit {
  std::string name;
  std::string kill_mode;
};

// Ours, when it is such a one: we are its main process or that one's child, or it is of the type
// oneshot. Nothing where there is none, or where systemd does not say within a second.
// `user_manager` is the socket of the user's systemd (home::user_manager_socket).
std::optional<KillingUnit> killing_unit(const std::filesystem::path& user_manager);

// The service in which a process is, by its /proc/PID/cgroup (cgroups(7)).
struct InService {
  std::string name;
  bool of_user = false;  // of a user's systemd
};
std::optional<InService> service_of(std::string_view groups);

}  // namespace hermes::daemon
