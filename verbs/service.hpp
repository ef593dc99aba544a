#pragma once

#include <optional>
#include <string>

#include "verbs/call.hpp"

namespace hermes::verbs {

// What the user's systemd knows of hermes-dispatcher.service.
struct Service {
  bool manager = false;  // a user manager answers
  std::string problem;   // why not
  bool loaded = false;   // the unit is known
  bool enabled = false;
  bool active = false;
  bool up = false;       // active, or about to be (a restart is due)
  std::string state;     // "active (running)", "failed (exit-code)"
  std::string fragment;  // the path of its file
  std::string text;      // what the dispatcher says of itself
  std::optional<pid_t> main_pid;
  std::string home;  // the home that it serves
};
Service look_at_service(Call& call);

// The same home, however its path is spelt.
bool is_same_home(const std::string& one, const std::string& other);

// Words of `systemctl show -p Environment`: blanks separate, quotes and backslashes as a shell.
std::optional<std::string> variable_in(std::string_view environment, std::string_view name);

// Whether the user's processes outlive the session: loginctl's answer, nothing when there is none.
std::optional<bool> is_lingering(Call& call);

// systemctl --user WORD hermes-dispatcher.service. Error: unavailable with what it said.
Result<void> control_service(Call& call, std::string_view word);

}  // namespace hermes::verbs
