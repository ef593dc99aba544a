#pragma once

#include <optional>
#include <string>

#include "kernel/base/instant.hpp"

namespace hermes::daemon {

// What a service manager is told (sd_notify(3)); nothing without NOTIFY_SOCKET. libsystemd lives in
// service.cpp only.
void tell_ready(const std::string& status);
void tell_status(const std::string& status);
void tell_stopping();
void tell_alive();  // the watchdog ping

// Half of the watchdog's term when one is set for this process.
std::optional<Millis> watchdog_period();

}  // namespace hermes::daemon
