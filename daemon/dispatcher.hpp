#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/desk.hpp"
#include "daemon/loop.hpp"
#include "daemon/planners.hpp"
#include "daemon/roster.hpp"
#include "daemon/scopes.hpp"
#include "daemon/settings.hpp"
#include "daemon/starter.hpp"
#include "daemon/trees.hpp"
#include "kernel/base/process.hpp"
#include "kernel/board/decisions.hpp"
#include "kernel/rules/plan.hpp"

namespace hermes::daemon {

// The reactor. Facts arrive (a gate was closed, a worker ended, a deadline came); settle() reads a
// snapshot of every board, asks rules::plan, commits its actions in batches and only then carries
// them out. It holds no state that a successor needs.
//
// A start is three steps, and at each of them we may be killed:
//   1. one transaction claims (lease, run, status, event)          killed after it: the run has no
//   record, so it is aborted
//   2. the shims are spawned, held at their gates                  killed after it: the gates
//   close, nothing starts: aborted
//   3. one transaction commits their identities, the gates open    killed between: as 2; after it:
//   they are adopted
//
// Between 1 and 2 lies, for a task that works in a working tree of git, a child process that makes
// the tree; the pass goes on without it, and a later one takes up the start. Killed there: as 1,
// and the next attempt finds the tree as far as it has come.
class Dispatcher {
 public:
  struct Purpose {
    bool start = true;  // false: finish and stop only
    bool plan = false;  // ask planners about what is in triage, where the settings say so
    // When nothing is left to do it starts no more, and is idle once each worker that it has
    // started was seen alive or has ended. A board that cannot be served keeps it waiting no
    // longer.
    bool once = false;
  };
  Dispatcher(home::Home home, Settings& settings, Starter starter, HostIdentity host,
             std::string holder, Loop& loop, Purpose purpose);

  // One pass. Returns when the next is due if nothing happens; asks the loop for another at once
  // when it did something.
  std::optional<MonotonicTime> settle();

  // For --once and --finish: the last pass found nothing to do, and nothing is under way that ends
  // by itself in a moment.
  bool idle() const { return idle_; }
  bool stops_pending() const { return stops_pending_; }
  bool makes_trees() const { return trees_.busy(); }  // their starts follow
  bool newer_schema() const;
  bool fenced_off()
      const;  // another dispatcher has taken a board over: this one has no business here

  // Gives every board back; a reason that is not blank is kept there as why the last dispatcher
  // ended. Workers go on.
  void leave(const std::string& reason);

  std::size_t running() const { return roster_.alive(); }
  // Tasks that waited for a worker when the last pass began, over all boards that could be read.
  std::int64_t waiting() const { return waiting_; }
  const std::vector<std::unique_ptr<Desk>>& desks() const { return desks_; }

 private:
  struct Start {
    std::string task_id;
    std::string profile;
    std::optional<Task> task;
    std::string workspace;
    std::optional<Error> failure;  // it cannot be started: claimed and closed in one transaction
    std::optional<Run> run;        // once claimed
    std::optional<std::string> context;
    std::optional<workers::HeldShim> shim;
  };
  // What one board has to do in this pass.
  struct Batch {
    Desk* desk = nullptr;
    board::Decisions decisions;
    std::vector<std::int64_t> signal;
    std::vector<Start> starts;
    std::vector<Roster::Sighting> sightings;
    int effects = 0;  // what was really changed: a pass without any must not ask for the next one
    bool empty() const;
  };

  std::optional<MonotonicTime> pass();
  void tell_caps();  // for `why`, which cannot know the flags of this process
  void find_boards();
  rules::Snapshot take_snapshot(Instant now, std::vector<Desk*>& open);
  std::int64_t headroom() const;
  bool view_board(Desk& desk, Instant now, rules::BoardView& view);
  std::vector<Batch> sort_actions(const rules::Snapshot& snapshot, const rules::Plan& plan,
                                  const std::vector<Desk*>& open);
  bool carry_out(Batch& batch, Instant now);
  void prepare_starts(Batch& batch);
  bool commit_decisions(Batch& batch, Instant now);
  ExitFacts with_command(board::Change& change, const rules::FinishRun& finished) const;
  bool claim_start(board::Change& change, Start& start);
  void begin_trees(Batch& batch, Instant now);
  void take_trees(Batch& batch);
  std::optional<ExitFacts> in_use(Batch& batch, const Start& start, const std::string& tree);
  void forget_trees(const std::string& board);
  void spawn_shims(Batch& batch, Instant now);
  void bound_trees(Batch& batch);
  void tell_unbounded(const std::string& profile, const Bounded& bounded);
  void open_gates(Batch& batch, Instant now);
  std::optional<MonotonicTime> ask_planners(Instant now, const std::vector<Desk*>& open);
  std::optional<MonotonicTime> ask_planners_of(Desk& desk, Instant now);
  void tell_trouble(const Desk& desk);
  void hold_starts(Instant now, const std::string& why);
  void clean_records(Desk& desk, Instant now);
  std::optional<MonotonicTime> next_wake(Instant now, const std::vector<Desk*>& open,
                                         std::optional<Instant> planned,
                                         std::optional<MonotonicTime> step);

  home::Home home_;
  Settings& settings_;
  Starter starter_;
  HostIdentity host_;
  std::string holder_;
  Loop& loop_;
  Purpose purpose_;
  Roster roster_;
  TreeMakers trees_;
  Planners planners_;
  NothingDue nothing_due_;
  std::string last_planned_;  // the board for which a planner was asked last
  std::map<std::pair<std::string, std::int64_t>, Start> waiting_for_tree_;  // by board and run
  std::vector<std::unique_ptr<Desk>> desks_;
  MonotonicTime began_ = std::chrono::steady_clock::now();
  MonotonicTime starts_held_until_;
  Instant rate_second_;  // the second that started_this_second_ counts
  std::int64_t started_this_second_ = 0;
  std::map<std::string, std::string> told_troubles_;  // board → the notice that stands
  std::int64_t waiting_ = 0;
  bool idle_ = false;
  bool stops_pending_ = false;
  std::string told_caps_;
  MonotonicTime trees_held_until_;                     // the user's systemd does not answer
  std::map<std::string, std::string> told_unbounded_;  // profile → what was said
};

}  // namespace hermes::daemon
