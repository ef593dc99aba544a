#pragma once

#include <optional>
#include <string>

#include "kernel/board/change.hpp"
#include "kernel/model/words.hpp"

namespace hermes::board {

// Facts of the board itself that outlive processes.
struct DispatcherEnd {
  std::string reason;
  Instant at;
};
// Why the last dispatcher ended; nothing when none has ever ended in order.
std::optional<DispatcherEnd> last_dispatcher_end(db::Reader& tx);

// A run that did not do what it was started for.
struct FailedRun {
  std::string task_id;
  Outcome outcome = Outcome::failed;
  std::optional<std::string> error;
  Instant at;
};
// The last one among the last 1000 ended runs of the profile; claims by hand say nothing about it.
std::optional<FailedRun> last_failure(db::Reader& tx, const std::string& profile);

// When the board was made.
std::optional<Instant> board_created(db::Reader& tx);

}  // namespace hermes::board
