#include "mcp/frames.hpp"

#include <utility>

#include "kernel/base/text.hpp"

namespace hermes::mcp {

void Frames::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (!skipping_ && partial_.size() + piece.size() > most_) {
      skipping_ = true;
      partial_ = std::string();
    }
    if (!skipping_) {
      partial_ += piece;
    }
    if (end == std::string_view::npos) {
      return;
    }
    end_line();
    bytes.remove_prefix(end + 1);
  }
}

void Frames::finish() { end_line(); }

std::optional<Frames::Frame> Frames::next() {
  if (ready_.empty()) {
    return std::nullopt;
  }
  Frame frame = std::move(ready_.front());
  ready_.pop_front();
  return frame;
}

void Frames::end_line() {
  if (skipping_) {
    ready_.push_back({"", true});
  } else if (!trim(partial_).empty()) {
    ready_.push_back({std::move(partial_), false});
  }
  partial_ = std::string();
  skipping_ = false;
}

}  // namespace hermes::mcp
