#include "daemon/service.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdlib>

#include "kernel/base/text.hpp"

namespace hermes::daemon {

namespace {

constexpr Millis k_status_pace{1000};

std::optional<Millis> watchdog_term() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0 || microseconds == 0) {
    return std::nullopt;
  }
  return Millis{static_cast<std::int64_t>(microseconds / 1000)};
}

}  // namespace

ServiceManager::ServiceManager()
    : listens_(std::getenv("NOTIFY_SOCKET") != nullptr), watchdog_(watchdog_term()) {}

void ServiceManager::tell_ready() { sd_notify(0, "READY=1\nSTATUS=starting"); }

// A reason goes on one line (printable): another would be a message of its own.
void ServiceManager::tell_stopping(const std::string& reason) {
  sd_notify(0, ("STOPPING=1\nSTATUS=" + printable(reason)).c_str());
}
void ServiceManager::tell_refusal(const std::string& reason) {
  sd_notify(0, ("STATUS=" + printable(reason)).c_str());
}

std::optional<MonotonicTime> ServiceManager::after_pass(const std::string& status,
                                                        MonotonicTime now) {
  std::optional<MonotonicTime> again;
  if (!listens_) {
    return again;
  }
  if (watchdog_) {
    const Millis pace = *watchdog_ / 4;
    if (!pinged_at_ || now - *pinged_at_ >= pace) {
      sd_notify(0, "WATCHDOG=1");
      pinged_at_ = now;
    }
    again = *pinged_at_ + pace;
  }
  if (status == told_) {
    return again;
  }
  if (told_at_ && now - *told_at_ < k_status_pace) {
    return std::min(again.value_or(MonotonicTime::max()), *told_at_ + k_status_pace);
  }
  sd_notify(0, ("STATUS=" + status).c_str());
  told_ = status;
  told_at_ = now;
  return again;
}

}  // namespace hermes::daemon
