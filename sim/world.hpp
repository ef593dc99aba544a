#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/process.hpp"
#include "kernel/base/random.hpp"
#include "kernel/board/change.hpp"
#include "kernel/db/connection.hpp"
#include "sim/process.hpp"

namespace hermes::sim {

inline constexpr const char* k_dispatcher = "dispatcher";  // the actor's name

// Everything that is not the kernel: the clock, the machine with its processes, and the board's
// file. One seed decides every choice, so the same seed is the same history. The board is a real
// SQLite database whose changes are all taken back at the end.
class World {
 public:
  World(db::Connection& board, std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // A transaction of the board as `actor` makes it; a value means that it was committed. `body`
  // takes board::Change&.
  template <class Body>
  auto write(const Actor& actor, Body body) {
    board_.execute("SAVEPOINT one_transaction");
    db::Writer tx(board_);
    board::Change change{tx, now, actor, slug, limits, random};
    auto result = body(change);
    if (!result) {
      board_.execute("ROLLBACK TO one_transaction");
    }
    board_.execute("RELEASE one_transaction");
    changed_ = changed_ || result.has_value();
    written_by_worker_ = actor.worker.has_value();
    written_by_dispatcher_ = actor.name == k_dispatcher;
    return result;
  }
  template <class Body>
  auto read(Body body) {
    db::Reader tx(board_);
    return body(tx);
  }

  // Chance. `below` is in [0, n), 0 where there is no choice; `one_in` is true once in n times.
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : random.next() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& any_of(const std::vector<T>& values) {
    return values[below(values.size())];
  }

  // What happened, for the trace of a seed that fails.
  void tell(std::string what);
  void violated(const std::string& rule) { violations.push_back(rule); }
  bool written_by_worker() const { return written_by_worker_; }  // the last transaction
  bool written_by_dispatcher() const { return written_by_dispatcher_; }
  bool take_changed() { return std::exchange(changed_, false); }

  // Everything that runs is gone and the machine comes up with another boot. Its clock goes on.
  void reboot();
  Process* process_of(std::int64_t run_id);
  std::vector<Process*> processes_that(const std::function<bool(const Process&)>& match);

  SeededRandom random;
  Instant now{1'700'000'000'000};
  HostIdentity host{"machine", "boot-0"};
  Limits limits;
  std::string slug = "default";
  Processes processes;
  std::set<std::int64_t> revoked;  // runs whose late shim has to refuse
  bool clock_was_set_back = false;
  int board_owner = 0;  // the dispatcher that has taken the board over last
  std::vector<std::string> trace;
  std::vector<std::string> violations;

 private:
  db::Connection& board_;
  int boots_ = 0;
  bool changed_ = true;
  bool written_by_worker_ = false;
  bool written_by_dispatcher_ = false;
};

// The profiles that a dispatcher can start here, and how they tell their verdict.
inline const std::map<std::string, VerdictMode> k_profiles{{"calls", VerdictMode::by_call},
                                                           {"exits", VerdictMode::by_exit_code},
                                                           {"reviews", VerdictMode::by_call}};

}  // namespace hermes::sim
