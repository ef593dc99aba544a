#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "board/board_fixture.hpp"

namespace hermes::test {

// What of a board is looked at after every operation, read with queries of its own.
struct Picture {
  struct Card {
    Status status = Status::triage;
    std::optional<std::int64_t> completed_at;
  };
  std::map<std::string, Card> tasks;
  std::map<std::pair<std::string, std::string>, bool> links;  // parent, child: satisfied
  std::multiset<std::string> open_runs;                       // their tasks
  std::set<std::int64_t> comments;
  std::set<std::int64_t> attachments;
  std::set<std::int64_t> runs;
  std::int64_t last_event = 0;
  std::string rows;  // of all tables but the events
};
Picture look(db::Reader& tx);

// A walk of random operations over one board, by people, by workers and by workers that were
// replaced, with a clock that jumps. After each of them it is checked that all invariants hold,
// that what was refused left no trace, that nothing acknowledged is lost, and that tasks have moved
// only along the ways that lead from one state to another.
class Walk {
 public:
  explicit Walk(std::uint64_t seed);

  // One operation. False when something was found; `findings` says what.
  bool step();

  const std::vector<std::string>& findings() const { return findings_; }
  const std::vector<std::string>& trace() const { return trace_; }  // one line per operation
  // How often each operation was done, and not refused.
  const std::map<std::string, std::size_t>& done() const { return done_; }

 private:
  // What an operation may do to tasks.
  struct May {
    std::string target;     // the task that it is about; "": none
    std::set<Status> to;    // where it may lead it; empty: nowhere
    bool creates = false;   // it puts tasks on the board
    bool frees = false;     // tasks that wait for the target may become ready
    bool reopens = false;   // tasks that come after the target may have to wait again
    bool removes = false;   // it takes the target away
    bool ends_all = false;  // it ends every run there is
    std::string unlinks;    // the parent whose link to the target it takes away
  };

  template <class Body>
  auto act(const std::string& name, const Actor& actor, const May& may, Body body);
  void check(const May& may, bool refused);
  void check_tasks(const Picture& now, const May& may);
  void check_links(const Picture& now, const May& may);
  void check_kept(const Picture& now);
  void find(const std::string& text) { findings_.push_back(text); }

  std::uint64_t roll(std::uint64_t sides) { return dice_.next() % sides; }
  bool chance(std::uint64_t one_in) { return roll(one_in) == 0; }
  template <class T>
  T one_of(const std::vector<T>& values) {
    return values[roll(values.size())];
  }
  std::string any_task();
  std::optional<Run> any_run(bool open);
  Actor any_actor(const std::string& task);
  std::optional<Instant> some_time();

  void create();
  void create_swarm();
  void import();
  void claim();
  void verdict();
  void decide();
  void review();
  void put_away();
  void link();
  void write_down();
  void keep_with();
  void end_run();
  void stop_stale();
  void wake();
  void keep_house();
  void turn_clock();

  BoardFixture board_{TempDir::Storage::memory};
  SeededRandom dice_;
  std::map<std::int64_t, Run> runs_;              // as they were claimed
  std::map<std::string, std::int64_t> last_run_;  // of each task that was claimed
  std::map<std::int64_t, std::string> comments_;  // acknowledged, with their tasks
  std::map<std::int64_t, std::string> attachments_;
  Picture before_;
  std::vector<std::string> findings_;
  std::vector<std::string> trace_;
  std::map<std::string, std::size_t> done_;
};

}  // namespace hermes::test
