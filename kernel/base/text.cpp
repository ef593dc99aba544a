#include "kernel/base/text.hpp"

#include <fmt/core.h>
#include <wchar.h>

#include <algorithm>
#include <cstdint>

namespace hermes {

namespace {

// Length in bytes of the well-formed UTF-8 character at the start of `text`, 0 if there is none.
std::size_t utf8_length(std::string_view text, std::uint32_t* code_point = nullptr) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) {
    return 0;
  }
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80         ? 1
                             : (lead >> 5) == 6  ? 2
                             : (lead >> 4) == 14 ? 3
                             : (lead >> 3) == 30 ? 4
                                                 : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  std::uint32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) >> 6) != 2) {
      return 0;
    }
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t k_smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < k_smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    return 0;
  }
  if (code_point != nullptr) {
    *code_point = code;
  }
  return length;
}

// Line separators and the marks that turn the direction of text: they let a title pose as something
// else.
bool reorders(std::uint32_t code) {
  return code == 0x2028 || code == 0x2029 || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

// What shows nothing, and so lets two texts look alike or carries words that only programs read:
// zero-width space, byte order mark, annotations, tags. Joiners are letters of some scripts, and
// the plain direction marks turn nothing round by themselves.
bool hides(std::uint32_t code) {
  return code == 0x180e || code == 0x200b || (code >= 0x2060 && code <= 0x2064) ||
         (code >= 0x206a && code <= 0x206f) || code == 0xfeff ||
         (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe007f);
}

bool is_control(std::uint32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

std::string escape(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(text, &code);
    const bool kept_break = keep_lines && (text[0] == '\n' || text[0] == '\t');
    const bool shown = length > 0 && !is_control(code) && !reorders(code) && !hides(code);
    if (kept_break || shown) {
      out.append(text.substr(0, length));
    } else if (text[0] == '\n') {
      out += "\\n";
    } else if (text[0] == '\t') {
      out += "\\t";
    } else if (text[0] == '\r') {
      out += "\\r";
    } else if (length > 1) {
      out += fmt::format("\\u{:04x}", code);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

bool is_wide(std::uint32_t code) {
  constexpr std::uint32_t k_ranges[][2] = {
      {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
      {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
      {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
      {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
  };
  for (const auto& range : k_ranges) {
    if (code >= range[0] && code <= range[1]) {
      return true;
    }
  }
  return false;
}

bool is_combining(std::uint32_t code) {
  return (code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x20d0 && code <= 0x20ff) || (code >= 0xfe00 && code <= 0xfe0f);
}

// Levenshtein's distance of two words.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view k_space = " \t\r\n\v\f";
  const auto begin = text.find_first_not_of(k_space);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(k_space) - begin + 1);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string_view clip(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) >> 6) == 2) {
    --bytes;
  }
  return text.substr(0, bytes);
}

std::string clip_telling(std::string_view text, std::size_t bytes) {
  const std::string_view kept = clip(text, bytes);
  return kept.size() == text.size()
             ? std::string(text)
             : fmt::format("{} … ({} more bytes)", kept, text.size() - kept.size());
}

std::string printable(std::string_view text) { return escape(text, false); }
std::string printable_lines(std::string_view text) { return escape(text, true); }

bool is_plain(std::string_view text) {
  while (!text.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(text, &code);
    if (length == 0 || is_control(code) || reorders(code)) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string printable_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = std::max<std::size_t>(1, utf8_length(json, &code));
    if (code < 0x7f || !(is_control(code) || reorders(code) || hides(code))) {
      out.append(json.substr(0, length));
    } else if (code < 0x10000) {
      out += fmt::format("\\u{:04x}", code);
    } else {  // RFC 8259, section 7: a pair of surrogates
      const std::uint32_t rest = code - 0x10000;
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10U), 0xdc00 + (rest & 0x3ffU));
    }
    json.remove_prefix(length);
  }
  return out;
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

std::vector<std::string> split_list(std::string_view text, char separator) {
  std::vector<std::string> words;
  while (true) {
    const auto end = text.find(separator);
    if (const auto word = trim(text.substr(0, end)); !word.empty()) {
      words.emplace_back(word);
    }
    if (end == std::string_view::npos) {
      return words;
    }
    text.remove_prefix(end + 1);
  }
}

std::string counted(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) {
      out += separator;
    }
    out += word;
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(text, &code);
    columns += length == 0 ? 1 : is_combining(code) ? 0 : is_wide(code) ? 2 : 1;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return columns;
}

std::string clip_columns(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) {
    return std::string(text);
  }
  std::string out;
  std::size_t used = 1;  // the mark itself
  while (!text.empty()) {
    const std::string_view character = text.substr(0, std::max<std::size_t>(1, utf8_length(text)));
    used += display_width(character);
    if (used > columns) {
      break;
    }
    out += character;
    text.remove_prefix(character.size());
  }
  return columns == 0 ? "" : out + "…";
}

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  for (const std::string& word : split_list(text, ' ')) {
    std::string& line = lines.back();
    if (!line.empty() && display_width(line) + 1 + display_width(word) > columns) {
      lines.push_back(word);
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
  }
  return lines;
}

std::string help_row(std::string_view left, std::string_view right, std::size_t at,
                     std::size_t columns) {
  constexpr std::size_t k_narrowest = 20;
  const std::string margin(at, ' ');
  const std::size_t room = columns > at + k_narrowest ? columns - at : k_narrowest;
  const std::size_t used = 2 + display_width(left);
  std::string out = "  " + std::string(left);
  out += used + 2 > at ? "\n" + margin : std::string(at - used, ' ');
  return out + join(wrap(right, room), "\n" + margin) + "\n";
}

bool nests_too_deep(std::string_view json) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      i += c == '\\' ? 1 : 0;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > k_deepest_json) {
        return true;
      }
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

Result<void> check_text(std::string_view what, std::string_view text, std::size_t most) {
  if (text.size() > most) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is {} bytes long, the limit is {}", what, text.size(), most),
                "shorten it, or keep the material in a file and name the file");
  }
  if (text.find('\0') != std::string_view::npos || !is_utf8(text)) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is not valid UTF-8 text: '{}'", what, printable(clip(text, 60))),
                "convert it, for example with iconv -t UTF-8");
  }
  return {};
}

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& words) {
  std::vector<std::pair<std::size_t, std::string>> near;
  const std::string_view clipped = clip(word, 60);
  for (const std::string& candidate : words) {
    const std::size_t steps = edit_distance(clipped, candidate);
    const bool part = clipped.size() >= 3 && candidate.find(clipped) != std::string::npos;
    if (part ||
        steps <= std::max<std::size_t>(candidate.size() < 4 ? 1 : 2, candidate.size() / 3)) {
      near.emplace_back(steps, candidate);
    }
  }
  std::sort(near.begin(), near.end());
  std::vector<std::string> found;
  for (std::size_t i = 0; i < near.size() && i < 3; ++i) {
    found.push_back(near[i].second);
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& words) {
  const std::vector<std::string> near = nearest(word, words);
  return near.empty() ? "" : fmt::format(", did you mean {}?", join(near, " or "));
}

}  // namespace hermes
