#include "cli/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <ranges>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_payload_bytes = 400;

std::string spaces(std::string_view text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return std::string(width < columns ? columns - width : 0, ' ');
}

constexpr std::size_t k_gap = 2;  // between two columns

// Printable text holds no escape character, so every one is the beginning of a colour.
std::size_t cell_width(std::string_view cell) {
  std::size_t width = 0;
  while (true) {
    const auto escape = cell.find('\x1b');
    width += display_width(cell.substr(0, escape));
    const auto end = cell.find('m', escape);
    if (escape == std::string_view::npos || end == std::string_view::npos) {
      return width;
    }
    cell.remove_prefix(end + 1);
  }
}

std::vector<std::size_t> widths_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], cell_width(row[i]));
    }
  }
  return widths;
}

// The last column gives way first, down to a third of the line; then the widest of the others.
void narrow(std::vector<std::size_t>& widths, std::size_t columns) {
  constexpr std::size_t k_narrowest = 12;
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(), k_gap * (widths.size() - 1));
  };
  const std::size_t least = std::min(widths.back(), std::max(columns / 3, k_narrowest));
  while (total() > columns && widths.back() > least) {
    --widths.back();
  }
  const auto others = std::ranges::subrange(widths.begin(), widths.end() - 1);
  while (total() > columns && !others.empty()) {
    const auto widest = std::ranges::max_element(others);
    if (*widest <= k_narrowest) {
      return;  // such a terminal breaks the lines itself
    }
    --*widest;
  }
}

// A word as it is, anything else in double quotes.
std::string value_text(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_of(" \t\"'=,;[]{}") == std::string::npos &&
                     printable(text) == text;
  return plain ? text : Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string value_text(const Json& value) {
  if (value.is_string()) {
    return value_text(value.get_ref<const std::string&>());
  }
  const auto is_text = [](const Json& item) { return item.is_string(); };
  if (value.is_array() && std::ranges::all_of(value, is_text)) {
    std::string out;
    for (const Json& item : value) {
      out += (out.empty() ? "" : ",") + value_text(item);
    }
    return out;
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string pad(std::string_view text, std::size_t columns) {
  return std::string(text) + spaces(text, columns);
}

std::string pad_left(std::string_view text, std::size_t columns) {
  return spaces(text, columns) + std::string(text);
}

std::vector<std::string> table_lines(const std::vector<std::vector<std::string>>& rows,
                                     std::size_t columns) {
  std::vector<std::size_t> widths = widths_of(rows);
  if (columns > 0 && !widths.empty()) {
    narrow(widths, columns);
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string& line = lines.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell =
          cell_width(row[i]) > widths[i] ? clip_columns(row[i], widths[i]) : row[i];
      line += cell;
      if (i + 1 < row.size()) {
        line.append(widths[i] + k_gap - std::min(widths[i], cell_width(cell)), ' ');
      }
    }
  }
  return lines;
}

std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t columns) {
  std::string out;
  for (const std::string& line : table_lines(rows, columns)) {
    out += line + "\n";
  }
  return out;
}

std::string coloured(std::string_view text, std::string_view colour, const Style& style) {
  return style.colour && !colour.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text)
                                         : std::string(text);
}

std::string shown(const Json& value, std::string_view otherwise) {
  return value.is_string() ? printable(value.get_ref<const std::string&>())
                           : std::string(otherwise);
}

std::string shown_lines(const Json& value) {
  return value.is_string() ? printable_lines(value.get_ref<const std::string&>()) : "";
}

std::string shown_start(const Json& value, std::size_t bytes) {
  if (!value.is_string()) {
    return "";
  }
  const std::string_view whole = trim(value.get_ref<const std::string&>());
  const std::string_view kept = clip(first_line(whole), bytes);
  return printable(kept) + (kept.size() < whole.size() ? " …" : "");
}

std::string minute(const Json& seconds) {
  return seconds.is_number_integer()
             ? format_local_minute(Instant{seconds.get<std::int64_t>() * 1000})
             : "-";
}

std::string second(const Json& ms, std::int64_t now_ms) {
  return ms.is_number_integer()
             ? format_local_second(Instant{ms.get<std::int64_t>()}, Instant{now_ms})
             : "-";
}

std::string payload_text(const Json& payload) {
  if (!payload.is_object()) {
    return payload.is_null() ? "" : printable(clip(value_text(payload), k_payload_bytes));
  }
  std::string text;
  const Json from = payload.value("from", Json());
  const Json to = payload.value("to", Json());
  const bool moves = from.is_string() && to.is_string();
  if (moves) {
    text = value_text(from) + " → " + value_text(to);
  }
  for (const auto& [key, value] : payload.items()) {
    const bool nothing = value.is_null() || (value.is_structured() && value.empty());
    const bool of_the_lease = key == "lock" || key == "expires";  // --json has them
    if (!nothing && !of_the_lease && !(moves && (key == "from" || key == "to"))) {
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", key, value_text(value));
    }
  }
  const std::string_view kept = clip(text, k_payload_bytes);
  return printable(kept) + (kept.size() < text.size() ? " …" : "");
}

std::string indented(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = first_line(text);
    out.append(indent).append(line).append("\n");
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return out;
}

std::string counts_text(const Json& counts) {
  std::string out;
  for (const auto& [status, n] : counts.items()) {
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", status, n.get<std::int64_t>());
  }
  return out;
}

std::string fact_line(std::string_view name, const std::string& value) {
  return value.empty() ? "" : fmt::format("  {} {}\n", pad(fmt::format("{}:", name), 13), value);
}

std::string number_text(const Json& value) {
  return value.is_number_integer() ? std::to_string(value.get<std::int64_t>()) : "";
}

std::string words_text(const Json& texts) {
  std::string out;
  for (const Json& text : texts) {
    const std::string word = shown(text);
    const bool plain =
        !word.empty() && word.find_first_of(" \t\"'\\$|&;<>(){}*?") == std::string::npos;
    out += (out.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return out;
}

Json::array_t items_of(const Json& value) {
  return value.is_array() ? value.get_ref<const Json::array_t&>() : Json::array_t{value};
}

}  // namespace hermes::cli
