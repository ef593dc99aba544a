#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"

namespace hermes::board {

// What a verdict hands over to people and to children.
struct Handoff {
  std::optional<std::string> summary;
  std::optional<std::string> result;
  std::optional<std::string> metadata;    // text of a JSON object
  std::vector<std::string> created = {};  // ids of tasks that its worker says it has made
};

// Where a move led.
struct Moved {
  Task task;  // after the move
  std::optional<Run>
      run;  // the run it ended or is stopping, or the zero-length run that keeps a handoff
  bool stopping = false;  // a live process has to be stopped: told the dispatcher by a stop intent
};

// All: Error not_found, conflict (rules::refuse_move), forbidden, not_yours. A refusal changes
// nothing and leaves nothing behind.

// The list of artifacts in the metadata (board/artifacts.hpp) becomes a part of the event, and so
// does `created`, which the metadata keeps as well. Error: invalid when one of these tasks is none
// or was made by somebody else.
Result<Moved> complete(Change& change, const std::string& id, const Handoff& handoff, bool force);

// `dependency` without an open link is refused (invalid). The landing is in `task.status`: blocked,
// todo or triage.
Result<Moved> block(Change& change, const std::string& id, std::optional<BlockKind> kind,
                    const std::optional<std::string>& reason);

Result<Moved> unblock(Change& change, const std::string& id,
                      const std::optional<std::string>& reason, bool reset_loop_breaker);

// A ready or review task that is held after a failure is free to start again at once. Error:
// conflict naming every open parent, or when nothing holds a ready one. `dry_run` checks only.
Result<Moved> promote(Change& change, const std::string& id,
                      const std::optional<std::string>& reason, bool dry_run);

// Commits the intent to stop; an external claim ends at once.
Result<Moved> reclaim(Change& change, const std::string& id,
                      const std::optional<std::string>& reason);

struct Archived {
  Moved moved;
  std::vector<std::string>
      waiting_children;  // that its archiving leaves waiting for a `done` that cannot come
};
Result<Archived> archive(Change& change, const std::string& id, bool force);

}  // namespace hermes::board
