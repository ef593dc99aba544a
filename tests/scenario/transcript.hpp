#pragma once

#include <string>
#include <vector>

#include "kernel/base/error.hpp"

namespace hermes::test {

// A transcript is a text file of blocks, separated by blank lines:
//
//     # what the next lines show
//     candidate t_1 profile=shell
//     plan
//     ----
//     start a/t_1 shell
//     next: nothing
//
// The lines above `----` are commands, those below it what they answered. A block of comments alone
// is prose. With HERMES_REWRITE=1 the test writes the answers anew; reading the difference is then
// the review.
struct Block {
  std::size_t line = 0;           // of the file, from 1
  std::vector<std::string> head;  // comments and commands, as written
  bool is_prose = false;          // no `----`: nothing to answer
  std::string answer;             // lines, each with its newline

  std::vector<std::string> commands() const;
};

// Error: invalid, naming the line of commands without `----` or of `----` without commands.
Result<std::vector<Block>> read_transcript(const std::string& text);

std::string write_transcript(const std::vector<Block>& blocks);

}  // namespace hermes::test
