#include "kernel/rules/plan.hpp"

#include <algorithm>
#include <tuple>

#include "kernel/rules/hold.hpp"

namespace hermes::rules {

namespace {

// Collects the earliest of the moments that lie ahead.
class Deadline {
 public:
  explicit Deadline(Instant now) : now_(now) {}
  void consider(std::optional<Instant> at) {
    if (at && *at > now_ && (!earliest_ || *at < *earliest_)) {
      earliest_ = at;
    }
  }
  std::optional<Instant> earliest() const { return earliest_; }

 private:
  Instant now_;
  std::optional<Instant> earliest_;
};

// Who runs now, over all boards: the one place where headroom is counted.
struct Headcount {
  std::int64_t total = 0;
  std::map<std::string, std::int64_t> of_profile;
  std::map<std::pair<std::size_t, std::string>, std::int64_t> of_tenant;

  void add(std::size_t board, const std::string& profile, const std::string& tenant) {
    add_elsewhere(profile);
    ++of_tenant[{board, tenant}];
  }
  void add_elsewhere(const std::string& profile) {
    ++total;
    ++of_profile[profile];
  }
};

// When the shim of this run must be told to stop: a person's stop at once, after a worker's own
// verdict once the grace is over.
std::optional<Instant> signal_at(const RunView& run, Instant now, const Limits& limits) {
  if (run.stop_kind) {
    return now;  // whatever moment was stored: a clock that was ahead does not keep the worker
  }
  if (run.ended_at) {
    return *run.ended_at + limits.verdict_grace;
  }
  return std::nullopt;
}

// What a run that is not gone asks for; returns true when it still counts as running afterwards.
bool plan_run(std::size_t board, const RunView& run, Instant now, const Limits& limits, Plan& out,
              Deadline& deadline) {
  if (run.exit) {
    out.actions.push_back(FinishRun{board, run.id, *run.exit});
    return false;
  }
  if (run.holder_kind == HolderKind::external || !run.local) {
    // Nobody here can see its process: it lives by its lease.
    const Instant expires = lease_end(run.lease_expires_at, run.lease_ttl, now);
    if (expires <= now ||
        run.stop_kind) {  // nobody here can stop it, so a stop takes the task from it at once
      out.actions.push_back(ExpireClaim{board, run.id});
      return false;
    }
    deadline.consider(expires);
    return run.holder_kind != HolderKind::external;
  }
  if (const auto at = signal_at(run, now, limits); at && !run.signalled) {
    if (*at <= now) {
      out.actions.push_back(SignalStop{board, run.id});
    }
    deadline.consider(at);
    return true;
  }
  if (!run.ended_at && !run.stop_kind) {
    const auto at = stale_at(run, limits);
    if (at && *at <= now) {
      out.actions.push_back(StopStale{board, run.id});
    }
    deadline.consider(at);
  }
  return true;
}

struct Waiting {
  std::size_t board;
  const Candidate* candidate;
};

// Priority, then the tenant with the fewest running, then who has waited longest, then the id.
bool sooner(const Waiting& a, const Waiting& b, const Headcount& running) {
  const auto load = [&](const Waiting& w) {
    const auto found = running.of_tenant.find({w.board, w.candidate->tenant});
    return found == running.of_tenant.end() ? 0 : found->second;
  };
  const auto key = [&](const Waiting& w) {
    return std::tuple(-w.candidate->priority, load(w), w.candidate->eligible_at,
                      std::string_view(w.candidate->task_id));
  };
  return key(a) < key(b);
}

void plan_starts(const Snapshot& snapshot, Instant now, const Limits& limits, Headcount& running,
                 Plan& out, Deadline& deadline) {
  std::vector<Waiting> waiting;
  for (std::size_t board = 0; board < snapshot.boards.size(); ++board) {
    for (const Candidate& candidate : snapshot.boards[board].candidates) {
      waiting.push_back({board, &candidate});
    }
  }
  // A pause that is over lets one start through, the probe.
  std::vector<std::map<std::string, Gate>> gates;
  for (const BoardView& board : snapshot.boards) {
    gates.push_back(board.gates);
  }
  // What holds a candidate back now holds it for the rest of this plan: starts only fill the caps.
  const auto held = [&](const Waiting& w) {
    const std::string& profile = w.candidate->profile;
    const auto known = snapshot.profiles.find(profile);
    FleetFacts facts;
    facts.draining = snapshot.draining;
    facts.starts_held_until = snapshot.starts_held_until;
    facts.has_profile = known != snapshot.profiles.end();
    if (const auto gate = gates[w.board].find(profile); gate != gates[w.board].end()) {
      facts.gate = gate->second;
      deadline.consider(gate->second.paused_until);
    }
    facts.running = running.total;
    facts.running_of_profile = running.of_profile[profile];
    facts.cap = limits.max_in_progress;
    facts.profile_cap = facts.has_profile && known->second.max_in_progress
                            ? known->second.max_in_progress
                            : limits.max_in_progress_per_profile;
    return !fleet_holds(profile, facts, now).empty();
  };
  std::int64_t started = snapshot.started_this_second;
  while (running.total < limits.max_in_progress) {
    std::erase_if(waiting, held);
    if (waiting.empty()) {
      return;
    }
    if (limits.start_rate && started >= *limits.start_rate) {
      deadline.consider(Instant{(now.ms / 1000 + 1) * 1000});
      return;
    }
    // Each start changes its tenant's load, so the next one is chosen anew.
    const auto next =
        std::min_element(waiting.begin(), waiting.end(),
                         [&](const Waiting& a, const Waiting& b) { return sooner(a, b, running); });
    const Waiting chosen = *next;
    waiting.erase(next);
    out.actions.push_back(
        StartTask{chosen.board, chosen.candidate->task_id, chosen.candidate->profile});
    running.add(chosen.board, chosen.candidate->profile, chosen.candidate->tenant);
    if (const auto gate = gates[chosen.board].find(chosen.candidate->profile);
        gate != gates[chosen.board].end()) {
      gate->second.probe_run = 0;  // its run has no number yet
    }
    ++started;
  }
}

// A run that has done something later than now, or a term that ends later than it could have begun:
// it was written by a clock that was ahead.
bool clock_was_ahead(const BoardView& board, Instant now) {
  return board.clock_was_ahead ||
         std::any_of(board.runs.begin(), board.runs.end(), [&](const RunView& run) {
           const Instant last = std::max(
               {run.started_at, run.heartbeat_at.value_or(now), run.ended_at.value_or(now)});
           return last > now + k_clock_slack ||
                  (run.lease_expires_at && *run.lease_expires_at > now + run.lease_ttl);
         });
}

}  // namespace

std::optional<Instant> stale_at(const RunView& run, const Limits& limits) {
  if (limits.stale_timeout.count() <= 0 ||
      (run.verdict == VerdictMode::by_exit_code && !run.heartbeat_at)) {
    return std::nullopt;
  }
  const Instant progress = run.heartbeat_at.value_or(run.started_at);
  return std::max(run.started_at + limits.stale_timeout, progress + limits.heartbeat_gap);
}

Instant lease_end(std::optional<Instant> expires_at, Millis ttl, Instant now) {
  return std::min(expires_at.value_or(now), now + ttl);
}

Plan plan(const Snapshot& snapshot, Instant now, const Limits& limits) {
  Plan out;
  Deadline deadline(now);
  Headcount running;
  for (const std::string& profile : snapshot.elsewhere) {
    running.add_elsewhere(profile);
  }
  for (std::size_t board = 0; board < snapshot.boards.size(); ++board) {
    if (clock_was_ahead(snapshot.boards[board], now)) {
      out.actions.push_back(RebaseClock{board});
    }
    for (const RunView& run : snapshot.boards[board].runs) {
      if (plan_run(board, run, now, limits, out, deadline)) {
        running.add(board, run.profile, run.tenant);
      }
    }
  }
  for (std::size_t board = 0; board < snapshot.boards.size(); ++board) {
    for (const std::string& task_id : snapshot.boards[board].due) {
      out.actions.push_back(WakeTask{board, task_id});
    }
    deadline.consider(snapshot.boards[board].next_due);
    deadline.consider(snapshot.boards[board].next_eligible);
  }
  // The alternatives of Action stand in the order in which they are done; within one kind the order
  // of boards and runs stays.
  std::stable_sort(out.actions.begin(), out.actions.end(),
                   [](const Action& a, const Action& b) { return a.index() < b.index(); });
  if (!snapshot.draining && !(snapshot.starts_held_until && *snapshot.starts_held_until > now)) {
    plan_starts(snapshot, now, limits, running, out, deadline);
  } else {
    deadline.consider(snapshot.starts_held_until);
  }
  out.next_deadline = deadline.earliest();
  return out;
}

}  // namespace hermes::rules
