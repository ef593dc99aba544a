#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/settings.hpp"
#include "kernel/base/process.hpp"

namespace hermes::daemon {

// What the next pass would do, in the form of a report: the same snapshot and the same plan, read
// without a lock, so that it may run beside a dispatcher. Writes nothing, claims nothing, makes no
// directory. A board that cannot be read is said on standard error and left out.
//
// It tells the first look only: what a pass does may make more to do (a task that is woken is
// started with the look after).
nlohmann::json dry_run(const home::Home& home, const Settings& settings, const HostIdentity& host,
                       Instant now);

}  // namespace hermes::daemon
