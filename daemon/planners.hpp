#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/desk.hpp"
#include "daemon/loop.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/board/planning.hpp"
#include "kernel/home/paths.hpp"
#include "kernel/model/words.hpp"

namespace hermes::daemon {

// The planners that are asked without a person. A planner takes minutes, so each is asked by a
// child process, `hermes kanban specify` or `decompose`, which writes down on the board that it
// asks, what came of it and when it may be asked again. The loop only learns that it has ended.
//
// A child goes on when we are killed, to its own end within its term; whoever comes next finds on
// the board that the task is being asked about.
class Planners {
 public:
  Planners(home::Home home, Loop& loop);

  // `term`: how long the child may take. Error: unavailable.
  Result<void> start(const std::string& board, const std::string& task_id, PlanKind kind,
                     Millis term);
  bool is_asked(const std::string& board, const std::string& task_id) const;
  std::size_t asked() const { return children_.size(); }

  // Children that are stuck past their term are stopped, and killed 15 s later. Returns when to be
  // called again.
  std::optional<MonotonicTime> step(MonotonicTime now);

  // After one that failed, whatever the reason was, a board rests for a moment: not every failure
  // gets as far as to be written down there.
  std::optional<MonotonicTime> rests_until(const std::string& board, MonotonicTime now) const;

 private:
  using Key = std::pair<std::string, std::string>;  // board and task
  struct Child {
    Fd pidfd;
    std::unique_ptr<Loop::Watch> watch;
    MonotonicTime until;
    bool stopped = false;
    bool killed = false;
  };
  void ended(const Key& key);

  home::Home home_;
  Loop& loop_;
  std::map<Key, Child> children_;
  std::map<std::string, MonotonicTime> rests_;
};

// That nothing was due on a board, so that thousands of tasks in triage are not read in every pass.
class NothingDue {
 public:
  // Forgets the board when something is due.
  void remember(const std::string& board, const Desk::State& state, const PlanningLimits& limits,
                Instant now, const board::DuePlannings& due);
  void forget(const std::string& board) { seen_.erase(board); }

  // False when the board has to be read: it has changed, the moment has come, or the settings or
  // the clock were set.
  bool holds(const std::string& board, const Desk::State& state, const PlanningLimits& limits,
             Instant now) const;
  // While it holds: when something becomes due, if ever.
  std::optional<Instant> next_at(const std::string& board) const { return seen_.at(board).next_at; }

 private:
  struct Seen {
    Desk::State state;
    std::int64_t failure_limit = 0;
    Millis retry_max{0};
    Instant at;
    std::optional<Instant> next_at;
  };
  std::map<std::string, Seen> seen_;
};

}  // namespace hermes::daemon
