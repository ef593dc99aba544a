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
constexpr Millis k_scan_every{20};
constexpr Millis k_scan_patience{5000};     // then the run stays "ending" and is looked at now and then
constexpr Millis k_scan_seldom{5000};

constexpr int k_shim_lock_busy = 101;
constexpr int k_shim_setup_failed = 102;

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
      facts.detail = fmt::format("the worker could not be started ({}): {}", exit.stage, std::strerror(exit.code));
      break;
    case workers::ExitKind::setup_failed:
      facts.kind = ExitKind::setup_failed;
      facts.detail = fmt::format("the run could not be set up ({}): {}", exit.stage, std::strerror(exit.code));
      break;
  }
  return facts;
}

}  // namespace

Roster::Roster(home::Home home, std::string boot, Loop& loop)
    : home_(std::move(home)), boot_(std::move(boot)), loop_(loop) {}

void Roster::expect(const std::string& board, const Run& run) { entries_[{board, run.id}].run = run; }

void Roster::started(const std::string& board, std::int64_t run_id, Fd pidfd) {
  const Key key{board, run_id};
  Entry& entry = entries_[key];
  entry.pidfd = std::move(pidfd);
  entry.own_child = true;
  entry.sight_at = steady_clock::now() + k_sight_after;
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
  exit.last_output = home::last_log_line(home_.board(key.first), entry.run.task_id, entry.run.attempt);
  entry.exit = std::move(exit);
  entry.sight_at.reset();
  entry.lost_since.reset();
  loop_.wake();
}

// The pidfd of the shim fired: its record says how the worker ended, because the shim writes it only when nothing of the run is left.
void Roster::process_ended(const Key& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;
  }
  Entry& entry = found->second;
  const auto shim_status = entry.own_child ? workers::reap(entry.pidfd) : std::nullopt;
  entry.watch.reset();
  entry.pidfd.reset();
  const auto seen = workers::observe_end(home_.record(key.first, key.second));
  if (!seen) {
    log_error(fmt::format("cannot read the record of run {} on {}: {}", key.second, key.first, one_line(seen.error())));
    entry.next_scan = steady_clock::now() + k_scan_seldom;
    entry.lost_since = steady_clock::now();
  } else if (const auto* ended = std::get_if<workers::Ended>(&*seen)) {
    settle_exit(key, entry, facts_of(ended->exit));
  } else if (std::holds_alternative<workers::ShimLost>(*seen)) {
    shim_lost(entry);
  } else {
    if (shim_status == k_shim_lock_busy || shim_status == k_shim_setup_failed) {
      setup_failed_ = true;
    }
    settle_exit(key, entry, {.kind = ExitKind::never_started});
  }
  loop_.wake();
}

void Roster::shim_lost(Entry& entry) {
  entry.lost_since = steady_clock::now();
  entry.next_scan = *entry.lost_since;
  log_warning(fmt::format("the supervisor of run {} of {} was killed: stopping what it left", entry.run.id,
                          entry.run.task_id));
}

void Roster::adopt(const std::string& board, const Run& run) {
  const Key key{board, run.id};
  Entry& entry = entries_[key];
  entry.run = run;
  if (run.boot != boot_) {
    settle_exit(key, entry, {.kind = ExitKind::host_restarted});
    return;
  }
  const auto seen = workers::adopt(home_.record(board, run.id), boot_);
  if (!seen) {  // not knowing is not "never started": try again
    log_error(fmt::format("cannot look at run {} on {}: {}", run.id, board, one_line(seen.error())));
    entries_.erase(key);
    return;
  }
  if (const auto* alive = std::get_if<workers::Alive>(&*seen)) {
    auto pidfd = workers::open_process(alive->pid, alive->start);
    if (!pidfd) {  // it ended between the two looks: the next settle looks again
      entries_.erase(key);
      loop_.wake();
      return;
    }
    entry.pidfd = std::move(*pidfd);
    entry.sight_at = run.worker_pid ? std::nullopt : std::optional(steady_clock::now() + k_sight_after);
    watch(key, entry);
  } else if (const auto* ended = std::get_if<workers::Ended>(&*seen)) {
    settle_exit(key, entry, facts_of(ended->exit));
  } else if (std::holds_alternative<workers::ShimLost>(*seen)) {
    shim_lost(entry);
  } else if (std::holds_alternative<workers::OtherBoot>(*seen)) {
    settle_exit(key, entry, {.kind = ExitKind::host_restarted});
  } else {
    settle_exit(key, entry, {.kind = ExitKind::never_started});
  }
}

void Roster::complete(rules::BoardView& view) const {
  for (rules::RunView& run : view.runs) {
    if (const auto found = entries_.find({view.slug, run.id}); found != entries_.end()) {
      run.exit = found->second.exit;
      run.signalled = found->second.signalled;
    }
  }
}

void Roster::signal_stop(const std::string& board, std::int64_t run_id) {
  const auto found = entries_.find({board, run_id});
  if (found == entries_.end()) {
    return;
  }
  found->second.signalled = true;
  if (found->second.pidfd) {
    if (const auto told = workers::request_stop(found->second.pidfd); !told) {
      log_debug(fmt::format("run {} on {} was told to stop: {}", run_id, board, one_line(told.error())));
    }
  }
}

void Roster::drop(const std::string& board, std::int64_t run_id) {
  entries_.erase({board, run_id});
  ::unlink(home_.record(board, run_id).c_str());
  ::unlink(home_.context_file(board, run_id).c_str());
}

void Roster::forget_board(const std::string& board) {
  std::erase_if(entries_, [&](const auto& item) { return item.first.first == board && !item.second.own_child; });
}

std::optional<MonotonicTime> Roster::step(MonotonicTime now) {
  std::optional<MonotonicTime> next;
  for (auto& [key, entry] : entries_) {
    if (!entry.lost_since) {
      continue;
    }
    if (entry.next_scan <= now) {
      if (workers::kill_leftovers(entry.run.token) == 0) {
        settle_exit(key, entry, {.kind = ExitKind::shim_lost});
        continue;
      }
      entry.next_scan = now + (now - *entry.lost_since < k_scan_patience ? k_scan_every : k_scan_seldom);
    }
    next = next ? std::min(*next, entry.next_scan) : entry.next_scan;
  }
  return next;
}

std::vector<Roster::Sighting> Roster::sightings(const std::string& board, MonotonicTime now) {
  std::vector<Sighting> seen;
  for (auto& [key, entry] : entries_) {
    if (key.first != board || !entry.sight_at || *entry.sight_at > now) {
      continue;
    }
    entry.sight_at.reset();
    const auto look = workers::adopt(home_.record(key.first, key.second), boot_);
    if (!look) {
      continue;
    }
    if (const auto* alive = std::get_if<workers::Alive>(&*look); alive != nullptr && alive->worker_pid > 0) {
      seen.push_back({key.second, alive->worker_pid, static_cast<std::int64_t>(alive->worker_start)});
    }
  }
  return seen;
}

std::optional<MonotonicTime> Roster::next_sighting() const {
  std::optional<MonotonicTime> next;
  for (const auto& [key, entry] : entries_) {
    if (entry.sight_at && (!next || *entry.sight_at < *next)) {
      next = entry.sight_at;
    }
  }
  return next;
}

std::size_t Roster::alive() const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const auto& item) { return !item.second.exit; }));
}

}  // namespace hermes::daemon
