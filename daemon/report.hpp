#pragma once

#include <map>
#include <string>

#include "kernel/home/paths.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::daemon {

// What one pass did, told from the events that were written while it ran: for `kanban dispatch`.
class PassReport {
 public:
  PassReport(const home::Home& home);  // remembers where every board's history ends now
  // Reads what came since. `json`: one object; else lines for people.
  std::string text(const Limits& limits, bool json) const;

 private:
  home::Home home_;
  std::map<std::string, std::int64_t> before_;
};

}  // namespace hermes::daemon
