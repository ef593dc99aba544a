#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/world.hpp"

namespace hermes::sim {

// What must hold whatever happens, told from what the board says and what the world knows to be
// true. The rules of the board itself are board::check_invariants; here are those that need a
// second look at the same thing, an earlier one or at the processes:
//
//   at most one live worker of a task, counting what a killed shim has left
//   a live worker has a run whose process the board does not hold to be gone
//   how a run has ended is said once and stays said, and it is what has happened to its process
//   no more workers than the cap allows
//   the breaker counts failures, and nothing else, and no start forgets them
//   a worker whose run somebody else has ended is to be stopped, and at rest it was told
//   nobody stops waiting for what was never done (or never ended), or waits for itself
//   after a failure and a rate limit there is a hold, and a start waits for its end; no task is
//   woken before its time; unless the clock was set back since, which begins all terms anew
class Oracle {
 public:
  // After each step. What is wrong is told to the world.
  void check(World& world);
  // Once a dispatcher has nothing left to do.
  static void check_rest(World& world);

 private:
  struct Ending {
    std::string outcome;
    std::string exit_kind;
    std::int64_t exit_code = 0;
    bool gone = false;
    bool is_to_stop = false;
  };
  struct Seen {
    std::int64_t failures = 0;
    std::string status;
    Instant eligible_at;
    Instant wake_at;
    bool given_up = false;  // by the breaker
  };
  void check_workers(World& world);
  void check_runs(World& world);
  void check_run(World& world, std::int64_t run_id, const std::string& task_id,
                 const Ending& ending);
  static void check_told(World& world, std::int64_t run_id, const Ending& ending);
  void check_exit(World& world, std::int64_t run_id, const Ending& ending);
  void check_cap(World& world) const;
  void check_tasks(World& world);
  void check_task(World& world, const std::string& id, const Seen& before, const Seen& seen) const;
  void check_links(World& world) const;

  std::map<std::int64_t, Ending> endings_;
  std::map<std::string, std::string> newly_ended_;  // task → outcome, in this step
  std::map<std::string, Seen> tasks_;
  std::set<std::string> done_once_;
  std::set<std::string> ended_once_;  // done, archived, or given up
};

}  // namespace hermes::sim
