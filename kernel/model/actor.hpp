#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hermes {

// A worker's proof of who it is, from the environment that its dispatcher gave it.
struct WorkerIdentity {
  std::string board;
  std::string task_id;
  std::int64_t run_id = 0;
  std::string token;
};

// Who asks for a change. `name` is for the record; `worker` is set inside a worker and narrows what
// may be changed.
struct Actor {
  std::string name;
  std::optional<WorkerIdentity> worker;
};

}  // namespace hermes
