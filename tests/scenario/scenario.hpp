#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/rules/plan.hpp"
#include "scenario/command.hpp"

namespace hermes::test {

// The world of one transcript: a clock that moves only on `tick`, boards, runs and waiting tasks.
// It keeps what a board would keep and hands plan() the snapshot of the moment; every decision is
// plan()'s. Lengths of time count from now; what is not said is now, none or the setting's default.
//
//   limits max_in_progress=2 max_in_progress_per_profile=1 start_rate=3
//   limits stale_timeout=4h heartbeat_gap=1h verdict_grace=30s
//   profile shell verdict=exit-code cap=1   can be started; explicit and no cap unless said
//   board a                                 the commands that follow speak of this board
//   candidate t_1 profile=shell tenant=x priority=5 waited=10s
//   candidate t_2 profile=shell in=8s       held back until then
//   scheduled t_3 in=5m                     waits for its time
//   due t_4 t_5                             their time has come
//   run 1 task=t_9 profile=shell tenant=x started=-10s heartbeat=-5s
//   run 2 ended=-1s                         its verdict is committed, its process not gone
//   run 3 stop=reclaim stopped=-1s          its stop is committed; `signalled`: its shim is told
//   run 4 external ttl=15m expires=5m       a claim from outside; `foreign`: of another machine
//   heartbeat 1    verdict 1    stop 1 reclaim
//   exit 1 code=0    exit 1 signal=9    exit 1 lost       its process is known to be gone
//   exit 1 code=1 says=no_key               the last line of its log
//   paused shell for=1m    resume shell     the profile, on this board
//   drain on    drain off    starts_held for=10s
//   elsewhere shell agent                   who works on boards that cannot be read; nobody: none
//   started 3                               so many starts in this second already
//   tick 5s    tick -1h                     the clock goes on, or is set back
//   plan                                    prints what plan() decides and when it looks again
//   settle                                  the same, and the world does what was decided
class Scenario {
 public:
  // What the command prints: lines, each with its newline. One that is not understood prints an
  // error.
  std::string run(const std::string& line);

 private:
  struct Waiting {
    std::string task_id;
    Instant at;
  };
  struct Ended {
    std::string profile;
    Instant at;
    rules::EndedRun run;
  };
  struct Board {
    std::string slug;
    std::vector<rules::RunView> runs;
    std::vector<rules::Candidate> candidates;
    std::vector<Waiting> scheduled;
    std::map<std::string, rules::Gate> gates;
    std::vector<Ended> ended;  // newest first
  };
  struct Profile {
    VerdictMode verdict = VerdictMode::by_call;
    std::optional<std::int64_t> cap;
  };

  std::string carry_out(Command& command);
  void set_limits(Command& command);
  void set_profile(Command& command);
  void choose_board(Command& command);
  void add_candidate(Command& command);
  void add_run(Command& command);
  void tell_run(Command& command);
  void set_exit(Command& command);
  std::string decide(bool then_do);

  Board& board();
  rules::RunView& find_run(std::int64_t id);
  Instant instant(Command& command, const std::string& key, Millis otherwise = Millis{0});
  rules::Snapshot snapshot() const;

  std::string name(std::size_t board, std::int64_t run_id) const;
  std::string name(std::size_t board, const std::string& task_id) const;
  std::string print(const rules::RebaseClock& action) const;
  std::string print(const rules::FinishRun& action) const;
  std::string print(const rules::WakeTask& action) const;
  std::string print(const rules::ExpireClaim& action) const;
  std::string print(const rules::StopStale& action) const;
  std::string print(const rules::SignalStop& action) const;
  std::string print(const rules::StartTask& action) const;

  void apply(const rules::RebaseClock& action);
  void apply(const rules::FinishRun& action);
  void apply(const rules::WakeTask& action);
  void apply(const rules::ExpireClaim& action);
  void apply(const rules::StopStale& action);
  void apply(const rules::SignalStop& action);
  void apply(const rules::StartTask& action);
  void judge(Board& board, const rules::RunView& run);
  void drop_run(std::size_t board, std::int64_t id);
  rules::RunView& run_of(std::size_t board, std::int64_t id);

  Instant now_{1'800'000'000'000};  // the beginning of a second
  Limits limits_;
  std::map<std::string, Profile> profiles_;
  std::vector<Board> boards_;
  std::size_t current_ = 0;
  bool draining_ = false;
  std::vector<std::string> elsewhere_;
  std::optional<Instant> starts_held_until_;
  std::int64_t second_ = 0;  // in which started_ were started
  std::int64_t started_ = 0;
  std::string told_;  // what became of profiles while the world did what was decided
};

}  // namespace hermes::test
