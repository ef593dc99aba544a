#pragma once

#include <string>
#include <string_view>
#include <vector>

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

// A file of the board's logs directory that is a log by its name: "t_0a1b2c3d.2.log" or its older
// generation "….log.1".
struct LogFile {
  fs::path path;
  std::string task_id;
  Instant changed_at;
  // "….tmp": what was to take its place, and never does when its writer was killed.
  bool unfinished = false;
};
std::vector<LogFile> log_files(const BoardPaths& board);
bool is_log_name(std::string_view name);

}  // namespace hermes::home
