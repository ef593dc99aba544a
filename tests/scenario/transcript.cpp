#include "scenario/transcript.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <sstream>

namespace hermes::test {

namespace {

constexpr std::string_view k_divider = "----";

bool is_comment(const std::string& line) { return line.starts_with('#'); }

}  // namespace

std::vector<std::string> Block::commands() const {
  std::vector<std::string> commands;
  std::ranges::copy_if(head, std::back_inserter(commands), std::not_fn(is_comment));
  return commands;
}

Result<std::vector<Block>> read_transcript(const std::string& text) {
  std::vector<Block> blocks;
  Block block;
  bool answering = false;
  std::istringstream in(text + "\n\n");
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (!line.empty()) {
      block.line = block.line == 0 ? number : block.line;
      if (answering) {
        block.answer += line + "\n";
      } else if (line == k_divider) {
        answering = true;
      } else {
        block.head.push_back(line);
      }
    } else if (block.line != 0) {
      block.is_prose = !answering;
      if (block.is_prose != block.commands().empty()) {
        return fail(ErrorCode::invalid,
                    fmt::format("line {}: a block is commands, ---- and their answer", block.line));
      }
      blocks.push_back(std::move(block));
      block = {};
      answering = false;
    }
  }
  return blocks;
}

std::string write_transcript(const std::vector<Block>& blocks) {
  std::string text;
  for (const Block& block : blocks) {
    text += text.empty() ? "" : "\n";
    for (const std::string& line : block.head) {
      text += line + "\n";
    }
    if (!block.is_prose) {
      text += fmt::format("{}\n{}", k_divider, block.answer);
    }
  }
  return text;
}

}  // namespace hermes::test
