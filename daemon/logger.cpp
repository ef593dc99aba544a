#include "daemon/logger.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "kernel/base/text.hpp"

namespace hermes::daemon {

namespace {

void put(spdlog::level::level_enum level, std::string_view text) {
  spdlog::log(level, "{}", printable(text));
}

}  // namespace

void start_log(bool verbose) {
  auto logger = spdlog::stderr_logger_st("hermes-dispatcher");
  logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%l: %v"
                                                               : "[%Y-%m-%d %H:%M:%S] %l: %v");
  logger->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_debug(std::string_view text) { put(spdlog::level::debug, text); }
void log_info(std::string_view text) { put(spdlog::level::info, text); }
void log_warning(std::string_view text) { put(spdlog::level::warn, text); }
void log_error(std::string_view text) { put(spdlog::level::err, text); }

}  // namespace hermes::daemon
