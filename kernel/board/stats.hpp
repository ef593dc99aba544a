#pragma once

#include <map>
#include <optional>
#include <string>

#include "kernel/board/change.hpp"
#include "kernel/model/words.hpp"

namespace hermes::board {

// From the counts that triggers keep: never scans. Archived tasks stand apart; zero counts are
// absent.
struct Stats {
  std::map<Status, std::int64_t> by_status;
  std::map<std::string, std::map<Status, std::int64_t>> by_assignee;  // "" = unassigned
  std::int64_t archived = 0;
  std::optional<Instant> oldest_ready_since;
};
Stats stats(db::Reader& tx);

}  // namespace hermes::board
