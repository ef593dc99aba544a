#include "daemon/dry_run.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/logger.hpp"
#include "daemon/report.hpp"
#include "daemon/roster.hpp"
#include "daemon/workers/observe.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/snapshot.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/dispatcher_lock.hpp"
#include "kernel/home/log_text.hpp"
#include "kernel/home/registry.hpp"
#include "kernel/rules/fate.hpp"
#include "kernel/rules/links.hpp"

namespace hermes::daemon {

namespace {

using nlohmann::json;

struct OpenBoard {
  home::BoardPaths paths;
  db::Database database;
};

// What is known of the end of a run whose process may be gone, without touching its record.
std::optional<ExitFacts> look_at_exit(const home::Home& home, const home::BoardPaths& board,
                                      const Run& run, const HostIdentity& host,
                                      bool dispatcher_alive) {
  if (run.boot != host.boot) {
    return ExitFacts{.kind = ExitKind::host_restarted};
  }
  if (const auto exit = workers::recorded_exit(home.record(board.slug, run.id))) {
    ExitFacts facts = facts_of(*exit);
    facts.last_output = home::last_log_line(board, run.task_id, run.attempt);
    return facts;
  }
  if (!run.shim_pid) {  // claimed and not started yet, which only a living dispatcher goes on with
    return dispatcher_alive ? std::nullopt
                            : std::optional(ExitFacts{.kind = ExitKind::never_started});
  }
  const bool alive = is_alive(static_cast<pid_t>(*run.shim_pid),
                              static_cast<std::uint64_t>(run.shim_start.value_or(0)));
  return alive ? std::nullopt : std::optional(ExitFacts{.kind = ExitKind::shim_lost});
}

// Tells the actions of a plan for one board.
class Teller {
 public:
  Teller(json& report, const home::BoardPaths& paths, db::Reader& tx, const rules::BoardView& view,
         const Limits& limits)
      : report_(report), paths_(paths), tx_(tx), view_(view), limits_(limits) {}

  void operator()(const rules::RebaseClock&) {}
  void operator()(const rules::WakeTask& a) { report_["woken"].push_back(a.task_id); }
  void operator()(const rules::ExpireClaim& a) { report_["stale"].push_back(task_of(a.run_id)); }
  void operator()(const rules::StopStale& a) { report_["stale"].push_back(task_of(a.run_id)); }
  void operator()(const rules::SignalStop& a) { report_["stopping"].push_back(task_of(a.run_id)); }

  void operator()(const rules::FinishRun& a) {
    const auto run = board::find_run(tx_, a.run_id);
    const auto task = run ? board::find_task(tx_, run->task_id) : std::nullopt;
    if (!task || run->ended_at) {  // its verdict stands already
      return;
    }
    const rules::Fate fate = rules::fate_of(a.exit, verdict_of(a.run_id), run->stop_kind);
    if (fate.outcome == Outcome::reclaimed) {
      report_["reclaimed"] = report_["reclaimed"].get<int>() + 1;
    } else {
      report_[std::string(to_word(fate.outcome))].push_back(task->id);
    }
    if (fate.completes) {
      becomes_[task->id] = Status::done;
    } else if (fate.outcome != Outcome::reclaimed &&
               rules::after_run(*task, fate, 0, limits_).gave_up) {
      report_["auto_blocked"].push_back(task->id);
      becomes_[task->id] = Status::blocked;
    }
  }

  void operator()(const rules::StartTask& a) {
    const auto task = board::find_task(tx_, a.task_id);
    if (!task) {
      return;
    }
    const std::string workspace = task->workspace_kind == WorkspaceKind::scratch
                                      ? paths_.workspace(task->id).string()
                                      : task->workspace_path.value_or("");
    report_["spawned"].push_back({{"task_id", task->id},
                                  {"assignee", a.profile},
                                  {"workspace", workspace.empty() ? json() : json(workspace)}});
    if (task->assignee.empty() && task->lane == Lane::work) {
      report_["auto_assigned_default"].push_back(task->id);
    }
  }

