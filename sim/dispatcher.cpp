#include "sim/dispatcher.hpp"

#include <fmt/core.h>

#include <memory>

#include "kernel/board/claims.hpp"
#include "kernel/board/decisions.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/snapshot.hpp"

namespace hermes::sim {

namespace {

constexpr std::int64_t k_headroom = 3;

}  // namespace

bool Dispatcher::Batch::empty() const {
  return decisions.empty() && signal.empty() && starts.empty();
}

Dispatcher::Dispatcher(World& world, int number) : world_(world), number_(number) {
  todo_.emplace_back([this] { take_over(); });
}

// The gates of the shims it holds close, which ends them.
Dispatcher::~Dispatcher() {
  for (Process* held : world_.processes_that([this](const Process& process) {
         return process.stage == Process::Stage::gate_shut && process.spawned_by == number_;
       })) {
    held->stage = Process::Stage::gone;
  }
}

void Dispatcher::step() {
  if (over_) {
    return;
  }
  if (todo_.empty()) {
    look();
    return;
  }
  const auto next = std::move(todo_.front());
  todo_.pop_front();
  next();
}

void Dispatcher::take_over() {
  const auto epoch = world_.write(actor_, [&](board::Change& change) -> Result<std::int64_t> {
    return board::take_over(change, fmt::format("dispatcher {}", number_));
  });
  epoch_ = *epoch;
  world_.board_owner = number_;
  world_.tell(fmt::format("dispatcher {} takes the board over", number_));
}

bool Dispatcher::fenced(const Result<int>& written) {
  if (written) {
    if (world_.board_owner != number_) {
      world_.violated(
          fmt::format("dispatcher {} has written after dispatcher {} took the board over", number_,
                      world_.board_owner));
    }
    return false;
  }
  over_ = true;
  todo_.clear();
  world_.tell(fmt::format("dispatcher {} is fenced off", number_));
  return true;
}

// Reads, decides, and lays out what follows.
void Dispatcher::look() {
  rules::Snapshot snapshot;
  for (const auto& [name, verdict] : k_profiles) {
    snapshot.profiles.emplace(name, rules::ProfileView{});
  }
  snapshot.boards.push_back(world_.read([&](db::Reader& tx) {
    return board::snapshot(tx, world_.slug, world_.now, world_.limits, k_profiles, world_.host,
                           k_headroom);
  }));
  rules::BoardView& view = snapshot.boards.front();
  for (rules::RunView& run : view.runs) {
    if (run.holder_kind == HolderKind::external || !run.local) {
      continue;
    }
    if (!known_.contains(run.id)) {
      adopt(*world_.read([&](db::Reader& tx) { return board::find_run(tx, run.id); }));
    }
    Known& known = known_.at(run.id);
    watch(known);
    run.exit = known.exit;
    run.signalled = known.signalled;
  }
  const rules::Plan plan = rules::plan(snapshot, world_.now, world_.limits);
  next_deadline_ = plan.next_deadline;
  auto batch = std::make_shared<Batch>(sort(plan));
  for (const rules::RunView& run : view.runs) {
    batch->decisions.verdicts.emplace(run.id, run.verdict);
  }
  idle_ = batch->empty() && std::none_of(known_.begin(), known_.end(), [](const auto& item) {
            return item.second.lost && !item.second.exit;
          });
  if (!batch->empty()) {
    todo_.emplace_back([this, batch] { commit(*batch); });
  }
}

// A run that this dispatcher has not started: its control record tells.
void Dispatcher::adopt(const Run& run) {
  Known known{.run = run};
  const Process* process = world_.process_of(run.id);
  if (run.boot != world_.host.boot) {
    known.exit = ExitFacts{.kind = ExitKind::host_restarted};
  } else if (process == nullptr) {
    world_.revoked.insert(run.id);
    known.exit = ExitFacts{.kind = ExitKind::never_started};
  }
  world_.tell(fmt::format("dispatcher {} adopts run {}", number_, run.id));
  known_.emplace(run.id, std::move(known));
}

// What its pidfd and its record say by now; leftovers of a lost shim are killed first, then it
// counts as gone.
void Dispatcher::watch(Known& known) {
  Process* process = world_.process_of(known.run.id);
  if (known.exit || process == nullptr || process->stage != Process::Stage::gone) {
    return;
  }
  if (process->exit) {
    known.exit = process->exit;
  } else if (!process->started) {
    known.exit = ExitFacts{.kind = ExitKind::never_started};
  } else if (!known.lost) {
    known.lost = true;
  } else if (process->leftovers) {
    process->leftovers = false;
    world_.tell(fmt::format("dispatcher {} kills what run {} has left", number_, known.run.id));
  } else {
    known.exit = ExitFacts{.kind = ExitKind::shim_lost};
  }
}

Dispatcher::Batch Dispatcher::sort(const rules::Plan& plan) const {
  struct Sorter {
    Batch batch;
    void operator()(const rules::RebaseClock&) { batch.decisions.rebase_clock = true; }
    void operator()(const rules::FinishRun& a) { batch.decisions.finish.push_back(a); }
    void operator()(const rules::WakeTask& a) { batch.decisions.wake.push_back(a.task_id); }
    void operator()(const rules::ExpireClaim& a) { batch.decisions.expire.push_back(a.run_id); }
    void operator()(const rules::StopStale& a) { batch.decisions.stale.push_back(a.run_id); }
    void operator()(const rules::SignalStop& a) { batch.signal.push_back(a.run_id); }
    void operator()(const rules::StartTask& a) {
      batch.starts.push_back({.task_id = a.task_id, .profile = a.profile});
    }
  };
  Sorter sorter;
  for (const rules::Action& action : plan.actions) {
    std::visit(sorter, action);
  }
  return std::move(sorter.batch);
}

int Dispatcher::decide(board::Change& change, Batch& batch) const {
  int effects = board::carry_out(change, batch.decisions);
  for (Start& start : batch.starts) {
    board::ClaimRequest request;
    request.holder_kind = HolderKind::dispatcher;
    request.profile = start.profile;
    request.host = world_.host;
    request.holder = actor_.name;
    request.ttl = change.limits.claim_ttl;
    if (auto run = board::claim(change, start.task_id, request)) {
      start.run = std::move(*run);
      ++effects;
    }
  }
  return effects;
}

void Dispatcher::commit(Batch& batch) {
  const bool only_signals = batch.decisions.empty() && batch.starts.empty();
  if (!only_signals) {
    const auto written = world_.write(actor_, [&](board::Change& change) -> Result<int> {
      TRY(board::check_epoch(change.tx, epoch_));
      return decide(change, batch);
    });
    if (fenced(written)) {
      return;
    }
    world_.tell(fmt::format(
        "dispatcher {} commits: {} ended, {} woken, {} claims over, {} stale, {} starts", number_,
        batch.decisions.finish.size(), batch.decisions.wake.size(), batch.decisions.expire.size(),
        batch.decisions.stale.size(), batch.starts.size()));
  }
  for (const rules::FinishRun& finished : batch.decisions.finish) {
    known_.erase(finished.run_id);
  }
  for (const std::int64_t run_id : batch.signal) {
    todo_.emplace_back([this, run_id] {
      if (const auto known = known_.find(run_id); known != known_.end()) {
        known->second.signalled = true;
        if (Process* process = world_.process_of(run_id)) {
          process->stop_requested = true;
        }
        world_.tell(fmt::format("dispatcher {} tells run {} to stop", number_, run_id));
      }
    });
  }
  const auto starts = std::make_shared<Batch>(std::move(batch));
  std::erase_if(starts->starts, [](const Start& start) { return !start.run; });
  if (starts->starts.empty()) {
    return;
  }
  for (Start& start : starts->starts) {
    todo_.emplace_back([this, starts, &start] { spawn(start); });
  }
  todo_.emplace_back([this, starts] { identify(*starts); });
}

void Dispatcher::spawn(Start& start) {
  const Run& run = *start.run;
  known_.insert_or_assign(run.id, Known{.run = run});
  Process process;
  process.run_id = run.id;
  process.identity = {world_.slug, run.task_id, run.id, run.token};
  process.verdict = k_profiles.at(start.profile);
  process.boot = world_.host.boot;
  process.spawned_by = number_;
  if (world_.revoked.contains(run.id)) {
    process.stage = Process::Stage::gone;
  }
  world_.processes.insert_or_assign(run.id, std::move(process));
  world_.tell(
      fmt::format("dispatcher {} spawns the shim of run {} of {}", number_, run.id, run.task_id));
}

void Dispatcher::identify(Batch& batch) {
  const auto written = world_.write(actor_, [&](board::Change& change) -> Result<int> {
    TRY(board::check_epoch(change.tx, epoch_));
    for (Start& start : batch.starts) {
      start.identified = board::record_shim(change, *start.run, 1000 + start.run->id, 1);
      const auto run = board::find_run(change.tx, start.run->id);
      if (start.identified && (!run || run->ended_at || run->stop_kind)) {
        world_.violated(fmt::format(
            "the worker of run {} may start, and the run has ended or is to stop", start.run->id));
      }
    }
    return 0;
  });
  if (!written) {
    for (const Start& start : batch.starts) {
      world_.process_of(start.run->id)->stage = Process::Stage::gone;
    }
  }
  if (fenced(written)) {
    return;
  }
  for (const Start& start : batch.starts) {
    todo_.emplace_back([this, start] { open_gate(start); });
  }
}

void Dispatcher::open_gate(const Start& start) {
  Process* process = world_.process_of(start.run->id);
  if (process->stage != Process::Stage::gate_shut) {
    return;
  }
  if (!start.identified) {
    process->stage = Process::Stage::gone;
    return;
  }
  process->stage = Process::Stage::working;
  process->started = true;
  world_.tell(fmt::format("run {} of {} works", start.run->id, start.run->task_id));
}

}  // namespace hermes::sim
