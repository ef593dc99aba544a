#pragma once

#include <map>
#include <optional>
#include <string>

#include "kernel/model/actor.hpp"
#include "kernel/model/run.hpp"

namespace hermes::sim {

// A shim with its worker, and the control record it keeps.
struct Process {
  enum class Stage {
    gate_shut,  // the shim waits for the word of the dispatcher that spawned it
    working,
    gone,  // shim and worker are
  };

  std::int64_t run_id = 0;
  WorkerIdentity identity;
  VerdictMode verdict = VerdictMode::by_exit_code;
  std::string boot;
  Stage stage = Stage::gate_shut;
  bool shim_killed = false;       // no record of the end will ever be written
  bool leftovers = false;         // what the worker started outlives a killed shim, and works on
  int spawned_by = 0;             // the dispatcher that holds its gate
  bool started = false;           // its gate was opened once
  bool stop_requested = false;    // the shim was told
  std::optional<ExitFacts> exit;  // in the record, once nothing of the run is left
  bool is_alive() const {
    return stage == Stage::working || leftovers;
  }  // something works on its task
};

// By run. A process that is gone stays here: what it was is compared with what the board says of
// it.
using Processes = std::map<std::int64_t, Process>;

}  // namespace hermes::sim
