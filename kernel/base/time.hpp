#pragma once

#include <string_view>

#include "kernel/base/error.hpp"
#include "kernel/base/instant.hpp"

namespace hermes {

// A moment as people write it: "2026-11-20T18:40:00+01:00" or with Z (RFC 3339, section 5.6),
// "2026-11-20 18:40" or with seconds (local time), or seconds since the epoch. Years 1970 to 9999.
// Error: usage, naming the text and the forms.
Result<Instant> parse_time(std::string_view text);

}  // namespace hermes
