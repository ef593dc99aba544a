// The second half of Dispatcher: what a pass commits and then does.
#include <fmt/core.h>

#include "daemon/dispatcher.hpp"
#include "daemon/logger.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/context.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/snapshot.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/trees.hpp"
#include "kernel/home/workspace.hpp"

namespace hermes::daemon {

namespace {

constexpr Millis k_scope_hold{10'000};  // when the user's systemd does not make one
constexpr Millis k_look_again{60'000};  // for a working tree that another board's task works in

// Why a shim could not be spawned: our own resources (nobody's fault, tried again) or the task's
// command (counted).
ExitFacts failed_start(const Error& error) {
  const bool ours = error.code == ErrorCode::unavailable || error.code == ErrorCode::internal ||
                    error.code == ErrorCode::conflict;
  return {.kind = ours ? ExitKind::setup_failed : ExitKind::exec_failed, .detail = one_line(error)};
}

}  // namespace

// True when something was changed, so that the board has to be looked at again at once.
bool Dispatcher::carry_out(Batch& batch, Instant now) {
  prepare_starts(batch);
  if (!commit_decisions(batch, now)) {
    return false;
  }
  for (const rules::FinishRun& finished : batch.decisions.finish) {
    roster_.drop(batch.desk->slug(), finished.run_id);
  }
  for (const Roster::Sighting& seen : batch.sightings) {
    roster_.sighted(batch.desk->slug(), seen.run_id);
  }
  for (const std::int64_t run_id : batch.signal) {
    batch.effects += roster_.signal_stop(batch.desk->slug(), run_id) ? 1 : 0;
    trees_.cancel(batch.desk->slug(), run_id);
  }
  begin_trees(batch, now);
  take_trees(batch);
  spawn_shims(batch, now);
  bound_trees(batch);
  open_gates(batch, now);
  return batch.effects > 0;
}

// Before the claim: a task whose workspace cannot be made is claimed and closed as spawn_failed in
// one transaction, never left running.
void Dispatcher::prepare_starts(Batch& batch) {
  if (batch.starts.empty()) {
    return;
  }
  const bool read = batch.desk->read([&](db::Reader& tx) {
    for (Start& start : batch.starts) {
      start.task = board::find_task(tx, start.task_id);
    }
  });
  if (!read) {
    batch.starts.clear();
    return;
  }
  const bool no_trees = std::chrono::steady_clock::now() < trees_held_until_;
  std::erase_if(batch.starts, [&](const Start& start) {
    const auto profile = settings_.profiles().find(start.profile);
    return !start.task || profile == settings_.profiles().end() ||
           (no_trees && profile->second.tree.any());
  });
  for (Start& start : batch.starts) {
    if (start.task->workspace_kind == WorkspaceKind::worktree) {
      continue;  // git comes after the claim
    }
    auto workspace = home::prepare_workspace(batch.desk->paths(), *start.task);
    if (workspace) {
      start.workspace = std::move(*workspace);
    } else {
      start.failure = std::move(workspace).error();
    }
  }
}

// A command that could not be executed is named.
ExitFacts Dispatcher::with_command(board::Change& change, const rules::FinishRun& finished) const {
  ExitFacts exit = finished.exit;
  if (exit.kind == ExitKind::exec_failed) {
    const auto run = board::find_run(change.tx, finished.run_id);
    const auto profile = settings_.profiles().find(run ? run->profile : "");
    if (profile != settings_.profiles().end()) {
      exit.detail += fmt::format(" (command '{}' of profile '{}')", profile->second.command.front(),
                                 profile->first);
    }
  }
  return exit;
}

bool Dispatcher::commit_decisions(Batch& batch, Instant now) {
  const auto decide = [&](board::Change& change) {
    for (rules::FinishRun& finished : batch.decisions.finish) {
      finished.exit = with_command(change, finished);
    }
    batch.effects = board::carry_out(change, batch.decisions);
    for (const Roster::Sighting& seen : batch.sightings) {
      board::record_worker(change, seen.run_id, seen.pid, seen.start);
    }
    for (Start& start : batch.starts) {
      batch.effects += claim_start(change, start) ? 1 : 0;
    }
  };
  const bool only_signals =
      batch.decisions.empty() && batch.sightings.empty() && batch.starts.empty();
  return only_signals || batch.desk->write(now, settings_.config().limits, decide);
}

// A claim that is refused (a person was faster, a link was added) is dropped; the rest of the batch
// stands.
bool Dispatcher::claim_start(board::Change& change, Start& start) {
  board::ClaimRequest request;
  request.holder_kind = HolderKind::dispatcher;
  request.profile = start.profile;
  request.host = host_;
  request.holder = holder_;
  request.ttl = change.limits.claim_ttl;
  if (!start.workspace.empty()) {
    request.workspace_path = start.workspace;
  }
  auto run = board::claim(change, start.task_id, request);
  if (!run) {
    log_debug("not started: " + one_line(run.error()));
    return false;
  }
  if (start.failure) {
    board::finish_run(change, run->id,
                      {.kind = ExitKind::workspace_failed, .detail = one_line(*start.failure)},
                      VerdictMode::by_exit_code);
    return true;
  }
  start.run = std::move(*run);
  if (Starter::wants_context(settings_.profiles().at(start.profile))) {
    if (auto text = board::context_text(change.tx, start.task_id, change.now, change.limits,
                                        home_.board(change.board).attachments().string(),
                                        board::Contract::included)) {
      start.context = std::move(*text);
    }
  }
  return true;
}

// Takes out those that have to wait for git.
void Dispatcher::begin_trees(Batch& batch, Instant now) {
  const std::string& board = batch.desk->slug();
  std::vector<Start> at_once;
  for (Start& start : batch.starts) {
    if (!start.run || start.task->workspace_kind != WorkspaceKind::worktree) {
      at_once.push_back(std::move(start));
      continue;
    }
    const std::int64_t run_id = start.run->id;
    roster_.expect(board, *start.run);
    if (const auto begun = trees_.start(board, run_id, *start.task); !begun) {
      hold_starts(now, one_line(begun.error()));
      roster_.ended(board, run_id,
                    {.kind = ExitKind::setup_failed, .detail = one_line(begun.error())});
      continue;
    }
    waiting_for_tree_.insert_or_assign({board, run_id}, std::move(start));
  }
  batch.starts = std::move(at_once);
}

// Puts those whose tree is there back among the starts.
void Dispatcher::take_trees(Batch& batch) {
  const std::string& board = batch.desk->slug();
  for (TreeMakers::Done& done : trees_.take(board)) {
    auto waiting = waiting_for_tree_.extract({board, done.run_id});
    if (waiting.empty()) {
      continue;
    }
    Start start = std::move(waiting.mapped());
    if (!settings_.profiles().contains(start.profile)) {
      roster_.ended(board, done.run_id, {.kind = ExitKind::never_started});
      continue;
    }
    if (!done.tree) {  // `conflict`: it was told to stop, and is to blame for nothing
      roster_.ended(
          board, done.run_id,
          {.kind = done.tree.error().code == ErrorCode::conflict ? ExitKind::never_started
                                                                 : ExitKind::workspace_failed,
           .detail = one_line(done.tree.error())});
      continue;
    }
    if (const auto wait = in_use(batch, start, done.tree->path)) {
      roster_.ended(board, done.run_id, *wait);
      continue;
    }
    start.run->workspace_path = done.tree->path;
    start.run->branch = done.tree->branch;
    batch.starts.push_back(std::move(start));
  }
}

// Two tasks may name one tree, but not work in it at one time: by what runs on any board here, and
// by who has claimed on this one. Whoever comes second is to blame for nothing: its run ends with
// the tree that it has found, by which its board holds it from then on. Of another board it cannot
// know, so there it is held for a time.
std::optional<ExitFacts> Dispatcher::in_use(Batch& batch, const Start& start,
                                            const std::string& tree) {
  const std::string& board = batch.desk->slug();
  std::optional<Roster::User> user = roster_.user_of(tree);
  for (const Start& other : batch.starts) {
    if (other.run && other.run->workspace_path == tree) {
      user = {board, other.task_id};
    }
  }
  if (!user) {
    (void)batch.desk->read([&](db::Reader& tx) {
      if (auto claimed = board::tree_user(tx, tree, start.task_id)) {
        user = {board, *std::move(claimed)};
      }
    });
  }
  if (!user) {
    return std::nullopt;
  }
  const bool elsewhere = user->board != board;
  return ExitFacts{.kind = ExitKind::never_started,
                   .detail = board::tree_in_use(tree, user->task_id).message +
                             (elsewhere ? " (board " + user->board + ")" : ""),
                   .hold = elsewhere ? k_look_again : Millis{0},
                   .workspace = tree};
}

void Dispatcher::forget_trees(const std::string& board) {
  trees_.forget_board(board);
  std::erase_if(waiting_for_tree_, [&](const auto& item) { return item.first.first == board; });
}

void Dispatcher::spawn_shims(Batch& batch, Instant now) {
  for (Start& start : batch.starts) {
    if (!start.run) {
      continue;
    }
    roster_.expect(batch.desk->slug(), *start.run);
    auto shim =
        starter_.start(batch.desk->paths(), *start.task, *start.run,
                       settings_.profiles().at(start.profile), settings_.config(), start.context);
    if (shim) {
      start.shim.emplace(std::move(*shim));
      ++started_this_second_;
      continue;
    }
    const ExitFacts exit = failed_start(shim.error());
    if (exit.kind == ExitKind::setup_failed) {
      hold_starts(now, one_line(shim.error()));
    }
    roster_.ended(batch.desk->slug(), start.run->id, exit);
  }
}

// Before the gates open: a worker's first child is in its scope like the last one.
void Dispatcher::bound_trees(Batch& batch) {
  const std::string& board = batch.desk->slug();
  std::vector<Start*> starts;
  std::vector<WantedScope> wanted;
  for (Start& start : batch.starts) {
    const home::Profile& profile = settings_.profiles().at(start.profile);
    if (start.shim && profile.tree.any()) {
      const pid_t pid = start.shim->pid();
      starts.push_back(&start);
      wanted.push_back({.pid = pid,
                        .name = fmt::format("hermes-{}-{}-run{}-pid{}", board, start.task_id,
                                            start.run->id, pid),
                        .description = fmt::format("Hermes: {} of task {} on board {}",
                                                   start.profile, start.task_id, board),
                        .limits = profile.tree});
    }
  }
  const auto placed = place_in_scopes(starter_.user_manager_socket(), wanted);
  for (std::size_t i = 0; i < placed.size(); ++i) {
    Start& start = *starts[i];
    if (placed[i]) {
      tell_unbounded(start.profile, *placed[i]);
      continue;
    }
    log_warning(fmt::format("board {}: {} is held for 10 s: {}", board, start.task_id,
                            one_line(placed[i].error())));
    if (placed[i].error().code == ErrorCode::busy) {
      trees_held_until_ = std::chrono::steady_clock::now() + k_scope_hold;
    }
    start.shim.reset();
    roster_.ended(board, start.run->id,
                  {.kind = ExitKind::never_started,
                   .detail = one_line(placed[i].error()),
                   .hold = k_scope_hold});
  }
}

// When it changes: a worker without its bound is better than none, and no secret.
void Dispatcher::tell_unbounded(const std::string& profile, const Bounded& bounded) {
  std::string missing;
  if (!bounded.has_manager) {
    missing = fmt::format("no systemd of this user listens at {}",
                          starter_.user_manager_socket().string());
  } else if (!bounded.memory || !bounded.cpu) {
    missing = fmt::format("the user's systemd may not set it (Delegate= of user@.service): {}",
                          bounded.cpu      ? "tree_memory"
                          : bounded.memory ? "tree_cpu"
                                           : "tree_memory, tree_cpu");
  }
  std::string& told = told_unbounded_[profile];
  if (told == missing) {
    return;
  }
  told = missing;
  if (missing.empty()) {
    log_info(fmt::format("profile {}: the bounds of its workers' trees hold", profile));
  } else {
    log_warning(
        fmt::format("profile {}: its workers' trees are not bounded: {}", profile, missing));
  }
}

// The identities are committed first; a shim whose run is no longer ours, or whose commit failed,
// is dropped at its shut gate.
void Dispatcher::open_gates(Batch& batch, Instant now) {
  std::vector<Start*> held;
  for (Start& start : batch.starts) {
    if (start.shim) {
      held.push_back(&start);
    }
  }
  if (held.empty()) {
    return;
  }
  std::vector<bool> ours(held.size(), false);
  const bool committed =
      batch.desk->write(now, settings_.config().limits, [&](board::Change& change) {
        for (std::size_t i = 0; i < held.size(); ++i) {
          ours[i] = board::record_shim(change, *held[i]->run, held[i]->shim->pid(),
                                       static_cast<std::int64_t>(held[i]->shim->start()));
        }
      });
  const std::string& board = batch.desk->slug();
  for (std::size_t i = 0; i < held.size(); ++i) {
    Start& start = *held[i];
    if (!committed || !ours[i]) {
      start.shim.reset();
      roster_.ended(board, start.run->id, {.kind = ExitKind::never_started});
      continue;
    }
    (void)workers::open_gate(
        *start.shim);  // an error means that the shim has ended: its pidfd tells
    roster_.started(board, start.run->id, start.shim->take_pidfd());
    log_debug(fmt::format("started {} (run {}) on {} for {}", start.task_id, start.run->id, board,
                          start.profile));
  }
}

}  // namespace hermes::daemon
