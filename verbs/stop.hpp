#pragma once

#include <optional>
#include <vector>

#include "kernel/model/words.hpp"
#include "verbs/bulk.hpp"

namespace hermes::verbs {

struct StopState {
  Status status = Status::running;
  bool gone = false;               // the process of the run and its descendants
  std::optional<Outcome> outcome;  // of the run, once it is known
};
// Nothing when the board cannot be read.
std::optional<StopState> stop_state(OpenBoard& open, const Stopping& stopping);

// A stop intent is committed; this waits until the processes are gone, at most stop_grace + 5 s.
// The dispatcher stops them; where none is alive, one is run that only finishes what has an intent.
// What is still there afterwards is said in the advice. A worker never waits here: it would wait
// for itself.
void await_stops(OpenBoard& open, Call& call, const std::vector<Stopping>& stopping,
                 Answer& answer);

}  // namespace hermes::verbs
