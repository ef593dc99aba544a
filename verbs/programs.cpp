#include "verbs/programs.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "kernel/base/text.hpp"

namespace hermes::verbs {

namespace {

bool can_be_executed(const std::filesystem::path& file) {
  std::error_code ignored;
  return ::access(file.c_str(), X_OK) == 0 && !std::filesystem::is_directory(file, ignored);
}

}  // namespace

std::optional<std::string> problem_of_command(const std::string& command, const std::string& path) {
  const bool is_path = command.find('/') != std::string::npos;
  if (is_path && command.front() != '/') {
    return std::nullopt;  // it counts from the workspace, which each task has for itself
  }
  const bool found = is_path
                         ? can_be_executed(command)
                         : std::ranges::any_of(split_list(path, ':'), [&](const std::string& dir) {
                             return can_be_executed(std::filesystem::path(dir) / command);
                           });
  return found ? std::nullopt
               : std::optional(fmt::format(
                     "its command '{}' {}", command,
                     is_path ? "is no program that can be executed" : "is not to be found"));
}

std::string path_of_workers(Call& call, const home::Home& home) {
  const home::DispatcherState state = call.host.dispatcher_state(home);
  std::optional<std::string> path;
  if (state.alive && state.pid) {
    path = call.host.variable_of(*state.pid, "PATH");
  }
  return path.value_or(call.environment.variable("PATH"));
}

Error missing_program(std::string_view name, const Environment& environment) {
  const std::string variable = name == "hermes-shim" ? "HERMES_SHIM" : "HERMES_DISPATCHER";
  if (const std::string set = environment.variable(variable); !set.empty()) {
    return {ErrorCode::unavailable,
            fmt::format("{} is '{}', which cannot be executed", variable, printable(set)),
            fmt::format("unset it, or name {} in it", name)};
  }
  return {ErrorCode::unavailable,
          fmt::format("{} is not to be found beside hermes or in PATH", name),
          fmt::format("install it there, or set {} to its path", variable)};
}

}  // namespace hermes::verbs
