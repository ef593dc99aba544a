#include "mcp/bounds.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"

namespace hermes::mcp {

namespace {

std::string as_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void cut_value(Json& value, std::size_t most_bytes) {
  if (value.is_string()) {
    cut_text(value, most_bytes);
  } else if (value.is_structured()) {
    if (const std::string text = as_json(value); text.size() > most_bytes) {
      value = clip_telling(text, most_bytes);
    }
  }
}

}  // namespace

void cut_text(Json& text, std::size_t most_bytes) {
  if (text.is_string() && text.get_ref<const std::string&>().size() > most_bytes) {
    text = clip_telling(text.get_ref<const std::string&>(), most_bytes);
  }
}

void cut_values(Json& object, std::size_t most_bytes) {
  for (Json& value : object) {
    cut_value(value, most_bytes);
  }
}

std::size_t cut_list(Json& list, const ListBounds& bounds) {
  const std::size_t all = list.size();
  const bool last = bounds.keep == Keep::last;
  std::size_t kept = 0;
  std::size_t bytes = 0;
  while (kept < std::min(all, bounds.rows)) {
    Json& row = list[last ? all - kept - 1 : kept];
    if (row.is_object()) {
      cut_values(row, bounds.row_bytes);
    } else {
      cut_value(row, bounds.row_bytes);
    }
    bytes += as_json(row).size();
    if (kept > 0 && bytes > bounds.bytes) {
      break;
    }
    ++kept;
  }
  const auto left_out = static_cast<Json::difference_type>(all - kept);
  if (last) {
    list.erase(list.begin(), list.begin() + left_out);
  } else {
    list.erase(list.end() - left_out, list.end());
  }
  return all - kept;
}

}  // namespace hermes::mcp
