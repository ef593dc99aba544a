#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/home/settings.hpp"

// What profile.toml and config.toml say alike of a command: its arguments and its environment.
namespace hermes::home {

// A list of arguments that begins with the program; there is no shell. `example` is for the hint.
KeyRule command_key(std::string_view key, std::vector<std::string>& command,
                    std::string_view example);

// "env_pass": names of variables; "env": variables with their values. Those that we set ourselves
// are refused.
KeyRule env_pass_key(std::vector<std::string>& names);
KeyRule env_key(std::map<std::string, std::string>& env);

// Why a variable of this name cannot be set for a command; nothing when it can.
std::optional<std::string> problem_of_variable(const std::string& name);

// PATH HOME LANG TERM TZ USER: what every command gets.
std::vector<std::string> always_passed();

// NAME=value: the allow-list (PATH HOME LANG TERM TZ USER) and `names` as they are in `from`, then
// `env`, then `own`, which wins.
std::vector<std::string> child_environment(const std::vector<std::string>& names,
                                           const std::map<std::string, std::string>& env,
                                           const std::map<std::string, std::string>& from,
                                           const std::map<std::string, std::string>& own);

}  // namespace hermes::home
