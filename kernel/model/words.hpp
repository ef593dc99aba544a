#pragma once

#include <string_view>

#include "kernel/base/words.hpp"

// The closed lists of the board. A word is what is stored, printed and typed. State and reason are
// different enums: Status says where a task is, Outcome how a run ended, BlockSource and HoldReason
// why something waits.
namespace hermes {

enum class Status { triage, todo, scheduled, ready, running, blocked, review, done, archived };
template <>
inline constexpr auto k_words<Status> = std::to_array<std::string_view>(
    {"triage", "todo", "scheduled", "ready", "running", "blocked", "review", "done", "archived"});

// Which kind of worker is due: the task's own assignee, or the reviewer.
enum class Lane { work, review };
template <>
inline constexpr auto k_words<Lane> = std::to_array<std::string_view>({"work", "review"});

enum class Outcome {
  completed,
  blocked,
  scheduled,
  review,
  failed,              // exit code other than 0 and 75, verdict by exit code
  crashed,             // a signal, a lost shim, or an exit code where a verdict was due
  timed_out,           // max runtime
  stale,               // no heartbeat, or an external claim past its TTL
  rate_limited,        // exit 75 (EX_TEMPFAIL of sysexits.h)
  protocol_violation,  // exit 0 without the verdict that was due
  spawn_failed,        // the command could not be executed, or its workspace not be prepared
  reclaimed,           // stopped on request
  aborted,             // the host restarted, or the worker never started: nobody's fault
};
template <>
inline constexpr auto k_words<Outcome> = std::to_array<std::string_view>(
    {"completed", "blocked", "scheduled", "review", "failed", "crashed", "timed_out", "stale",
     "rate_limited", "protocol_violation", "spawn_failed", "reclaimed", "aborted"});

// Why a run was told to stop.
enum class StopKind { reclaim, archive, reassign, schedule, stale, verdict, force };
template <>
inline constexpr auto k_words<StopKind> = std::to_array<std::string_view>(
    {"reclaim", "archive", "reassign", "schedule", "stale", "verdict", "force"});

// Who answers for a run: a dispatcher that has claimed it, the shim once it is known, or somebody
// outside (a person, a script).
enum class HolderKind { dispatcher, shim, external };
template <>
inline constexpr auto k_words<HolderKind> = std::to_array<std::string_view>({"dispatcher", "shim",
                                                                             "external"});

// How a process is known to have ended.
enum class ExitKind {
  exited,            // code: exit status
  signaled,          // code: signal number
  exec_failed,       // code: errno
  workspace_failed,  // there was nowhere to work, so it was not started
  timed_out,         // code: signal number or exit status
  setup_failed,      // the shim could not prepare the run; code: errno
  shim_lost,         // the shim was killed; its worker's exit is unknown
  never_started,     // the gate was never opened
  host_restarted,    // another boot
};
template <>
inline constexpr auto k_words<ExitKind> = std::to_array<std::string_view>(
    {"exited", "signaled", "exec_failed", "workspace_failed", "timed_out", "setup_failed",
     "shim_lost", "never_started", "host_restarted"});

enum class BlockSource { worker, human, breaker };
template <>
inline constexpr auto k_words<BlockSource> = std::to_array<std::string_view>({"worker", "human",
                                                                              "breaker"});

enum class BlockKind { needs_input, capability, transient, dependency };
template <>
inline constexpr auto k_words<BlockKind> =
    std::to_array<std::string_view>({"needs_input", "capability", "transient", "dependency"});

enum class LinkCondition { done, ended };
template <>
inline constexpr auto k_words<LinkCondition> = std::to_array<std::string_view>({"done", "ended"});

enum class WorkspaceKind { scratch, dir, worktree };
template <>
inline constexpr auto k_words<WorkspaceKind> = std::to_array<std::string_view>({"scratch", "dir",
                                                                                "worktree"});

enum class HoldReason { backoff, rate_limited, setup };
template <>
inline constexpr auto k_words<HoldReason> =
    std::to_array<std::string_view>({"backoff", "rate_limited", "setup"});

// What a planner is asked: a better text for the task, or the tasks it is made of.
enum class PlanKind { specify, decompose };
template <>
inline constexpr auto k_words<PlanKind> = std::to_array<std::string_view>({"specify", "decompose"});

// What is asked without a person.
enum class AutoPlan { off, specify, decompose };
template <>
inline constexpr auto k_words<AutoPlan> = std::to_array<std::string_view>({"off", "specify",
                                                                           "decompose"});

// How a profile's worker tells its verdict: by calling complete or block, or by its exit code
// alone.
enum class VerdictMode { by_call, by_exit_code };
template <>
inline constexpr auto k_words<VerdictMode> = std::to_array<std::string_view>({"explicit",
                                                                              "exit-code"});

// Every kind of event. Those that change a task's status carry "from" and "to" in their payload.
enum class EventKind {
  created,
  promoted,
  promoted_manual,
  demoted,  // a ready task got a new open link
  claimed,
  spawned,
  stopping,
  completed,
  blocked,
  dependency_wait,
  block_loop_detected,
  unblocked,
  scheduled,
  woken,
  review_requested,   // a worker hands its work to a reviewer
  changes_requested,  // the reviewer hands it back
  review_reopened,    // a person opens the review of a done task again
  specified,          // a planner has given it a better text
  decomposed,         // a planner has split it
  planning_failed,    // a planner has not; the state stays
  edited,
  archived,
  deleted,  // of no task any more: its payload names the id
  reclaimed,
  stale,
  failed,
  crashed,
  timed_out,
  rate_limited,
  protocol_violation,
  spawn_failed,
  aborted,
  gave_up,
  assigned,
  commented,
  attached,
  attachment_removed,
  linked,
  unlinked,
  imported,        // came from another board, with the status it has here
  profile_paused,  // these two are of the board, not of a task
  profile_resumed,
};
template <>
inline constexpr auto k_words<EventKind> = std::to_array<std::string_view>({"created",
                                                                            "promoted",
                                                                            "promoted_manual",
                                                                            "demoted",
                                                                            "claimed",
                                                                            "spawned",
                                                                            "stopping",
                                                                            "completed",
                                                                            "blocked",
                                                                            "dependency_wait",
                                                                            "block_loop_detected",
                                                                            "unblocked",
                                                                            "scheduled",
                                                                            "woken",
                                                                            "review_requested",
                                                                            "changes_requested",
                                                                            "review_reopened",
                                                                            "specified",
                                                                            "decomposed",
                                                                            "planning_failed",
                                                                            "edited",
                                                                            "archived",
                                                                            "deleted",
                                                                            "reclaimed",
                                                                            "stale",
                                                                            "failed",
                                                                            "crashed",
                                                                            "timed_out",
                                                                            "rate_limited",
                                                                            "protocol_violation",
                                                                            "spawn_failed",
                                                                            "aborted",
                                                                            "gave_up",
                                                                            "assigned",
                                                                            "commented",
                                                                            "attached",
                                                                            "attachment_removed",
                                                                            "linked",
                                                                            "unlinked",
                                                                            "imported",
                                                                            "profile_paused",
                                                                            "profile_resumed"});

}  // namespace hermes
