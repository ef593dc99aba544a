#pragma once

#include <string>

#include "kernel/home/paths.hpp"

namespace hermes::home {

// The log of one attempt: the older generation and the current one joined, at most the last `most`
// bytes (0: all). A cut first line is dropped unless there is no other. Holes left by a shortened
// log on some filesystems are skipped. Error: not_found.
Result<std::string> read_log(const BoardPaths& board, const std::string& task_id,
                             std::int64_t attempt, std::size_t most);

// The last non-empty line of a log, control characters shown, at most 400 bytes; "" when there is
// none.
std::string last_log_line(const BoardPaths& board, const std::string& task_id,
                          std::int64_t attempt);

}  // namespace hermes::home
