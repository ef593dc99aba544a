#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "verbs/call.hpp"

namespace hermes::verbs {

// Why a worker's command could not be executed with this PATH: one sentence; nothing when it can
// be. A command with a slash is taken as it is, another one is searched as execvp(3) does.
std::optional<std::string> problem_of_command(const std::string& command, const std::string& path);

// The PATH that workers are started with: the dispatcher's, where it runs and can be looked at,
// else the one of this call.
std::string path_of_workers(Call& call, const home::Home& home);

// The error of a program of ours that is not to be found.
Error missing_program(std::string_view name, const Environment& environment);

}  // namespace hermes::verbs
