#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernel/model/limits.hpp"
#include "kernel/model/run.hpp"
#include "kernel/rules/fleet.hpp"

// plan(snapshot, now, limits) decides everything the dispatcher does. It is pure: the same input
// gives the same actions. It is told what is true and answers what to do and when to look again; it
// opens nothing and remembers nothing.
namespace hermes::rules {

// A run whose process is not known to be gone.
struct RunView {
  std::int64_t id = 0;
  std::string task_id;
  std::string profile;
  std::string tenant;
  HolderKind holder_kind = HolderKind::dispatcher;
  VerdictMode verdict = VerdictMode::by_call;
  bool local = true;  // started on this machine
  Instant started_at;
  std::optional<Instant> heartbeat_at;
  std::optional<Instant> ended_at;
  std::optional<StopKind> stop_kind;
  std::optional<Instant> lease_expires_at;
  Millis lease_ttl{0};
  bool signalled = false;         // this dispatcher has told its shim to stop
  std::optional<ExitFacts> exit;  // its process is known to be gone
};

struct Candidate {
  std::string task_id;
  std::string
      profile;  // the profile that would work on it (assignee, reviewer or the default assignee)
  std::string tenant;
  std::int64_t priority = 0;
  Instant eligible_at;
};

struct BoardView {
  std::string slug;
  std::vector<RunView> runs;
  std::vector<std::string> due;          // scheduled tasks whose time has come
  std::vector<Candidate> candidates;     // eligible now, of spawnable profiles
  std::optional<Instant> next_due;       // earliest wake_at that lies ahead
  std::optional<Instant> next_eligible;  // earliest eligible_at that lies ahead
  std::map<std::string, Gate> gates;     // of profiles that are paused, or being tried
  bool clock_was_ahead = false;          // a task became ready at a time that lies ahead
  std::int64_t waiting = 0;  // tasks that wait for a worker of a spawnable profile; decides nothing
};

struct ProfileView {
  std::optional<std::int64_t> max_in_progress;
};

struct Snapshot {
  std::vector<BoardView> boards;
  std::map<std::string, ProfileView> profiles;  // those that can be started
  // Profiles of workers of boards that cannot be read now, each as often as it works there.
  std::vector<std::string> elsewhere;
  bool draining = false;
  std::optional<Instant> starts_held_until;
  std::int64_t started_this_second = 0;
};

// Every action names its board by its place in Snapshot::boards.
struct RebaseClock {  // stored times lie ahead: the clock was set back, so they are counted from
                      // now
  std::size_t board = 0;
};
struct FinishRun {
  std::size_t board = 0;
  std::int64_t run_id = 0;
  ExitFacts exit;
};
struct WakeTask {
  std::size_t board = 0;
  std::string task_id;
};
struct ExpireClaim {
  std::size_t board = 0;
  std::int64_t run_id = 0;
};
struct StopStale {  // commit a stop intent
  std::size_t board = 0;
  std::int64_t run_id = 0;
};
struct SignalStop {  // an intent or a verdict stands: tell the shim
  std::size_t board = 0;
  std::int64_t run_id = 0;
};
struct StartTask {
  std::size_t board = 0;
  std::string task_id;
  std::string profile;
};
using Action =
    std::variant<RebaseClock, FinishRun, WakeTask, ExpireClaim, StopStale, SignalStop, StartTask>;

struct Plan {
  std::vector<Action> actions;  // in the order: rebase, finish, wake, expire, stale, signal, start
  std::optional<Instant> next_deadline;  // look again then, if nothing happens before
};

Plan plan(const Snapshot& snapshot, Instant now, const Limits& limits);

// What was written while a pass went on since it has read the clock is not ahead.
inline constexpr Millis k_clock_slack{10'000};

// When a run without a heartbeat becomes stale; nothing when it never does.
std::optional<Instant> stale_at(const RunView& run, const Limits& limits);

// The end of a lease that was given for `ttl`, clamped so that a clock that was ahead does not keep
// it; `now` when there is none.
Instant lease_end(std::optional<Instant> expires_at, Millis ttl, Instant now);

}  // namespace hermes::rules
