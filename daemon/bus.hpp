#pragma once

#include <systemd/sd-bus.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "daemon/loop.hpp"

namespace hermes::daemon {

// What is asked of systemd over D-Bus (org.freedesktop.systemd1(5)).
inline constexpr const char* k_systemd = "org.freedesktop.systemd1";

struct BusUnref {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};
using Bus = std::unique_ptr<sd_bus, BusUnref>;

// To the private socket of a user's systemd, which needs no bus daemon; to the system's. Neither
// waits. Error: the errno, negative.
int open_private_bus(Bus& bus, const std::filesystem::path& socket);
int open_system_bus(Bus& bus);

// Sends and takes messages until `done`. Error: the errno, negative; -ETIMEDOUT after the deadline.
int work_until(sd_bus* bus, MonotonicTime deadline, const std::function<bool()>& done);

}  // namespace hermes::daemon
