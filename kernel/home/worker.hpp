#pragma once

#include <map>
#include <optional>
#include <string>

#include "kernel/home/paths.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"

namespace hermes::home {

// What a worker is told by its environment: the HERMES_ variables of this run. `model` and
// `provider` are what its task asks for, "" when it does not.
std::map<std::string, std::string> worker_variables(const Home& home, const BoardPaths& board,
                                                    const Task& task, const Run& run,
                                                    const std::string& profile,
                                                    const std::string& model,
                                                    const std::string& provider);

// Where the user's systemd listens beside the bus. `runtime_dir` is XDG_RUNTIME_DIR, "" when that
// is not set.
fs::path user_manager_socket(const std::string& runtime_dir);
// Whether one does, in our PID namespace: it knows processes by the same numbers.
bool user_manager_runs(const fs::path& socket);

}  // namespace hermes::home
