#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/base/instant.hpp"

namespace hermes {

// The settings that the rules read; config.toml fills them (kernel/home/config.hpp says the keys).
struct Limits {
  std::int64_t max_in_progress = 16;  // live workers over all boards, at least 1
  std::optional<std::int64_t> max_in_progress_per_profile;
  std::optional<std::int64_t> start_rate;  // starts per second
  std::int64_t failure_limit = 5;          // counted failures in a row that block a task
  std::int64_t violation_limit = 3;        // exits without the verdict that was due
  Millis claim_ttl = std::chrono::seconds{900};
  Millis stale_timeout = std::chrono::hours{4};  // 0: never stale
  Millis heartbeat_gap = std::chrono::hours{1};
  Millis rate_limit_cooldown = std::chrono::seconds{300};
  Millis verdict_grace = std::chrono::seconds{30};
  Millis stop_grace = std::chrono::seconds{10};
  Millis retry_base = std::chrono::seconds{2};
  std::int64_t retry_factor = 4;
  Millis retry_max = std::chrono::minutes{10};
  Millis fleet_window = std::chrono::minutes{1};  // 0: no profile is ever paused
  Millis fleet_cooldown = std::chrono::minutes{1};
  std::string default_assignee;
  std::string reviewer;
};

// What the rules read of [planner] in config.toml.
struct PlanningLimits {
  std::int64_t max_children = 50;  // of one task
  std::int64_t failure_limit = 5;  // failures in a row after which automation leaves it to a person
  Millis retry_base = std::chrono::minutes{1};
  std::int64_t retry_factor = 4;
  Millis retry_max = std::chrono::hours{1};
  std::string root_assignee;  // of a split task that has none; "": whom the planner names
};

// Bounds on what comes from outside, in bytes or pieces.
inline constexpr std::size_t k_title_bytes = 1000;
inline constexpr std::size_t k_body_bytes = 1024 * 1024;
inline constexpr std::size_t k_text_bytes = 64 * 1024;  // comments, summaries, results, reasons
inline constexpr std::size_t k_metadata_bytes = 256 * 1024;
inline constexpr std::size_t k_name_bytes =
    200;  // assignee, tenant, author, idempotency key, branch
inline constexpr std::size_t k_path_bytes = 4000;
inline constexpr std::int64_t k_most_workers = 10'000;  // of every cap
inline constexpr std::int64_t k_most_failures = 1000;   // of every limit of failures in a row
inline constexpr std::size_t k_most_parents = 1000;
inline constexpr std::int64_t k_most_children = 500;  // of one decomposition
inline constexpr std::int64_t k_most_planners = 100;  // at once
inline constexpr std::size_t k_most_ids = 10'000;     // of one bulk verb
inline constexpr std::int64_t k_most_priority = 1'000'000'000;

}  // namespace hermes
