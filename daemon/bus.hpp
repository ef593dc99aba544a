#pragma once

#include <systemd/sd-bus.h>

#include <filesystem>
#include <memory>

namespace hermes::daemon {

// What is asked of systemd over D-Bus (org.freedesktop.systemd1(5)).
inline constexpr const char* k_systemd = "org.freedesktop.systemd1";

struct BusUnref {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};
using Bus = std::unique_ptr<sd_bus, BusUnref>;

// To the private socket of a user's systemd, which needs no bus daemon. Error: the errno, negative.
int open_private_bus(Bus& bus, const std::filesystem::path& socket);

}  // namespace hermes::daemon
