#include "cli/text.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/duration.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_payload_bytes = 400;

std::string spaces(std::string_view text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return std::string(width < columns ? columns - width : 0, ' ');
}

}  // namespace

std::string pad(std::string_view text, std::size_t columns) {
  return std::string(text) + spaces(text, columns);
}

std::string pad_left(std::string_view text, std::size_t columns) {
  return spaces(text, columns) + std::string(text);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out += pad(row[i], widths[i] + 2);
    }
    out += (row.empty() ? "" : row.back()) + "\n";
  }
  return out;
}

std::string shown(const Json& value, std::string_view otherwise) {
  return value.is_string() ? printable(value.get_ref<const std::string&>())
                           : std::string(otherwise);
}

std::string shown_lines(const Json& value) {
  return value.is_string() ? printable_lines(value.get_ref<const std::string&>()) : "";
}

std::string shown_start(const Json& value, std::size_t bytes) {
  return value.is_string() ? printable(clip(first_line(value.get_ref<const std::string&>()), bytes))
                           : "";
}

std::string minute(const Json& seconds) {
  return seconds.is_number_integer()
             ? format_local_minute(Instant{seconds.get<std::int64_t>() * 1000})
             : "-";
}

std::string payload_text(const Json& payload) {
  if (payload.is_null() || payload.empty()) {
    return "";
  }
  const std::string text = payload.dump(-1, ' ', false, Json::error_handler_t::replace);
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

Json::array_t items_of(const Json& value) {
  return value.is_array() ? value.get_ref<const Json::array_t&>() : Json::array_t{value};
}

}  // namespace hermes::cli
