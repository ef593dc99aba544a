#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/task.hpp"

namespace hermes::board {

// What is to be another; what is not set stays. A blank body, result or summary takes it away.
struct Edit {
  std::optional<std::string> title;
  std::optional<std::string> body;
  std::optional<std::int64_t> priority;
  // Of a done task only: its result, and what its latest completed run hands over (a run of no
  // length is recorded when it was completed without one).
  std::optional<std::string> result;
  std::optional<std::string> summary;
  std::optional<std::string> metadata;  // text of a JSON object
};

struct Edited {
  Task task;
  std::vector<std::string> fields;  // that have changed; none: nothing was written, no event
};

// The state stays; one event `edited` says what changed. Inside a worker: its own task, while its
// run is open. Error: not_found, invalid, usage (metadata), conflict (a result of a task that is
// not done), forbidden, not_yours.
Result<Edited> edit(Change& change, const std::string& id, const Edit& edit);

// Which model and provider the workers of the task are asked to use, from their next start on. ""
// clears.
struct WorkerModel {
  std::string model;
  std::string provider;
};
Result<Edited> set_model(Change& change, const std::string& id, const WorkerModel& wanted);

}  // namespace hermes::board
