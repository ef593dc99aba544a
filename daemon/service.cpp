#include "daemon/service.hpp"

#include <systemd/sd-daemon.h>

namespace hermes::daemon {

void tell_ready(const std::string& status) { sd_notify(0, ("READY=1\nSTATUS=" + status).c_str()); }
void tell_status(const std::string& status) { sd_notify(0, ("STATUS=" + status).c_str()); }
void tell_stopping() { sd_notify(0, "STOPPING=1"); }
void tell_alive() { sd_notify(0, "WATCHDOG=1"); }

std::optional<Millis> watchdog_period() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0 || microseconds == 0) {
    return std::nullopt;
  }
  return Millis{static_cast<std::int64_t>(microseconds / 2000)};
}

}  // namespace hermes::daemon
