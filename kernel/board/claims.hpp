#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/base/process.hpp"
#include "kernel/board/change.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"

namespace hermes::board {

struct ClaimRequest {
  HolderKind holder_kind = HolderKind::external;
  std::string profile;  // who works on it
  HostIdentity host;
  std::string holder;                         // machine, boot, PID and start time of who claims
  Millis ttl{0};                              // at least 1 s
  std::optional<std::string> workspace_path;  // as resolved
  std::optional<std::string> branch;
};

// ready or review → running: opens a run, takes the lease, writes `claimed`. Refused with the very
// words of `why` while anything holds the task (rules::task_holds), and inside a worker. Error:
// not_found, conflict, forbidden.
Result<Run> claim(Change& change, const std::string& task_id, const ClaimRequest& request);

// Renews lease and liveness together. Needs the run token, except for an external claim. Error:
// not_found, conflict, not_yours.
Result<Run> heartbeat(Change& change, const std::string& task_id,
                      const std::optional<std::string>& note);

// The shim of a claimed run, and where it works, which may have been found out after the claim:
// conditional on the run being open with its token. False: it is not
// ours any more.
bool record_shim(Change& change, const Run& run, std::int64_t shim_pid, std::int64_t shim_start);

// The worker's own process, for people to see; no event.
void record_worker(Change& change, std::int64_t run_id, std::int64_t pid, std::int64_t start);

// Ends a claim of a person or of another machine, if its lease has run out by now. True when it was
// ended.
bool expire_claim(Change& change, std::int64_t run_id);

// When the claim of an open run ends by itself: now, where it has no lease.
Instant claim_ends(db::Reader& tx, const Run& run, Instant now);

// The same as expire_claim for the claim by hand that a task is held by, if any: to be committed
// before the task is claimed anew, which may be refused for a moment because of that very end.
// False inside a worker, who claims nothing.
bool expire_claim_by_hand(Change& change, const std::string& task_id);

// Takes over the board for a dispatcher: epoch + 1. The row is vacated, never deleted; one that was
// not vacated tells that the dispatcher before was killed. A blank reason vacates without a word (a
// single pass).
std::int64_t take_over(Change& change, const std::string& holder);
void vacate(Change& change, std::int64_t epoch, const std::string& reason);
// Error: not_yours when another dispatcher has taken over since.
Result<void> check_epoch(db::Reader& tx, std::int64_t epoch);

}  // namespace hermes::board