  // The children whose last open links the finished runs satisfy.
  void tell_promoted() {
    std::set<std::string> promoted;
    for (const auto& [parent, status] : becomes_) {
      for (const std::string& child : board::children_of(tx_, parent)) {
        if (board::find_task(tx_, child)->status == Status::todo && is_freed(child)) {
          promoted.insert(child);
        }
      }
    }
    report_["promoted"] = report_["promoted"].get<std::size_t>() + promoted.size();
  }

 private:
  std::string task_of(std::int64_t run_id) const {
    const auto run = board::find_run(tx_, run_id);
    return run ? run->task_id : "";
  }
  VerdictMode verdict_of(std::int64_t run_id) const {
    const auto run = std::ranges::find(view_.runs, run_id, &rules::RunView::id);
    return run == view_.runs.end() ? VerdictMode::by_call : run->verdict;
  }
  bool is_freed(const std::string& child) {
    return std::ranges::all_of(
        board::open_parents(tx_, child), [&](const rules::OpenParent& parent) {
          const auto found = becomes_.find(parent.id);
          Task then;
          then.block_source = BlockSource::breaker;
          then.status = found == becomes_.end() ? Status::todo : found->second;
          return rules::satisfies(parent.condition, then);
        });
  }

  json& report_;
  const home::BoardPaths& paths_;
  db::Reader& tx_;
  const rules::BoardView& view_;
  const Limits& limits_;
  std::map<std::string, Status> becomes_;  // tasks whose run is finished
};

}  // namespace

namespace {

json dry_run(const home::Home& home, const Settings& settings, const HostIdentity& host,
             Instant now) {
  const Limits& limits = settings.config().limits;
  const bool dispatcher_alive = home::dispatcher_state(home).alive;
  rules::Snapshot snapshot;
  for (const auto& [name, profile] : settings.profiles()) {
    snapshot.profiles.emplace(name, rules::ProfileView{profile.max_in_progress});
  }
  std::vector<OpenBoard> boards;
  for (const std::string& slug : home::list_boards(home)) {
    const home::BoardPaths paths = home.board(slug);
    auto database = db::Database::open(home::files_of(paths), db::Database::Access::read, now);
    if (!database) {
      log_error("board " + slug + " is left out: " + one_line(database.error()));
      continue;
    }
    const auto view = database->read([&](db::Reader& tx) -> Result<rules::BoardView> {
      auto seen =
          board::snapshot(tx, slug, now, limits, settings.verdicts(), host, limits.max_in_progress);
      for (rules::RunView& run : seen.runs) {
        if (run.local && run.holder_kind != HolderKind::external) {
          run.exit =
              look_at_exit(home, paths, *board::find_run(tx, run.id), host, dispatcher_alive);
        }
      }
      return seen;
    });
    if (!view) {
      log_error("board " + slug + " is left out: " + one_line(view.error()));
      continue;
    }
    snapshot.boards.push_back(*view);
    boards.push_back({paths, std::move(*database)});
  }
  const rules::Plan plan = rules::plan(snapshot, now, limits);
  json report = empty_report(true);
  for (std::size_t i = 0; i < boards.size(); ++i) {
    (void)boards[i].database.read([&](db::Reader& tx) -> Result<void> {
      Teller teller(report, boards[i].paths, tx, snapshot.boards[i], limits);
      for (const rules::Action& action : plan.actions) {
        if (std::visit([](const auto& a) { return a.board; }, action) == i) {
          std::visit(teller, action);
        }
      }
      teller.tell_promoted();
      add_skipped(report, tx, home, limits);
      return {};
    });
  }
  return report;
}

}  // namespace

std::string dry_run_text(const home::Home& home, const Settings& settings, Instant now,
                         bool as_json) {
  return report_text(dry_run(home, settings, this_host(), now), as_json);
}

}  // namespace hermes::daemon
