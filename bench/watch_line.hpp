#pragma once

#include "bench/board.hpp"

namespace hermes::bench {

// COMMIT of a create → its line has been read from a `hermes kanban watch --json` that has seen the
// board's newest event.
Sample measure_watch_lines(const TempHome& home, Board& board, int count);

}  // namespace hermes::bench
