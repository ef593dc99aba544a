#include "daemon/roster.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "daemon/logger.hpp"
#include "daemon/workers/lost.hpp"
#include "daemon/workers/observe.hpp"
#include "daemon/workers/process.hpp"
#include "kernel/home/log_text.hpp"

namespace hermes::daemon {

namespace {

using std::chrono::steady_clock;

constexpr Millis k_sight_after{50};
constexpr Millis k_sight_seldom{1000};
constexpr Millis k_scan_every{20};
constexpr Millis k_scan_patience{
    5000};  // then the run stays "ending" and is looked at now and then
constexpr Millis k_scan_seldom{5000};
constexpr Millis k_read_again{1000};

constexpr int k_shim_lock_busy = 101;
constexpr int k_shim_setup_failed = 102;

// The shim of a run by the identity that the board holds, when it lives.
std::optional<Fd> living_shim(const Run& run) {
  if (!run.shim_pid || !run.shim_start) {
    return std::nullopt;
  }
  auto pidfd = workers::open_process(static_cast<pid_t>(*run.shim_pid),
                                     static_cast<std::uint64_t>(*run.shim_start));
  return pidfd ? std::optional(std::move(*pidfd)) : std::nullopt;
}

}  // namespace

ExitFacts facts_of(const workers::Exit& exit) {
  ExitFacts facts;
  facts.code = exit.code;
  facts.max_rss_kb = exit.max_rss_kb;
  facts.cpu_ms = exit.cpu_ms;
  switch (exit.kind) {
    case workers::ExitKind::exited:
      facts.kind = ExitKind::exited;
      break;
    case workers::ExitKind::signaled:
      facts.kind = ExitKind::signaled;
      break;
    case workers::ExitKind::timed_out:
      facts.kind = ExitKind::timed_out;
      break;
    case workers::ExitKind::exec_failed:
      facts.kind = ExitKind::exec_failed;
      facts.detail = fmt::format("the worker could not be started ({}): {}", exit.stage,
                                 std::strerror(exit.code));
      break;
    case workers::ExitKind::setup_failed:
      facts.kind = ExitKind::setup_failed;
      facts.detail =
          fmt::format("the run could not be set up ({}): {}", exit.stage, std::strerror(exit.code));
      break;
  }
  return facts;
}

Roster::Roster(home::Home home, std::string boot, Loop& loop)
    : home_(std::move(home)), boot_(std::move(boot)), loop_(loop) {}

void Roster::expect(const std::string& board, const Run& run) {
  Entry entry;
  entry.run = run;
  entries_.insert_or_assign({board, run.id}, std::move(entry));
}

void Roster::started(const std::string& board, std::int64_t run_id, Fd pidfd) {
  const Key key{board, run_id};
  Entry& entry = entries_[key];
  entry.pidfd = std::move(pidfd);
  entry.own_child = true;
  entry.look_for_worker();
  watch(key, entry);
}

void Roster::ended(const std::string& board, std::int64_t run_id, ExitFacts exit) {
  const Key key{board, run_id};
  settle_exit(key, entries_[key], std::move(exit));
}

void Roster::watch(const Key& key, Entry& entry) {
  entry.watch = loop_.on_readable(entry.pidfd.get(), [this, key] { process_ended(key); });
}

void Roster::settle_exit(const Key& key, Entry& entry, ExitFacts exit) {
  exit.last_output =
      home::last_log_line(home_.board(key.first), entry.run.task_id, entry.run.attempt);
  entry.exit = std::move(exit);
  entry.lost_since.reset();
  entry.unreadable_since.reset();
  loop_.wake();
}

// The pidfd of the shim fired.
void Roster::process_ended(const Key& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;
  }
  Entry& entry = found->second;
  const auto shim_status = entry.own_child ? workers::reap(entry.pidfd) : std::nullopt;
  entry.watch.reset();
  entry.pidfd.reset();
  entry.sight_at.reset();
  setup_failed_ =
      setup_failed_ || shim_status == k_shim_lock_busy || shim_status == k_shim_setup_failed;
  conclude(key, entry);
  loop_.wake();
}

