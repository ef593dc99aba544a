#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kernel/db/database.hpp"
#include "kernel/home/paths.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::daemon {

// The form in which one pass is told: counts and lists of task ids by what happened to them.
nlohmann::json empty_report(bool dry_run);
// Adds the ready tasks of a board that no pass starts, and why.
void add_skipped(nlohmann::json& report, db::Reader& tx, const home::Home& home,
                 const Limits& limits);
// `as_json`: one object; else lines for people.
std::string report_text(const nlohmann::json& report, bool as_json);

// What one pass did, told from the events that were written while it ran: for `kanban dispatch`.
class PassReport {
 public:
  explicit PassReport(const home::Home& home);  // remembers where every board's history ends now
  // Reads what came since. `json`: one object; else lines for people.
  std::string text(const Limits& limits, bool json) const;

 private:
  home::Home home_;
  std::map<std::string, std::int64_t> before_;
};

}  // namespace hermes::daemon
