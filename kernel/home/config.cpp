#include "kernel/home/config.hpp"

#include <fmt/core.h>

#include "kernel/base/duration.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/command.hpp"

namespace hermes::home {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Millis k_year = hours{24 * 366};
constexpr Millis k_age = k_year * 10;
// To end a planner that does not end, with some patience for a machine that is busy.
constexpr Millis k_planning_overtime = minutes{1};

// Names are compared on the board as they are stored there: trimmed and lower-cased.
KeyRule name_key(std::string_view key, std::string& target) {
  return {key,
          [&target](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(const std::string text, as_text(setting, k_name_bytes));
            if (!is_plain(text)) {
              return std::unexpected(refuse(setting, "must not contain control characters"));
            }
            target = to_lower(trim(text));
            return {};
          },
          [&target] { return target.empty() ? "" : toml_text(target); }};
}

std::vector<KeyRule> dispatcher_rules(Config& config) {
  Limits& limits = config.limits;
  return {
      duration_key("interval", config.interval, seconds{1}, hours{24}),
      integer_key("max_in_progress", limits.max_in_progress, 1, k_most_workers),
      integer_key("max_in_progress_per_profile", limits.max_in_progress_per_profile, 1,
                  k_most_workers),
      integer_key("start_rate", limits.start_rate, 1, k_most_workers),
      integer_key("failure_limit", limits.failure_limit, 1, k_most_failures),
      integer_key("violation_limit", limits.violation_limit, 1, k_most_failures),
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
      duration_key("fleet_window", limits.fleet_window, Millis{0}, hours{24}),
      duration_key("fleet_cooldown", limits.fleet_cooldown, Millis{1}, hours{24}),
  };
}

// A program is found in the same place wherever the command that asks it was typed.
KeyRule planner_command_key(std::vector<std::string>& command) {
  KeyRule rule = command_key("command", command, R"(["/usr/local/bin/planner"])");
  rule.take = [take = rule.take, &command](const Setting& setting) -> Result<void> {
    TRY(take(setting));
    if (command.front().find('/') != std::string::npos && !command.front().starts_with('/')) {
      return std::unexpected(refuse(
          setting, fmt::format("the program '{}' is a relative path", printable(command.front())),
          "write its absolute path, or a name that is found in PATH"));
    }
    return {};
  };
  return rule;
}

std::vector<KeyRule> planner_rules(Planner& planner) {
  PlanningLimits& limits = planner.limits;
  return {
      planner_command_key(planner.command),
      env_pass_key(planner.env_pass),
      env_key(planner.env),
      duration_key("specify_timeout", planner.specify_timeout, seconds{1}, hours{1}),
      duration_key("decompose_timeout", planner.decompose_timeout, seconds{1}, hours{1}),
      bytes_key("max_output", planner.max_output, 1024, std::int64_t{16} << 20),
      integer_key("max_children", limits.max_children, 1, k_most_children),
      name_key("root_assignee", limits.root_assignee),
      word_key("auto", planner.automatic),
      integer_key("per_pass", planner.per_pass, 1, k_most_planners),
      integer_key("failure_limit", limits.failure_limit, 1, k_most_failures),
      duration_key("retry_base", limits.retry_base, seconds{1}, hours{24}),
      duration_key("retry_max", limits.retry_max, seconds{1}, hours{24 * 7}),
  };
}

}  // namespace

const std::vector<std::string>& reserved_sections() {
  static const std::vector<std::string> names = {"notify", "hooks",   "api",
                                                 "drain",  "handoff", "control"};
  return names;
}

namespace {

std::vector<KeyRule> rules_of(Config& config) {
  std::vector<KeyRule> rules = {
      table_key("dispatcher", dispatcher_rules(config)),
      table_key("retry", retry_rules(config.limits)),
      table_key("log", {bytes_key("rotate_bytes", config.log_rotate_bytes, 64 * 1024,
                                  std::int64_t{1} << 30),
                        reserved("keep")}),
      table_key("gc", {duration_key("event_retention", config.event_retention, Millis{0}, k_age),
                       duration_key("log_retention", config.log_retention, Millis{0}, k_age),
                       duration_key("workspace_retention", config.workspace_retention, Millis{0},
                                    k_age)}),
      table_key("planner", planner_rules(config.planner)),
  };
  for (const std::string& name : reserved_sections()) {
    rules.push_back(reserved(name));
  }
  return rules;
}

Result<Config> read_config(const Setting& file, const std::string& file_name) {
  Config config;
  TRY(read_table(file, rules_of(config)));
  if (config.limits.retry_max < config.limits.retry_base) {
    const Setting* retry = find_setting(file, "retry");
    const Setting* named = retry == nullptr ? nullptr : find_setting(*retry, "max");
    named = named == nullptr && retry != nullptr ? find_setting(*retry, "base") : named;
    return fail(
        ErrorCode::invalid,
        fmt::format("{}: retry.max ({}) is shorter than retry.base ({})",
                    named == nullptr ? file_name : fmt::format("{}:{}", file_name, named->line),
                    format_duration(config.limits.retry_max),
                    format_duration(config.limits.retry_base)),
        "raise retry.max or lower retry.base");
  }
  return config;
}

// The file's text; none when there is no file.
Result<std::string> config_text(const Home& home) {
  auto text = read_file(home.config(), k_settings_bytes);
  return !text && text.error().code == ErrorCode::not_found ? "" : std::move(text);
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& file_name) {
  TRY_ASSIGN(const Setting file, parse_settings(text, file_name));
  return read_config(file, file_name);
}

Millis planner_timeout(const Planner& planner, PlanKind kind) {
  return kind == PlanKind::specify ? planner.specify_timeout : planner.decompose_timeout;
}

Millis planning_term(const Config& config, PlanKind kind) {
  return planner_timeout(config.planner, kind) + config.gate_wait + k_planning_overtime;
}

Result<Config> load_config(const Home& home) {
  TRY_ASSIGN(const std::string text, config_text(home));
  return parse_config(text, home.config().string());
}

Result<std::vector<Effective>> effective_config(const Home& home) {
  TRY_ASSIGN(const std::string text, config_text(home));
  TRY_ASSIGN(const Setting file, parse_settings(text, home.config().string()));
  TRY_ASSIGN(Config config, read_config(file, home.config().string()));
  return effective_values(file, rules_of(config));
}

}  // namespace hermes::home
