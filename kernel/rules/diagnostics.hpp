#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernel/base/words.hpp"
#include "kernel/model/limits.hpp"
#include "kernel/model/run.hpp"
#include "kernel/model/task.hpp"
#include "kernel/rules/fleet.hpp"
#include "kernel/rules/hold.hpp"

// What is wrong and can be mended by whoever runs the board. Pure: from facts to findings. A
// finding goes by itself when its cause has gone; done and archived tasks have none.
namespace hermes::rules {

enum class Severity { warning, error, critical };

enum class DiagnosticKind {
  repeated_failures,
  repeated_crashes,
  workspace_failed,
  stuck_in_blocked,
  block_unblock_cycling,
  stranded_in_ready,
  slots_full,
  rate_limit_streak,
  heartbeat_stale,
  waits_for_archived,
  repeated_planning_failures,
  triage_aux_unavailable,
  profile_missing,
  profile_unusable,
  profile_paused,
  no_dispatcher,
};

}  // namespace hermes::rules

template <>
inline constexpr auto hermes::k_words<hermes::rules::Severity> =
    std::to_array<std::string_view>({"warning", "error", "critical"});
template <>
inline constexpr auto hermes::k_words<hermes::rules::DiagnosticKind> =
    std::to_array<std::string_view>({"repeated_failures", "repeated_crashes", "workspace_failed",
                                     "stuck_in_blocked", "block_unblock_cycling",
                                     "stranded_in_ready", "slots_full", "rate_limit_streak",
                                     "heartbeat_stale", "waits_for_archived",
                                     "repeated_planning_failures", "triage_aux_unavailable",
                                     "profile_missing", "profile_unusable", "profile_paused",
                                     "no_dispatcher"});

namespace hermes::rules {

// When a rule speaks; twice a count makes it critical.
struct Thresholds {
  std::int64_t failures = 2;
  std::int64_t crashes = 2;
  Millis blocked = std::chrono::hours{24};
  std::int64_t cycles = 3;
  Millis cycle_window = std::chrono::hours{24};
  Millis stranded = std::chrono::minutes{30};
  std::int64_t rate_limited = 20;
};

// What may be typed. Capitals stand for what the reader puts in.
struct Advice {
  std::string kind;  // log, show, reclaim, reassign, comment, unblock, unlink, edit, profile,
                     // dispatcher, planner
  std::string label;
  std::string command;
  bool suggested = false;
};

struct Diagnostic {
  DiagnosticKind kind = DiagnosticKind::repeated_failures;
  Severity severity = Severity::warning;
  std::string title;   // one line, at most 160 bytes
  std::string detail;  // at most 500 bytes
  std::vector<Advice> actions;
  std::optional<Instant> first_seen;
  std::optional<Instant> last_seen;
  std::int64_t count = 1;
  std::optional<std::int64_t> run_id;
  std::vector<std::pair<std::string, std::variant<std::int64_t, std::string>>> data;
};

struct PastRun {
  std::int64_t id = 0;
  Outcome outcome = Outcome::completed;
  std::optional<ExitKind> exit_kind;
  Instant ended_at;
  std::string error;
};

struct TaskHealth {
  Task task;
  std::string profile;                // that works on it
  std::vector<PastRun> runs;          // ended ones, newest first, as many as a streak may need
  std::optional<Instant> blocked_at;  // when it was last blocked
  std::optional<Instant> last_comment_at;
  std::vector<Instant> cycles;                // when it was blocked after an unblock, newest first
  std::optional<Instant> heartbeat_at;        // of the run that is open
  std::vector<std::string> archived_parents;  // whose `done` it waits for
  std::optional<Planning> planning;
  bool by_hand = false;         // that run was claimed by a person or a script
  std::vector<Hold> holds;      // of what is ready or in review: why the dispatcher starts it not
  bool slot_freed_now = false;  // the slot that it could have was taken a moment ago
};

struct ProfileHealth {
  std::string name;
  std::int64_t waiting = 0;  // tasks that wait for it
  bool exists = true;
  std::string problem;  // why it cannot be used; "": it can
  std::optional<Gate> gate;
};

// `board`: what a command needs to mean this board, " --board x" or "".
struct DiagnosticContext {
  Instant now;
  Limits limits;
  PlanningLimits planning;
  Thresholds thresholds;
  std::string board;
};

// Ready or in review, for a profile, for so long that somebody should ask why.
bool waits_long(const TaskHealth& health, const DiagnosticContext& context);
// The cap that holds a task which nothing else holds: it starts when a worker ends.
std::optional<Hold> cap_alone(const std::vector<Hold>& holds);

// Worst first, then what was seen last.
std::vector<Diagnostic> diagnose(const TaskHealth& health, const DiagnosticContext& context);
std::vector<Diagnostic> diagnose(const ProfileHealth& profile, const DiagnosticContext& context);
// Tasks are to be planned without a person (`automatic`), and the planner cannot be asked.
Diagnostic planner_unavailable(std::int64_t waiting, AutoPlan automatic,
                               const std::string& problem);
// So many tasks wait long for this cap alone, the first of them since `oldest`.
Diagnostic slots_full(const Hold& cap, std::int64_t waiting, Instant oldest,
                      const DiagnosticContext& context);
// So many ready tasks wait, and nobody starts them.
Diagnostic no_dispatcher(std::int64_t waiting);

void sort_diagnostics(std::vector<Diagnostic>& found);

}  // namespace hermes::rules
