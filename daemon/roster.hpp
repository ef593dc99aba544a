#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/loop.hpp"
#include "daemon/workers/lost.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/home/paths.hpp"
#include "kernel/model/run.hpp"
#include "kernel/rules/plan.hpp"

namespace hermes::workers {
struct Exit;
}

namespace hermes::daemon {

// What a control record says of an exit, in the words of the rules; without the last output.
ExitFacts facts_of(const workers::Exit& exit);

// The processes of the runs that are not gone, as this dispatcher knows them. Nothing here is
// needed to go on after a crash: whatever is missing is found again from the board and the control
// records.
class Roster {
 public:
  Roster(home::Home home, std::string boot, Loop& loop);

  using Key = std::pair<std::string, std::int64_t>;  // board, run

  // A run this dispatcher has just claimed; its process follows with `started`, or its end with
  // `ended`.
  void expect(const std::string& board, const Run& run);
  void started(const std::string& board, std::int64_t run_id, Fd pidfd);
  void ended(const std::string& board, std::int64_t run_id, ExitFacts exit);

  bool knows(const std::string& board, std::int64_t run_id) const {
    return entries_.contains({board, run_id});
  }

  // A run from the board that nobody here knows: looks at its control record (adoption, in the
  // order of the design).
  void adopt(const std::string& board, const Run& run);

  // The task whose run works in this directory, of any board.
  struct User {
    std::string board;
    std::string task_id;
  };
  std::optional<User> user_of(const std::string& workspace) const;

  // Adds what is known of each run's process to the view of its board.
  void complete(rules::BoardView& view) const;

  // True when its shim was told now.
  bool signal_stop(const std::string& board, std::int64_t run_id);

  // Its end is committed: forgets it and removes its control record.
  void drop(const std::string& board, std::int64_t run_id);
  void forget_board(
      const std::string& board);  // its workers that are our children are still reaped
  void forget_unstarted(const std::string& board);  // runs without a process that were to get one

  // Goes on with what takes several steps: leftovers of a lost shim. Returns when to be called
  // again.
  std::optional<MonotonicTime> step(MonotonicTime now);

  // Workers that have been running for a moment and whose PID is not on the board yet.
  struct Sighting {
    std::int64_t run_id;
    std::int64_t pid;
    std::int64_t start;
  };
  std::vector<Sighting> sightings(const std::string& board, MonotonicTime now);
  void sighted(const std::string& board, std::int64_t run_id);  // and that is committed
  std::optional<MonotonicTime> next_sighting(const std::string& board) const;
  // Whether one that this dispatcher has started has neither been seen nor ended.
  bool awaits_own_worker(const std::string& board) const;

  // Shims that could not be set up (lock busy, set-up failed) since last asked.
  bool take_setup_failure() { return std::exchange(setup_failed_, false); }

  std::size_t alive() const;
  // Profiles of those of one board, each as often as it works there.
  std::vector<std::string> profiles_at_work(const std::string& board) const;

 private:
  struct Entry {
    Run run;
    Fd pidfd;
    std::unique_ptr<Loop::Watch> watch;
    std::optional<ExitFacts> exit;
    bool own_child = false;
    bool signalled = false;
    std::optional<MonotonicTime> sight_at;    // when to look for the worker's PID
    Millis sight_pace{0};                     // that look after the one before
    std::optional<MonotonicTime> lost_since;  // its shim is lost and leftovers are being killed
    std::unique_ptr<workers::Leftovers> leftovers;  // set with it
    std::optional<MonotonicTime> unreadable_since;  // its record cannot be read for now
    MonotonicTime look_again;                       // the next step of either

    void look_for_worker();
  };
  struct Orphan {  // of a board that is gone
    Fd pidfd;
    std::unique_ptr<Loop::Watch> watch;
  };
  void watch(const Key& key, Entry& entry);
  void process_ended(const Key& key);
  void look(const Key& key, Entry& entry);
  void follow(const Key& key, Entry& entry, Fd pidfd);
  void conclude(const Key& key, Entry& entry);
  void unreadable(const Key& key, Entry& entry, const Error& error);
  void never_started(const Key& key, Entry& entry);
  void shim_lost(Entry& entry);
  void settle_exit(const Key& key, Entry& entry, ExitFacts exit);

  home::Home home_;
  std::string boot_;
  Loop& loop_;
  std::map<Key, Entry> entries_;
  std::list<Orphan> orphans_;
  bool setup_failed_ = false;
};

}  // namespace hermes::daemon
