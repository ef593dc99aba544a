#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "crash/trace.hpp"
#include "kernel/db/database.hpp"

namespace hermes::test {

inline db::BoardFiles board_files(const std::filesystem::path& dir) {
  return {dir / "board.db", dir / "board.lock"};
}

// What a board turned out to be when it was opened after something had happened to it.
struct Reopened {
  std::vector<std::string> problems;  // of the file, of the rules; empty: sound
  std::string refused;                // why it could not be opened; "" when it could
  std::uint64_t digest = 0;
};

// Everything that can be asked of an open board.
Reopened examine(db::Database& board);

// As the program opens it. Throws when it cannot be: for boards to which nothing has happened.
db::Database open_board(const std::filesystem::path& dir);

// Opens the board in `dir` as the program does, and examines it.
Reopened reopen(const std::filesystem::path& dir);

std::string content_of(const std::filesystem::path& file);
// The files of a board's directory, but for its lock and its -shm.
Image files_in(const std::filesystem::path& dir);
// Makes the directory's files those of `image`, with a gate beside them.
void lay_out(const Image& image, const std::filesystem::path& dir);

}  // namespace hermes::test
