#pragma once

#include <optional>
#include <string>

namespace hermes::verbs {

// Why a worker's command could not be executed with this PATH: one sentence; nothing when it can
// be. A command with a slash is taken as it is, another one is searched as execvp(3) does.
std::optional<std::string> problem_of_command(const std::string& command, const std::string& path);

}  // namespace hermes::verbs
