#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/workers/launch.hpp"
#include "kernel/home/config.hpp"
#include "kernel/home/paths.hpp"
#include "kernel/home/profile.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"

namespace hermes::daemon {

// Everything about starting one worker that is not the order of things: workspace, command,
// environment, files.
class Starter {
 public:
  Starter(home::Home home, home::fs::path shim, std::string boot);

  // Spawns the shim of a claimed run, held at its gate. `context` is the text for {context_file},
  // when the command asks for it. The error is what the run ends with: invalid and usage count as
  // spawn_failed, unavailable as aborted.
  Result<workers::HeldShim> start(const home::BoardPaths& board, const Task& task, const Run& run,
                                  const home::Profile& profile, const home::Config& config,
                                  const std::optional<std::string>& context) const;

  // Of the user this process belongs to.
  home::fs::path user_manager_socket() const;

  static bool wants_context(const home::Profile& profile);

 private:
  Result<std::vector<std::string>> environment(const home::BoardPaths& board, const Task& task,
                                               const Run& run, const home::Profile& profile) const;

  home::Home home_;
  home::fs::path shim_;
  std::string boot_;
  std::map<std::string, std::string> own_environment_;  // ours, from which profiles may pass
};

// HERMES_SHIM, else beside us: ../libexec/hermes/hermes-shim of an installation, or the build
// tree's. Error: unavailable, naming the places.
Result<home::fs::path> find_shim();

// The command `hermes`: beside us, or where the build tree has it. Error: unavailable.
Result<home::fs::path> find_hermes();

}  // namespace hermes::daemon
