#pragma once

#include <string_view>

namespace hermes::daemon {

// Lines on standard error, with the time unless a service manager adds it (JOURNAL_STREAM is set).
// Control characters are shown. spdlog lives in logger.cpp only.
void start_log(bool verbose);
void log_debug(std::string_view text);
void log_info(std::string_view text);
void log_warning(std::string_view text);
void log_error(std::string_view text);

}  // namespace hermes::daemon
