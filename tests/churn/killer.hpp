#pragma once

#include <optional>
#include <set>
#include <thread>

#include "churn/clients.hpp"
#include "churn/processes.hpp"

namespace hermes::churn {

using RunKey = std::pair<std::string, std::string>;  // board and run

struct Kills {
  int dispatchers = 0;
  int over_live_workers = 0;  // of these; the worker lived on
  int terminated = 0;
  int stopped = 0;
  int shims = 0;
  int workers = 0;
};

// Keeps a dispatcher running as a service manager would, and kills it, supervisors and workers.
class Killer {
 public:
  Killer(const Ground& ground, Findings& findings, Random& random, const Clients& clients)
      : ground_(ground), findings_(findings), random_(random), clients_(clients) {}

  // Starts the dispatcher when none runs.
  void keep_it_running();
  void kill_dispatcher();
  void terminate_dispatcher();
  void stop_dispatcher();  // SIGSTOP, for less than a second
  void kill_shim();
  void kill_worker();
  // Looks at all processes: two runs of one task never live at the same moment, nor more workers
  // than the cap allows.
  void look();
  // Ends it in order; its exit status has to be 0.
  void end_dispatcher();

  // Long enough to have found that there is no other, and nobody has told it to end.
  bool serves_for_a_while() const;
  pid_t dispatcher() const { return dispatcher_ ? dispatcher_->pid() : -1; }
  const std::set<RunKey>& runs_without_shim() const { return without_shim_; }
  const std::set<RunKey>& runs_hit() const { return hit_; }
  const Kills& kills() const { return kills_; }
  std::size_t most_workers() const { return most_workers_; }
  bool has_workers() const { return !workers().empty(); }
  std::size_t runs_seen() const { return seen_.size(); }

 private:
  std::vector<Process> workers() const;
  void judge_end(int status);

  const Ground& ground_;
  Findings& findings_;
  Random& random_;
  const Clients& clients_;
  std::optional<daemon::test::Program> dispatcher_;
  Clock::time_point since_;
  int last_signal_ = 0;
  bool told_to_end_ = false;
  Clock::time_point continues_at_;
  Clock::time_point not_before_;  // the next start, after another dispatcher was met
  std::set<RunKey> without_shim_;
  std::set<RunKey> hit_;
  std::set<RunKey> seen_;  // with a living process
  Kills kills_;
  std::size_t most_workers_ = 0;
  std::jthread waker_;
};

// Children that are nobody's any more come to us and are reaped.
void reap_orphans(const std::vector<pid_t>& ours);

}  // namespace hermes::churn