// No process: the record says how the worker ended, because the shim writes it only when nothing of
// the run is left.
void Roster::conclude(const Key& key, Entry& entry) {
  const auto seen = workers::observe_end(home_.record(key.first, key.second));
  if (!seen) {
    unreadable(key, entry, seen.error());
    return;
  }
  entry.unreadable_since.reset();
  if (const auto* ended = std::get_if<workers::Ended>(&*seen)) {
    settle_exit(key, entry, facts_of(ended->exit));
  } else if (const auto* alive = std::get_if<workers::Alive>(&*seen)) {
    // It has not ended after all: nothing is killed on the word of one event.
    if (auto pidfd = workers::open_process(alive->pid, alive->start)) {
      follow(key, entry, std::move(*pidfd));
    } else {
      unreadable(key, entry, pidfd.error());
    }
  } else if (std::holds_alternative<workers::NeverStarted>(*seen)) {
    never_started(key, entry);
  } else {
    shim_lost(entry);
  }
}

// Not knowing is not "never started", and not an end either: it is tried again until the record can
// be read.
void Roster::unreadable(const Key& key, Entry& entry, const Error& error) {
  const MonotonicTime now = steady_clock::now();
  if (!entry.unreadable_since) {
    log_error(fmt::format("cannot read the record of run {} on {}, tried again: {}", key.second,
                          key.first, one_line(error)));
    entry.unreadable_since = now;
  }
  entry.look_again = now + k_read_again;
}

// A record that is missing although the board knows that the shim was let go: somebody removed it.
// Its process, or what is left of it, is looked for before the task may start again.
void Roster::never_started(const Key& key, Entry& entry) {
  const bool vanished = (entry.own_child || entry.run.spawned_at) &&
                        !home::fs::exists(home_.record(key.first, key.second));
  if (vanished) {
    shim_lost(entry);
  } else {
    settle_exit(key, entry, {.kind = ExitKind::never_started});
  }
}

void Roster::shim_lost(Entry& entry) {
  entry.lost_since = steady_clock::now();
  entry.leftovers = std::make_unique<workers::Leftovers>(entry.run.token);
  entry.look_again = *entry.lost_since;
  log_warning(fmt::format(
      "the supervisor of run {} of {} is gone without a record of its end: stopping what it left",
      entry.run.id, entry.run.task_id));
}

void Roster::adopt(const std::string& board, const Run& run) {
  expect(board, run);
  const Key key{board, run.id};
  look(key, entries_[key]);
}

void Roster::look(const Key& key, Entry& entry) {
  const Run& run = entry.run;
  if (run.boot != boot_) {
    settle_exit(key, entry, {.kind = ExitKind::host_restarted});
    return;
  }
  const auto seen = workers::adopt(home_.record(key.first, key.second), boot_);
  if (!seen) {
    unreadable(key, entry, seen.error());
    return;
  }
  entry.unreadable_since.reset();
  if (const auto* alive = std::get_if<workers::Alive>(&*seen)) {
    auto pidfd = workers::open_process(alive->pid, alive->start);
    if (!pidfd) {  // it ended between the two looks
      conclude(key, entry);
      return;
    }
    follow(key, entry, std::move(*pidfd));
  } else if (const auto* ended = std::get_if<workers::Ended>(&*seen)) {
    settle_exit(key, entry, facts_of(ended->exit));
  } else if (std::holds_alternative<workers::ShimLost>(*seen)) {
    shim_lost(entry);
  } else if (std::holds_alternative<workers::OtherBoot>(*seen)) {
    settle_exit(key, entry, {.kind = ExitKind::host_restarted});
  } else if (auto shim =
                 living_shim(run)) {  // its record was removed under it: it is watched to its end
    follow(key, entry, std::move(*shim));
  } else {
    never_started(key, entry);
  }
}

void Roster::follow(const Key& key, Entry& entry, Fd pidfd) {
  entry.pidfd = std::move(pidfd);
  entry.signalled = false;  // a stop that was asked for meanwhile reached nobody
  if (!entry.run.worker_pid) {
    entry.look_for_worker();
  }
  watch(key, entry);
}

std::optional<Roster::User> Roster::user_of(const std::string& workspace) const {
  const auto found = std::ranges::find_if(
      entries_, [&](const auto& item) { return item.second.run.workspace_path == workspace; });
  return found == entries_.end()
             ? std::nullopt
             : std::optional(User{found->first.first, found->second.run.task_id});
}

void Roster::complete(rules::BoardView& view) const {
  for (rules::RunView& run : view.runs) {
    if (const auto found = entries_.find({view.slug, run.id}); found != entries_.end()) {
      run.exit = found->second.exit;
      run.signalled = found->second.signalled;
    }
  }
}

