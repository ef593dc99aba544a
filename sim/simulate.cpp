#include "sim/simulate.hpp"

#include <fmt/core.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>

#include "kernel/board/runs.hpp"
#include "kernel/db/connection.hpp"
#include "kernel/db/database.hpp"
#include "sim/dispatcher.hpp"
#include "sim/oracle.hpp"
#include "sim/people.hpp"
#include "sim/workers.hpp"

namespace hermes::sim {

namespace {

namespace fs = std::filesystem;

constexpr int k_passes_to_rest = 3000;

// One history under way.
class Play {
 public:
  Play(db::Connection& board, std::uint64_t seed) : world_(board, seed) {}

  History run(std::uint64_t seed, int steps) {
    History history{.seed = seed};
    try {
      for (; history.steps < steps && is_well(); ++history.steps) {
        step();
        oracle_.check(world_);
      }
      if (is_well()) {
        come_to_rest();
      }
    } catch (
        const std::exception& error) {  // of the database: a rule that only the schema has kept
      world_.violated(fmt::format("unexpected: {}", error.what()));
    }
    history.trace = std::move(world_.trace);
    history.violations = std::move(world_.violations);
    return history;
  }

 private:
  bool is_well() const { return world_.violations.empty(); }

  void step() {
    world_.now = world_.now + Millis{world_.below(400)};
    const std::uint64_t what = world_.below(100);
    if (what < 25) {
      step_person(world_);
    } else if (what < 46) {
      step_worker(world_);
    } else if (what < 49) {
      step_ghost(world_);
    } else if (what < 92) {
      step_dispatcher();
    } else if (what < 96) {
      disturb();
    } else {
      let_time_pass();
    }
  }

  void step_dispatcher() {
    if (!first_) {
      first_ = std::make_unique<Dispatcher>(world_, ++number_);
    }
    if (second_ && world_.one_in(2)) {
      second_->step();
    } else {
      first_->step();
    }
    // Who sees that it is fenced off ends.
    if (second_ && second_->over()) {
      second_.reset();
    }
    if (first_->over()) {
      first_ = std::move(second_);
    }
  }

  void disturb() {
    switch (world_.below(6)) {
      case 0:
      case 1:
        if (first_) {
          world_.tell(fmt::format("dispatcher {} is killed", first_->number()));
          first_ = std::move(second_);
        }
        break;
      case 2:
        if (first_ && !second_) {
          world_.tell("a second dispatcher starts");
          second_ = std::make_unique<Dispatcher>(world_, ++number_);
        }
        break;
      case 3:
        world_.tell("the machine restarts");
        first_.reset();
        second_.reset();
        world_.reboot();
        break;
      default:
        set_clock();
    }
  }

  void set_clock() {
    static const std::vector<Millis> k_steps{std::chrono::seconds{-1}, std::chrono::hours{-1},
                                             std::chrono::hours{-24}, std::chrono::hours{24}};
    const Millis by = world_.any_of(k_steps);
    world_.now = world_.now + by;
    world_.clock_was_set_back = world_.clock_was_set_back || by.count() < 0;
    world_.tell(fmt::format("the clock is set by {} s", by.count() / 1000));
  }

  void let_time_pass() {
    static const std::vector<Millis> k_times{std::chrono::seconds{3}, std::chrono::seconds{35},
                                             std::chrono::minutes{6}, std::chrono::minutes{20},
                                             std::chrono::hours{5}};
    const Millis by = world_.any_of(k_times);
    world_.now = world_.now + by;
    world_.tell(fmt::format("{} s pass", by.count() / 1000));
  }

  // From here on nothing goes wrong any more: one dispatcher, workers that do their work. Whatever
  // can be done must get done.
  void come_to_rest() {
    world_.tell("nothing goes wrong any more");
    second_.reset();
    first_ = std::make_unique<Dispatcher>(world_, ++number_);
    for (int pass = 0; pass < k_passes_to_rest && is_well(); ++pass) {
      first_->step();
      oracle_.check(world_);
      if (!first_->rests()) {
        continue;
      }
      Oracle::check_rest(world_);
      if (Process* process = working()) {
        finish_well(world_, *process);
        oracle_.check(world_);
      } else if (const auto next = first_->next_deadline()) {
        world_.now = *next;
      } else {
        check_rest();
        return;
      }
    }
    if (is_well()) {
      world_.violated("the board does not come to rest");
    }
  }

  // One that has said its verdict lingers until it is told to end.
  Process* working() {
    const auto all = world_.processes_that([this](const Process& process) {
      return process.stage == Process::Stage::working &&
             (process.stop_requested || !has_verdict(process.run_id));
    });
    return all.empty() ? nullptr : all.front();
  }
  bool has_verdict(std::int64_t run_id) {
    return world_.read([&](db::Reader& tx) {
      const auto run = board::find_run(tx, run_id);
      return run && run->ended_at;
    });
  }

  void check_rest() {
    world_.read([&](db::Reader& tx) {
      auto row = tx.query(
          "SELECT t.id, t.status FROM tasks t WHERE t.status = 'running'"
          " OR (t.status = 'ready' AND (t.assignee IN ('exits', 'calls') OR (t.assignee = '' AND "
          "$1)))"
          " OR (t.status = 'review' AND $2) OR (t.status = 'scheduled' AND t.wake_at IS NOT NULL)"
          " OR EXISTS (SELECT 1 FROM runs r WHERE r.task_id = t.id AND r.gone_at IS NULL)",
          !world_.limits.default_assignee.empty(), !world_.limits.reviewer.empty());
      while (row.next()) {
        world_.violated(
            fmt::format("{} is left {} although nothing keeps it", row.text(0), row.text(1)));
      }
      return 0;
    });
  }

  World world_;
  Oracle oracle_;
  std::unique_ptr<Dispatcher> first_;
  std::unique_ptr<Dispatcher> second_;
  int number_ = 0;
};

}  // namespace

struct Simulation::State {
  fs::path dir;
  std::optional<db::Connection> board;
  ~State() {
    board.reset();
    std::error_code ignored;
    fs::remove_all(dir, ignored);
  }
};

Simulation::Simulation(std::unique_ptr<State> state) : state_(std::move(state)) {}
Simulation::Simulation(Simulation&&) noexcept = default;
Simulation::~Simulation() = default;

Result<Simulation> Simulation::open() {
  auto state = std::make_unique<State>();
  std::string place = (fs::temp_directory_path() / "hermes-selftest-XXXXXX").string();
  if (::mkdtemp(place.data()) == nullptr) {
    return fail(ErrorCode::unavailable, fmt::format("cannot make a directory like {}", place),
                "set TMPDIR to one that can be written");
  }
  state->dir = place;
  const db::BoardFiles files{state->dir / "board.db", state->dir / "board.lock"};
  TRY(db::Database::create(files, Instant{0}));
  state->board.emplace(files.database, db::OpenMode::existing);
  state->board->set_pragma("temp_store", 2);  // what may be rolled back is kept in memory
  return Simulation(std::move(state));
}

History Simulation::play(std::uint64_t seed, int steps) {
  return Play(*state_->board, seed).run(seed, steps);
}

}  // namespace hermes::sim
