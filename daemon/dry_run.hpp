#pragma once

#include "daemon/settings.hpp"
#include "kernel/base/process.hpp"

namespace hermes::daemon {

// What the next pass would do, in the form of a report: the same snapshot and the same plan, read
// without a lock, so that it may run beside a dispatcher. Writes nothing, claims nothing, makes no
// directory. A board that cannot be read is said on standard error and left out.
//
// It tells the first look only: what a pass does may make more to do (a task that is woken is
// started with the look after). `as_json`: one object; else lines for people.
std::string dry_run_text(const home::Home& home, const Settings& settings, Instant now,
                         bool as_json);

}  // namespace hermes::daemon
