#pragma once

#include <optional>
#include <string>

#include "daemon/loop.hpp"
#include "kernel/base/instant.hpp"

namespace hermes::daemon {

// What a service manager is told (sd_notify(3)); nothing without NOTIFY_SOCKET.
class ServiceManager {
 public:
  ServiceManager();

  static void tell_ready();
  static void tell_stopping(const std::string& reason);
  // Why there will be no dispatcher: the status of the unit from then on.
  static void tell_refusal(const std::string& reason);

  // To be called after every pass, because a ping means that the loop settles. Passes come by the
  // hundred in a second: the status is told once in a second, a ping once in a quarter of the
  // watchdog's term. Returns when to be called again, however little happens.
  std::optional<MonotonicTime> after_pass(const std::string& status, MonotonicTime now);

 private:
  bool listens_;
  std::optional<Millis> watchdog_;  // its term, when one is set for this process
  std::optional<MonotonicTime> pinged_at_;
  std::optional<MonotonicTime> told_at_;
  std::string told_;
};

}  // namespace hermes::daemon