bool Roster::signal_stop(const std::string& board, std::int64_t run_id) {
  const auto found = entries_.find({board, run_id});
  if (found == entries_.end() || found->second.signalled) {
    return false;
  }
  found->second.signalled = true;
  if (found->second.pidfd) {
    if (const auto told = workers::request_stop(found->second.pidfd); !told) {
      log_debug(
          fmt::format("run {} on {} was told to stop: {}", run_id, board, one_line(told.error())));
    }
  }
  return true;
}

void Roster::drop(const std::string& board, std::int64_t run_id) {
  entries_.erase({board, run_id});
  ::unlink(home_.record(board, run_id).c_str());
  ::unlink(home_.context_file(board, run_id).c_str());
}

void Roster::forget_board(const std::string& board) {
  for (auto& [key, entry] : entries_) {
    if (key.first != board || !entry.own_child || !entry.pidfd) {
      continue;
    }
    entry.watch.reset();
    Orphan& orphan = orphans_.emplace_back();
    orphan.pidfd = std::move(entry.pidfd);
    orphan.watch = loop_.on_readable(orphan.pidfd.get(), [this, &orphan] {
      (void)workers::reap(orphan.pidfd);
      orphans_.remove_if([&](const Orphan& other) { return &other == &orphan; });
    });
  }
  std::erase_if(entries_, [&](const auto& item) { return item.first.first == board; });
}

void Roster::forget_unstarted(const std::string& board) {
  std::erase_if(entries_, [&](const auto& item) {
    const Entry& entry = item.second;
    return item.first.first == board && !entry.pidfd && !entry.exit && !entry.lost_since &&
           !entry.unreadable_since;
  });
}

std::optional<MonotonicTime> Roster::step(MonotonicTime now) {
  std::optional<MonotonicTime> next;
  for (auto& [key, entry] : entries_) {
    if (!entry.lost_since && !entry.unreadable_since) {
      continue;
    }
    if (entry.look_again <= now) {
      if (entry.unreadable_since) {
        look(key, entry);
      } else if (entry.leftovers->sweep() == 0) {
        settle_exit(key, entry, {.kind = ExitKind::shim_lost});
      } else {
        entry.look_again =
            now + (now - *entry.lost_since < k_scan_patience ? k_scan_every : k_scan_seldom);
      }
    }
    if (entry.lost_since || entry.unreadable_since) {
      next = next ? std::min(*next, entry.look_again) : entry.look_again;
    }
  }
  return next;
}

void Roster::Entry::look_for_worker() {
  sight_pace = k_sight_after;
  sight_at = steady_clock::now() + sight_pace;
}

std::vector<Roster::Sighting> Roster::sightings(const std::string& board, MonotonicTime now) {
  std::vector<Sighting> seen;
  for (auto& [key, entry] : entries_) {
    if (key.first != board || !entry.sight_at || *entry.sight_at > now) {
      continue;
    }
    // On a busy machine a supervisor may take long to start its worker.
    entry.sight_pace = std::min(entry.sight_pace * 2, k_sight_seldom);
    entry.sight_at = now + entry.sight_pace;
    const auto worker = workers::recorded_worker(home_.record(key.first, key.second));
    if (!worker && worker.error().code == ErrorCode::not_found) {
      entry.sight_at.reset();  // without a record nobody will ever know
    }
    if (worker && worker->pid > 0) {
      seen.push_back({key.second, worker->pid, static_cast<std::int64_t>(worker->start)});
    }
  }
  return seen;
}

void Roster::sighted(const std::string& board, std::int64_t run_id) {
  if (const auto found = entries_.find({board, run_id}); found != entries_.end()) {
    found->second.sight_at.reset();
  }
}

std::optional<MonotonicTime> Roster::next_sighting(const std::string& board) const {
  std::optional<MonotonicTime> next;
  for (const auto& [key, entry] : entries_) {
    if (key.first == board && entry.sight_at && (!next || *entry.sight_at < *next)) {
      next = entry.sight_at;
    }
  }
  return next;
}

bool Roster::awaits_own_worker(const std::string& board) const {
  return std::ranges::any_of(entries_, [&](const auto& item) {
    return item.first.first == board && item.second.own_child && item.second.sight_at;
  });
}

std::vector<std::string> Roster::profiles_at_work(const std::string& board) const {
  std::vector<std::string> profiles;
  for (const auto& [key, entry] : entries_) {
    if (key.first == board && !entry.exit) {
      profiles.push_back(entry.run.profile);
    }
  }
  return profiles;
}

std::size_t Roster::alive() const {
  return static_cast<std::size_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const auto& item) { return !item.second.exit; }));
}

}  // namespace hermes::daemon
