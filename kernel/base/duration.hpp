#pragma once

#include <string>
#include <string_view>

#include "kernel/base/error.hpp"
#include "kernel/base/instant.hpp"

namespace hermes {

// Parses "90" (seconds), "90s", "1.5h", "250ms", "2d": one non-negative number with an optional
// unit ms, s, m, h, d. Range 0 to 10 years. Error: usage, naming the text and the form.
Result<Millis> parse_duration(std::string_view text);

// "250 ms", "45 s", "3 min", "2.5 h", "4 d": for people.
std::string format_duration(Millis length);

// "just now", "5 min ago": how long `at` lies before `now`, coarse; the future counts as now.
std::string format_age(Instant at, Instant now);

// Local time, minute resolution: "2026-11-20 18:40".
std::string format_local_minute(Instant at);

// Local time to the second: "18:40:07" on the day of `now`, else "2026-11-20 18:40:07".
std::string format_local_second(Instant at, Instant now);

}  // namespace hermes
