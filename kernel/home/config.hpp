#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/home/paths.hpp"
#include "kernel/home/settings.hpp"
#include "kernel/model/limits.hpp"
#include "kernel/model/words.hpp"

namespace hermes::home {

// [planner]: the command that specifies and decomposes tasks in triage.
struct Planner {
  std::vector<std::string> command;   // argv, an absolute path or searched in PATH; empty: none
  std::vector<std::string> env_pass;  // names taken from the environment of whoever asks
  std::map<std::string, std::string> env;  // set to these values
  Millis specify_timeout = std::chrono::seconds{120};
  Millis decompose_timeout = std::chrono::seconds{180};
  std::int64_t max_output = 1024 * 1024;  // bytes of its answer
  AutoPlan automatic = AutoPlan::off;     // key "auto"
  std::int64_t per_pass = 3;              // at once, when it is asked without a person
  PlanningLimits limits;
};

// config.toml: every key optional, unknown keys are errors that name the file, the line and the
// key.
struct Config {
  Limits limits;
  Millis interval =
      std::chrono::seconds{60};  // [dispatcher] interval: the safety net, at least 1 s
  Millis gate_wait = std::chrono::seconds{30};      // [dispatcher] gate_wait: of people's verbs
  std::int64_t log_rotate_bytes = 2 * 1024 * 1024;  // [log] rotate_bytes, at least 64 KiB
  Planner planner;
  // [gc]: how long `gc` keeps what it may remove, 0 to 10 years
  Millis event_retention = std::chrono::hours{24 * 30};
  Millis log_retention = std::chrono::hours{24 * 30};
  Millis workspace_retention = std::chrono::hours{24 * 30};
};

// How long the planner may take to answer.
Millis planner_timeout(const Planner& planner, PlanKind kind);

// How long it may take from the moment when it is written down that the planner is asked until its
// answer is: with the time to end what does not end, and to wait at the gate.
Millis planning_term(const Config& config, PlanKind kind);

// A missing file gives the defaults. Error: invalid, "<file>:<line>: <key>: <rule>".
Result<Config> load_config(const Home& home);

// The same from text, for tests and for checking an edit.
Result<Config> parse_config(std::string_view text, const std::string& file_name);

// Every key with the value that applies and the line it comes from. Error: as load_config.
Result<std::vector<Effective>> effective_config(const Home& home);

// Words that config.toml keeps for what is to come; they are accepted and have no effect yet.
const std::vector<std::string>& reserved_sections();

}  // namespace hermes::home
