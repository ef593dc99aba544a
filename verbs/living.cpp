#include "verbs/living.hpp"

#include <fmt/core.h>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/retention.hpp"

namespace hermes::verbs {

namespace {

constexpr std::size_t k_most_named = 10;

bool is_alive_at(const std::optional<std::int64_t>& pid, const std::optional<std::int64_t>& start) {
  return pid && start && is_alive(static_cast<pid_t>(*pid), static_cast<std::uint64_t>(*start));
}

bool may_live(const Run& run, const HostIdentity& host, bool served) {
  if (run.host != host.machine || run.boot != host.boot) {
    return false;
  }
  return served || is_alive_at(run.shim_pid, run.shim_start) ||
         is_alive_at(run.worker_pid, run.worker_start);
}

}  // namespace

Result<void> refuse_living_runs(Call& call, const home::Home& home, const home::BoardPaths& paths,
                                db::Database* database, bool served) {
  std::vector<std::string> living;
  if (database != nullptr) {
    const auto runs = database->read(
        [](db::Reader& tx) -> Result<std::vector<Run>> { return board::runs_not_gone(tx); });
    if (!runs && runs.error().code != ErrorCode::damaged) {
      return std::unexpected(runs.error());
    }
    for (const Run& run : runs ? *runs : std::vector<Run>{}) {
      if (may_live(run, call.host.identity(), served)) {
        living.push_back(fmt::format("{} (run {})", run.task_id, run.id));
      }
    }
  }
  std::error_code problem;
  for (fs::directory_iterator entry(home.records(paths.slug), problem), end;
       living.empty() && !problem && entry != end; entry.increment(problem)) {
    if (const auto pid = flock_holder(entry->path())) {
      living.push_back(fmt::format("run {} (PID {})", entry->path().filename().string(), *pid));
    }
  }
  if (living.empty()) {
    return {};
  }
  if (living.size() > k_most_named) {
    living.resize(k_most_named);
    living.emplace_back("…");
  }
  return fail(ErrorCode::conflict,
              fmt::format("workers of board {} are at work: {}", paths.slug, join(living, ", ")),
              "wait for them, or stop them with `hermes kanban reclaim`");
}

}  // namespace hermes::verbs
