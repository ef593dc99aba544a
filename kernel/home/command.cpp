#include "kernel/home/command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "kernel/base/text.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_most_arguments = 1000;
constexpr std::size_t k_argument_bytes =
    128 * 1024 - 1;  // MAX_ARG_STRLEN of execve(2), without the NUL
constexpr std::size_t k_most_variables = 1000;
constexpr std::array<std::string_view, 6> k_always_passed = {"PATH", "HOME", "LANG",
                                                             "TERM", "TZ",   "USER"};

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !name.empty() && name.size() <= k_name_bytes && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// A worker must not be told that it is another run, or that its board lies elsewhere.
bool is_ours(std::string_view name) {
  return name.starts_with("HERMES_KANBAN_") || name == "HERMES_HOME" || name == "HERMES_PROFILE" ||
         name == "HERMES_TENANT";
}

Result<void> check_variable(const Setting& setting, const std::string& name) {
  if (const auto problem = problem_of_variable(name)) {
    return std::unexpected(refuse(setting, *problem,
                                  is_ours(name) ? "choose another name"
                                                : "a name has letters, digits and _, and does not "
                                                  "begin with a digit"));
  }
  return {};
}

}  // namespace

std::optional<std::string> problem_of_variable(const std::string& name) {
  if (!is_variable_name(name)) {
    return fmt::format("'{}' is not a variable name", printable(clip(name, 100)));
  }
  return is_ours(name) ? std::optional(fmt::format("{} is set by the dispatcher", name))
                       : std::nullopt;
}

std::vector<std::string> always_passed() {
  return {k_always_passed.begin(), k_always_passed.end()};
}

KeyRule command_key(std::string_view key, std::vector<std::string>& command,
                    std::string_view example) {
  return {key,
          [&command, example](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(command, as_texts(setting, k_most_arguments, k_argument_bytes));
            if (command.empty() || trim(command.front()).empty()) {
              return std::unexpected(refuse(setting, "must begin with the program to start",
                                            fmt::format("for example {}", example)));
            }
            return {};
          },
          [&command] { return command.empty() ? "" : toml_texts(command); }};
}

KeyRule env_pass_key(std::vector<std::string>& names) {
  return {"env_pass",
          [&names](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(names, as_texts(setting, k_most_variables, k_name_bytes));
            for (const std::string& name : names) {
              TRY(check_variable(setting, name));
            }
            return {};
          },
          [&names] { return names.empty() ? "" : toml_texts(names); }};
}

KeyRule env_key(std::map<std::string, std::string>& env) {
  return {"env", [&env](const Setting& setting) -> Result<void> {
            if (setting.kind != Setting::Kind::table || setting.items.size() > k_most_variables) {
              return std::unexpected(refuse(
                  setting, fmt::format("must be a section of at most {} lines NAME = \"value\"",
                                       k_most_variables)));
            }
            for (const Setting& variable : setting.items) {
              TRY(check_variable(variable, variable.key));
              TRY_ASSIGN(env[variable.key], as_text(variable, k_argument_bytes - k_name_bytes));
            }
            return {};
          }};
}

std::vector<std::string> child_environment(const std::vector<std::string>& names,
                                           const std::map<std::string, std::string>& env,
                                           const std::map<std::string, std::string>& from,
                                           const std::map<std::string, std::string>& own) {
  std::map<std::string, std::string> chosen;
  const auto pass = [&](const std::string& name) {
    if (const auto found = from.find(name); found != from.end()) {
      chosen[name] = found->second;
    }
  };
  for (const std::string_view name : k_always_passed) {
    pass(std::string(name));
  }
  for (const std::string& name : names) {
    pass(name);
  }
  for (const auto& [name, value] : env) {
    chosen[name] = value;
  }
  for (const auto& [name, value] : own) {
    chosen[name] = value;
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : chosen) {
    lines.push_back(name + "=" + value);
  }
  return lines;
}

}  // namespace hermes::home
