// What people and programs are shown: every function of text.hpp on any bytes.
#include "kernel/base/text.hpp"

#include <algorithm>

#include "fuzz/harness.hpp"

using namespace hermes;
using fuzz::require;

namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

void check_printable(std::string_view text) {
  const std::string line = printable(text);
  require(is_utf8(line), "what is printable is UTF-8", text);
  require(std::ranges::none_of(line, is_control), "what is printable has no controls", text);
  require(printable(line) == line, "printable twice is printable once", text);
  const std::string lines = printable_lines(text);
  require(is_utf8(lines), "printable lines are UTF-8", text);
  require(printable_lines(lines) == lines, "printable lines twice are the same", text);
  require(line.size() <= 8 * text.size(), "printable text is at most eight times as long", text);
}

void check_cuts(std::string_view text, std::size_t at) {
  const std::string_view head = clip(text, at);
  require(text.starts_with(head) && head.size() <= at, "a clip is a short prefix", text);
  require(!is_utf8(text) || is_utf8(head), "a clip cuts no character", text);
  require(trim(trim(text)) == trim(text), "trimmed twice is trimmed once", text);
  require(to_lower(to_lower(text)) == to_lower(text), "lower case stays", text);
  require(first_line(text).find('\n') == std::string_view::npos, "a line has no break", text);
  for (const std::string& word : split_list(text, ',')) {
    require(!word.empty() && trim(word) == word, "words of a list are trimmed", text);
  }
}

void check_columns(const std::string& shown, std::size_t columns) {
  const std::string cut = clip_columns(shown, columns);
  require(display_width(cut) <= columns, "what is cut to columns fits into them", shown);
  require(is_utf8(cut), "what is cut to columns is UTF-8", shown);
  const auto lines = wrap(shown, columns);
  require(!lines.empty(), "there is at least one line", shown);
  for (const std::string& line : lines) {
    require(display_width(line) <= columns || line.find(' ') == std::string::npos,
            "a line is too long only by one word", shown);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::size_t number = size == 0 ? 0 : data[0];
  const std::string_view text = fuzz::text_of(data, size).substr(size == 0 ? 0 : 1);
  check_printable(text);
  check_cuts(text, number);
  check_columns(printable(text), std::max<std::size_t>(1, number % 100));
  const auto checked = check_text("the text", text, number);
  require(checked.has_value() ==
              (text.size() <= number && is_utf8(text) && text.find('\0') == std::string_view::npos),
          "what can be stored is short UTF-8 without NUL", text);
  fuzz::require_told(checked);
  did_you_mean(text.substr(0, 64), {"create", "complete", "comment"});
  nests_too_deep(text);
  return 0;
}
