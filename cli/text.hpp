#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/print.hpp"
#include "verbs/json.hpp"

// Small pieces of what people are shown. Text from a board passes through `shown` or `shown_lines`:
// it may hold control characters.
namespace hermes::cli {

using verbs::Json;

// Filled with spaces to `columns` terminal columns; longer text stays whole.
std::string pad(std::string_view text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);

// Columns as wide as their widest cell, two spaces between them; the last one is not filled. Cells
// must be printable, but may be `coloured`. Where a line would be longer than `columns` (0: it may)
// the last cell is cut, and wide ones before it when that leaves it little room.
std::vector<std::string> table_lines(const std::vector<std::vector<std::string>>& rows,
                                     std::size_t columns = 0);
// The lines, each ending in a newline.
std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t columns = 0);

// Between the escape sequences of a colour (SGR of ECMA-48), or as it is.
std::string coloured(std::string_view text, std::string_view colour, const Style& style);

// A string value for one line of a terminal; `otherwise` when it is null.
std::string shown(const Json& value, std::string_view otherwise = "-");
std::string shown_lines(const Json& value);
// The first line of a text, at most `bytes` bytes of it.
std::string shown_start(const Json& value, std::size_t bytes);

// "2026-11-20 18:40" from integer seconds; "-" for null.
std::string minute(const Json& seconds);

// "18:40:07", with its date when that is not today, from integer milliseconds; "-" for null.
std::string second(const Json& ms, std::int64_t now_ms);

// An event's payload on one line, for people: "ready → running run=7 reason="no disk""; "" when
// there is nothing in it.
std::string payload_text(const Json& payload);

// Each line with `indent` in front; ends in a newline.
std::string indented(std::string_view text, std::string_view indent);

// "done=2, ready=1"; "" when there are none.
std::string counts_text(const Json& counts);

// "  name:         value" and a newline; "" for a value that says nothing.
std::string fact_line(std::string_view name, const std::string& value);

// A whole number; "" for anything else.
std::string number_text(const Json& value);

// The arguments of a command as one would type them, near enough to be read.
std::string words_text(const Json& texts);

// The items of a bulk answer, which is a bare object for a single id.
Json::array_t items_of(const Json& value);

}  // namespace hermes::cli
