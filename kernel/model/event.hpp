#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/base/instant.hpp"

namespace hermes {

// One line of the board's history. `seq` is never reused; the kind stays text so that events of a
// newer program can be shown.
struct Event {
  std::int64_t seq = 0;
  std::optional<std::string> task_id;
  std::optional<std::int64_t> run_id;
  std::string kind;
  std::optional<std::string> payload;  // JSON object
  Instant at;
};

}  // namespace hermes
