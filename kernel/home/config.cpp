#include "kernel/home/config.hpp"

#include <fmt/core.h>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/settings.hpp"

namespace hermes::home {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t k_most_workers = 10'000;
constexpr Millis k_year = hours{24 * 366};

// Names are compared on the board as they are stored there: trimmed and lower-cased.
KeyRule name_key(std::string_view key, std::string& target) {
  return {key, [&target](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(const std::string text, as_text(setting, k_name_bytes));
            if (printable(text) != text) {
              return std::unexpected(refuse(setting, "must not contain control characters"));
            }
            target = to_lower(trim(text));
            return {};
          }};
}

std::vector<KeyRule> dispatcher_rules(Config& config) {
  Limits& limits = config.limits;
  return {
      duration_key("interval", config.interval, seconds{1}, hours{24}),
      integer_key("max_in_progress", limits.max_in_progress, 1, k_most_workers),
      integer_key("max_in_progress_per_profile", limits.max_in_progress_per_profile, 1,
                  k_most_workers),
      integer_key("start_rate", limits.start_rate, 1, k_most_workers),
      integer_key("failure_limit", limits.failure_limit, 1, 1000),
      integer_key("violation_limit", limits.violation_limit, 1, 1000),
      duration_key("claim_ttl", limits.claim_ttl, seconds{1}, k_year),
      duration_key("stale_timeout", limits.stale_timeout, Millis{0}, k_year),
      duration_key("heartbeat_gap", limits.heartbeat_gap, seconds{1}, k_year),
      duration_key("rate_limit_cooldown", limits.rate_limit_cooldown, Millis{1}, hours{24}),
      duration_key("verdict_grace", limits.verdict_grace, Millis{0}, hours{1}),
      duration_key("stop_grace", limits.stop_grace, Millis{0}, hours{1}),
      duration_key("gate_wait", config.gate_wait, Millis{100}, minutes{10}),
      name_key("default_assignee", limits.default_assignee),
      name_key("reviewer", limits.reviewer),
  };
}

std::vector<KeyRule> retry_rules(Limits& limits) {
  return {
      duration_key("base", limits.retry_base, Millis{0}, hours{24}),
      integer_key("factor", limits.retry_factor, 1, 100),
      duration_key("max", limits.retry_max, Millis{0}, hours{24 * 7}),
      duration_key("fleet_window", limits.fleet_window, Millis{1}, hours{24}),
      duration_key("fleet_cooldown", limits.fleet_cooldown, Millis{1}, hours{24}),
  };
}

}  // namespace

const std::vector<std::string>& reserved_sections() {
  static const std::vector<std::string> names = {"gc",  "notify", "planner", "hooks",
                                                 "api", "drain",  "handoff", "control"};
  return names;
}

Result<Config> parse_config(std::string_view text, const std::string& file_name) {
  TRY_ASSIGN(const Setting file, parse_settings(text, file_name));
  Config config;
  std::vector<KeyRule> rules = {
      table_key("dispatcher", dispatcher_rules(config)),
      table_key("retry", retry_rules(config.limits)),
      table_key("log", {bytes_key("rotate_bytes", config.log_rotate_bytes, 64 * 1024,
                                  std::int64_t{1} << 30),
                        reserved("keep")}),
  };
  for (const std::string& name : reserved_sections()) {
    rules.push_back(reserved(name));
  }
  TRY(read_table(file, rules));
  if (config.limits.retry_max < config.limits.retry_base) {
    return fail(ErrorCode::invalid,
                fmt::format("{}: retry.max is shorter than retry.base", file_name),
                "raise retry.max or lower retry.base");
  }
  return config;
}

Result<Config> load_config(const Home& home) {
  auto text = read_file(home.config(), k_settings_bytes);
  if (!text && text.error().code == ErrorCode::not_found) {
    return Config{};
  }
  TRY(text);
  return parse_config(*text, home.config().string());
}

}  // namespace hermes::home
