#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace hermes::mcp {

// Messages out of a stream of bytes: one per line, blank lines left out. Of a line that is longer
// than the bound only the fact is kept, so that no client fills the memory.
class Frames {
 public:
  struct Frame {
    std::string text;
    bool too_long = false;
  };

  explicit Frames(std::size_t most_bytes) : most_(most_bytes) {}

  void add(std::string_view bytes);
  // The stream has ended: what is left is a line, although nothing ends it.
  void finish();
  std::optional<Frame> next();
  bool empty() const { return ready_.empty(); }

 private:
  void end_line();

  std::size_t most_;
  std::string partial_;
  bool skipping_ = false;
  std::deque<Frame> ready_;
};

}  // namespace hermes::mcp
