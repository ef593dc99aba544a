#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/base/instant.hpp"
#include "kernel/db/foreign.hpp"

// Private to the readers of foreign boards: values whose types cannot be trusted.
namespace hermes::board {

// "2025-11-05T10:00:00Z", "2025-11-05 10:00:00.250+01:00" (RFC 3339; without an offset UTC).
std::optional<Instant> parse_timestamp(std::string_view text);

// From a number: seconds, or milliseconds when it is too large for seconds. Nothing for what is no
// moment between 1970 and 9999.
std::optional<Instant> instant_of_number(double number);

std::optional<std::int64_t> integer_of(const db::ForeignValue& value);
std::optional<std::string> text_of(const db::ForeignValue& value);
// A number as above, text of such a number, or a timestamp.
std::optional<Instant> instant_of(const db::ForeignValue& value);
bool is_null(const db::ForeignValue& value);

// What every reader says in the same words.
inline constexpr std::string_view k_bad_time =
    "a time that is none was replaced by the nearest known one";
inline constexpr std::string_view k_was_running =
    "was running there and is ready here; end its worker there before one starts here";
inline constexpr std::string_view k_stray_link = "a link of a task that is not on the board";
std::string unknown_status(std::string_view status);

}  // namespace hermes::board
