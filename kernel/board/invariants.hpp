#pragma once

#include <string>
#include <vector>

#include "kernel/board/change.hpp"

namespace hermes::board {

// Checks the invariants of the board (docs/concepts.md lists them) and names each violation with
// its row. Empty: all hold.
std::vector<std::string> check_invariants(db::Reader& tx);

}  // namespace hermes::board
