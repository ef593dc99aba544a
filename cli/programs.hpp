#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/error.hpp"
#include "verbs/call.hpp"

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

// A program of the system, searched in PATH, without standard input. Its output and its errors
// together, at most 64 KiB; it is killed when `limit` is over (unavailable).
Result<verbs::Host::ProgramEnd> run_and_read(const std::vector<std::string>& argv, Millis limit);

// With our own standard streams; searched in our PATH, with this environment. The exit status,
// 128 + signal when killed. Ctrl-C at a terminal is for it alone.
Result<int> run_attached(const std::vector<std::string>& argv,
                         const std::vector<std::string>& environment);

// In a session of its own, without standard input, its output added to `log` (made with 0600).
Result<pid_t> start_in_background(const std::string& path,
                                  const std::vector<std::string>& arguments,
                                  const std::filesystem::path& log);

// Whether a child of ours has ended; takes its status once it has.
bool has_ended(pid_t child);

}  // namespace hermes::cli
