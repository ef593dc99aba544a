#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/board/facts.hpp"
#include "kernel/board/stats.hpp"
#include "kernel/home/registry.hpp"
#include "kernel/rules/fleet.hpp"
#include "verbs/json.hpp"

namespace hermes::verbs {

// One look at a board of the home.
struct BoardLook {
  std::string slug;
  std::optional<Error> error;                // it cannot be read, and the rest is empty
  std::map<Status, std::int64_t> by_status;  // archived ones too
  std::map<std::string, std::map<Status, std::int64_t>> by_assignee;
  std::map<std::string, std::int64_t> running;       // live workers per profile
  std::map<std::string, std::int64_t> ended;         // a moment ago, per profile
  std::map<std::string, rules::Gate> gates;          // of profiles that are paused or being tried
  std::map<std::string, board::FailedRun> failures;  // the last one of each profile asked about
  std::optional<Instant> created_at;
  std::optional<board::DispatcherEnd> dispatcher_end;
};
BoardLook look_at(const home::BoardPaths& paths, Instant now,
                  db::Database::Access access = db::Database::Access::read,
                  const std::vector<std::string>& profiles = {});

// Every board but `except`. A board that cannot be read keeps nobody from seeing the others. Of
// `profiles` the last failures are looked up.
std::vector<BoardLook> look_at_boards(const home::Home& home, Instant now,
                                      std::string_view except = {},
                                      const std::vector<std::string>& profiles = {});

Json counts_json(const std::map<Status, std::int64_t>& counts);

}  // namespace hermes::verbs
