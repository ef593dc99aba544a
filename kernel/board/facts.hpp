#pragma once

#include <optional>
#include <string>

#include "kernel/board/change.hpp"

namespace hermes::board {

// Facts of the board itself that outlive processes.
struct DispatcherEnd {
  std::string reason;
  Instant at;
};
// Why the last dispatcher ended; nothing when none has ever ended in order.
std::optional<DispatcherEnd> last_dispatcher_end(db::Reader& tx);

// When the board was made.
std::optional<Instant> board_created(db::Reader& tx);

}  // namespace hermes::board
