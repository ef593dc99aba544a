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
  const bool found = command.find('/') != std::string::npos
                         ? can_be_executed(command)
                         : std::ranges::any_of(split_list(path, ':'), [&](const std::string& dir) {
                             return can_be_executed(std::filesystem::path(dir) / command);
                           });
  return found ? std::nullopt
               : std::optional(fmt::format("its command '{}' is not to be found", command));
}

}  // namespace hermes::verbs
