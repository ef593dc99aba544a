#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "kernel/board/decisions.hpp"
#include "kernel/model/run.hpp"
#include "kernel/rules/plan.hpp"
#include "sim/world.hpp"

namespace hermes::sim {

// The dispatcher's pass over the board, cut into steps between any two of which it may be killed:
// it decides with rules::plan and writes with the functions of kernel/board, as the program does;
// processes and control records are the world's. Destroying it is killing it.
class Dispatcher {
 public:
  Dispatcher(World& world, int number);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  void step();
  int number() const { return number_; }
  bool over() const { return over_; }  // fenced off by a successor
  // At the end of a pass: whether it found nothing to do, and when it would look again.
  bool rests() const { return todo_.empty() && idle_; }
  std::optional<Instant> next_deadline() const { return next_deadline_; }

 private:
  struct Known {
    Run run;
    std::optional<ExitFacts> exit;
    bool signalled = false;
    bool lost = false;  // what its shim has left is to be killed before it counts as gone
  };
  struct Start {
    std::string task_id;
    std::string profile;
    std::optional<Run> run;
    bool identified = false;
  };
  struct Batch {
    board::Decisions decisions;
    std::vector<std::int64_t> signal;
    std::vector<Start> starts;
    bool empty() const;
  };
  void take_over();
  void look();
  void adopt(const Run& run);
  void watch(Known& known);
  Batch sort(const rules::Plan& plan) const;
  void commit(Batch& batch);
  int decide(board::Change& change, Batch& batch) const;
  void spawn(Start& start);
  void identify(Batch& batch);
  void open_gate(const Start& start);
  bool fenced(const Result<int>& written);

  World& world_;
  int number_;
  Actor actor_{k_dispatcher, std::nullopt};
  std::int64_t epoch_ = 0;
  bool over_ = false;
  bool idle_ = false;
  std::map<std::int64_t, Known> known_;
  std::deque<std::function<void()>> todo_;  // the rest of the pass
  std::optional<Instant> next_deadline_;
};

}  // namespace hermes::sim
