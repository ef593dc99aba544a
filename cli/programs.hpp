#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/error.hpp"

namespace hermes::cli {

// A program of ours, "" when it is not to be found: HERMES_DISPATCHER or HERMES_SHIM where set,
// else beside our own executable, in
// ../libexec/hermes, where the build tree keeps it, or in PATH.
std::string find_program(std::string_view name);

// Replaces this process. Returns only when that fails.
Result<int> become_program(const std::string& path, const std::vector<std::string>& arguments);

// Runs it to its end without standard input and output; its errors go where ours go. The exit
// status, 128 + signal when killed.
Result<int> run_quietly(const std::string& path, const std::vector<std::string>& arguments);

}  // namespace hermes::cli
