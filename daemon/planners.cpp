#include "daemon/planners.hpp"

#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string_view>
#include <vector>

#include "daemon/helper.hpp"
#include "daemon/logger.hpp"
#include "daemon/starter.hpp"
#include "daemon/workers/process.hpp"

namespace hermes::daemon {

namespace {

constexpr Millis k_rest{60'000};
constexpr Millis k_stop_grace{
    15'000};  // for a child to end its planner, and to say so on the board

// Ours without what would make the child somebody else: another run, another board.
std::vector<std::string> environment(const home::Home& home) {
  std::vector<std::string> all{"HERMES_HOME=" + home.dir.string(), "HERMES_PROFILE=dispatcher"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("HERMES_HOME=") && !text.starts_with("HERMES_PROFILE=") &&
        !text.starts_with("HERMES_KANBAN_")) {
      all.emplace_back(text);
    }
  }
  return all;
}

}  // namespace

Planners::Planners(home::Home home, Loop& loop) : home_(std::move(home)), loop_(loop) {}

Result<void> Planners::start(const std::string& board, const std::string& task_id, PlanKind kind,
                             Millis term) {
  const auto now = std::chrono::steady_clock::now();
  rests_[board] = now + k_rest;  // until it has started
  TRY_ASSIGN(const home::fs::path program, find_hermes());
  Child child;
  TRY_ASSIGN(child.pidfd, start_helper({.path = program.string(),
                                        .argv = {"hermes", "kanban", "--board", board,
                                                 std::string(to_word(kind)), task_id, "--if-due"},
                                        .environment = environment(home_),
                                        .tells_errors = true}));
  rests_.erase(board);
  child.until = now + term;
  const Key key{board, task_id};
  Child& entry = children_.insert_or_assign(key, std::move(child)).first->second;
  entry.watch = loop_.on_readable(entry.pidfd.get(), [this, key] { ended(key); });
  return {};
}

void Planners::ended(const Key& key) {
  const auto found = children_.find(key);
  if (found == children_.end()) {
    return;
  }
  if (workers::reap(found->second.pidfd).value_or(1) != 0) {
    rests_[key.first] = std::chrono::steady_clock::now() + k_rest;
  }
  children_.erase(found);
  loop_.wake();
}

bool Planners::is_asked(const std::string& board, const std::string& task_id) const {
  return children_.contains({board, task_id});
}

std::optional<MonotonicTime> Planners::step(MonotonicTime now) {
  std::optional<MonotonicTime> next;
  for (auto& [key, child] : children_) {
    if (child.killed) {
      continue;
    }
    if (child.until > now) {
      next = next ? std::min(*next, child.until) : child.until;
      continue;
    }
    // Its planner is in a group of its own, and would outlive one that is killed at once.
    log_error(fmt::format("the planning of {} on {} is stuck, and is {}", key.second, key.first,
                          child.stopped ? "killed" : "stopped"));
    ::syscall(SYS_pidfd_send_signal, child.pidfd.get(), child.stopped ? SIGKILL : SIGTERM, nullptr,
              0);
    child.killed = std::exchange(child.stopped, true);
    if (!child.killed) {
      child.until = now + k_stop_grace;
      next = next ? std::min(*next, child.until) : child.until;
    }
  }
  return next;
}

std::optional<MonotonicTime> Planners::rests_until(const std::string& board,
                                                   MonotonicTime now) const {
  const auto found = rests_.find(board);
  return found != rests_.end() && found->second > now ? std::optional(found->second) : std::nullopt;
}

void NothingDue::remember(const std::string& board, const Desk::State& state,
                          const PlanningLimits& limits, Instant now,
                          const board::DuePlannings& due) {
  if (!due.ids.empty()) {
    forget(board);
    return;
  }
  seen_.insert_or_assign(board,
                         Seen{state, limits.failure_limit, limits.retry_max, now, due.next_at});
}

bool NothingDue::holds(const std::string& board, const Desk::State& state,
                       const PlanningLimits& limits, Instant now) const {
  const auto found = seen_.find(board);
  if (found == seen_.end()) {
    return false;
  }
  const Seen& seen = found->second;
  return seen.state == state && seen.failure_limit == limits.failure_limit &&
         seen.retry_max == limits.retry_max && seen.at <= now &&
         (!seen.next_at || *seen.next_at > now);
}

}  // namespace hermes::daemon
