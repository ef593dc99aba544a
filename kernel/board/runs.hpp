#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/board/change.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"
#include "kernel/rules/moves.hpp"

namespace hermes::board {

// Oldest first.
std::vector<Run> runs_of(db::Reader& tx, const std::string& task_id);
std::optional<Run> find_run(db::Reader& tx, std::int64_t run_id);

// A worker that speaks for its task must be its open run, with its token. Error: not_yours.
Result<void> check_own_run(db::Reader& tx, const Actor& actor, const Task& task);

// The task, if who asks may change it: a worker its own, while its run is open. Error: not_found,
// forbidden, not_yours.
Result<Task> task_to_change(db::Reader& tx, const Actor& actor, const std::string& board,
                            const std::string& id);
Result<Task> task_to_change(Change& change, const std::string& id);

// Tasks, links and comments a worker may add anywhere, also after its verdict; but not once another
// run of its task has been started: then it says things over again. Error: not_yours.
Result<void> may_add(db::Reader& tx, const WorkerIdentity& worker);  // asked of its own board
// Runs of other boards are not seen from here: who opens this one has asked theirs.
Result<void> may_add(const Change& change);

// The actor under the name that is its own: a worker's is the profile of its run, whatever its
// environment says. Runs of other boards are not seen from here: their workers keep the name given.
Actor identified(db::Reader& tx, const Actor& actor, const std::string& board);

// The open run of a running task for somebody who wants to speak for it: the worker itself (run id
// and token must be its own) or, for an external claim, anybody. Error: conflict (not running),
// forbidden, not_yours; conflict too for a person who speaks for a dispatcher's worker.
Result<Run> open_run_for(Change& change, const Task& task, rules::Move move);

// The process of a run and all its descendants are gone. Fills the exit fields once; when no
// verdict was committed before, classifies the exit (rules::fate_of) and moves the task. A task
// that was to be archived is, whatever verdict its worker still gave. False: it was finished
// already.
bool finish_run(Change& change, std::int64_t run_id, const ExitFacts& exit, VerdictMode mode);

// An external claim past its lease: stale, counted.
bool finish_external(Change& change, const Run& run);

// Commits the intent to stop a live, open run, and writes `stopping`; where one stands already,
// rules::second_stop decides. Error: conflict, naming the one that stands.
Result<void> intend_stop(Change& change, const Run& run, StopKind kind,
                         const std::optional<std::string>& reason);

// The intent to stop a local run, if it is stale by now (rules::stale_at). True when it was
// written.
bool stop_stale(Change& change, std::int64_t run_id, VerdictMode mode);

// What a closed run keeps.
struct Closing {
  Outcome outcome = Outcome::completed;
  std::optional<std::string> summary;
  std::optional<std::string> metadata;
  std::optional<std::string> error;
  std::optional<std::string> fingerprint;  // of a failure that may lie with the profile
};
// Commits the verdict of an open run: ended_at, outcome, lease released; the
// gate of its profile is judged by it. An external claim has no
// process, so it is gone too.
void close_run(Change& change, const Run& run, const Closing& closing);

// A run of no length for a verdict that was given without one, so that its handoff is kept.
std::int64_t record_zero_run(Change& change, const Task& task, const Closing& closing);

// The end of a completed task, by verdict or by exit code.
struct DoneBy {
  std::optional<std::string> summary;
  std::optional<std::string> result;
  std::vector<std::string> artifacts = {};  // what it says it has made
  std::vector<std::string> created = {};    // tasks that it has made
};
void finish_task(Change& change, Task& task, std::optional<std::int64_t> run_id,
                 const DoneBy& done);

// A requeue by a person: the breaker starts afresh.
void release_task(Change& change, Task& task, std::int64_t run_id, const std::string& by,
                  const std::optional<std::string>& reason);

// To archived, block and failure fields cleared.
void archive_task(Change& change, Task& task, std::optional<std::int64_t> run_id,
                  const std::string& by);

}  // namespace hermes::board
