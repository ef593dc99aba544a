#include <fmt/core.h>

#include <map>
#include <optional>

#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/attachments.hpp"
#include "kernel/board/retention.hpp"
#include "kernel/home/archive.hpp"
#include "kernel/home/attachments.hpp"
#include "kernel/home/log_text.hpp"
#include "kernel/home/workspace.hpp"
#include "kernel/home/worktree.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"
#include "verbs/trees.hpp"

namespace hermes::verbs {

namespace {

constexpr std::int64_t k_page = 200;             // tasks looked at in one transaction
constexpr std::int64_t k_events_at_once = 1000;  // removed in one transaction
constexpr Millis k_orphan_age =
    std::chrono::hours{24};  // a file that is being added has no row yet

struct Count {
  std::int64_t items = 0;
  std::int64_t bytes = 0;
};

Json count_json(const Count& count) { return {{"removed", count.items}, {"bytes", count.bytes}}; }

// One gc under way.
struct Sweep {
  OpenBoard& open;
  Call& call;
  Instant now;
  bool dry_run = false;
  Answer& answer;

  Instant before(std::string_view flag, Millis setting) const {
    const auto days = call.values.integer(flag);
    return now - (days ? Millis{std::chrono::hours{24 * *days}} : setting);
  }
  Result<board::Remains> remains(const std::string& task_id) const {
    return open.database.read(
        [&](db::Reader& tx) -> Result<board::Remains> { return board::remains_of(tx, task_id); });
  }
  void tell(const Error& error) const {
    answer.failures.push_back(error);
    answer.exit_status = 1;
  }
  // Counts the directory, and removes it unless this is a dry run.
  void remove(const fs::path& dir, Count& count) const {
    home::TreeSize size = home::tree_size(dir);
    if (!dry_run) {
      auto removed = home::remove_tree(dir);
      if (!removed) {
        tell(removed.error());
        return;
      }
      size = *removed;
    }
    ++count.items;
    count.bytes += size.bytes;
  }
  void remove_file(const fs::path& file, Count& count) const {
    std::error_code problem;
    const auto size = fs::file_size(file, problem);
    if (problem || (!dry_run && !fs::remove(file, problem))) {
      return;  // it has gone by itself
    }
    ++count.items;
    count.bytes += static_cast<std::int64_t>(size);
  }
};

std::vector<fs::path> entries_of(const fs::path& dir) {
  std::vector<fs::path> entries;
  std::error_code problem;
  for (fs::directory_iterator entry(dir, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    entries.push_back(entry->path());
  }
  return entries;
}

// Of tasks that are archived or deleted; of done ones once nobody who comes after them may read
// there, and the time is over.
bool workspace_is_over(const board::Remains& remains, Instant before) {
  if (remains.process) {
    return false;
  }
  return !remains.status || *remains.status == Status::archived ||
         (*remains.status == Status::done && !remains.waited_for && remains.updated_at < before);
}

Result<Count> sweep_workspaces(const Sweep& sweep) {
  const Instant before =
      sweep.before("workspace-retention-days", sweep.open.config.workspace_retention);
  Count count;
  for (const fs::path& dir : home::set_aside_before(sweep.open.paths)) {
    sweep.remove(dir, count);
  }
  for (const fs::path& dir : entries_of(sweep.open.paths.workspaces())) {
    const std::string task = dir.filename().string();
    if (!home::is_our_scratch(sweep.open.paths, task)) {
      continue;
    }
    TRY_ASSIGN(const board::Remains remains, sweep.remains(task));
    if (!workspace_is_over(remains, before)) {
      continue;
    }
    if (sweep.dry_run) {
      sweep.remove(dir, count);
      continue;
    }
    // Decided again under the gate: meanwhile the task may have been taken up again.
    const auto aside = sweep.open.database.write(
        [&](db::Writer& tx) -> Result<std::optional<fs::path>> {
          if (!workspace_is_over(board::remains_of(tx, task), before)) {
            return std::nullopt;
          }
          auto moved = home::set_aside(sweep.open.paths, task);
          if (!moved && moved.error().code == ErrorCode::not_found) {
            return std::nullopt;  // somebody else has just removed it
          }
          return moved;
        },
        sweep.open.config.gate_wait);
    if (!aside) {
      sweep.tell(aside.error());
    } else if (*aside) {
      sweep.remove(**aside, count);
    }
  }
  return count;
}

struct Trees {
  Count count;
  Json each = Json::array();  // {task_id, path, stays}
};

// Trees of archived and deleted tasks; what must stay is named with its reason. A dry run looks at
// all, those of the other tasks too.
Result<Trees> sweep_trees(const Sweep& sweep) {
  Trees trees;
  for (const std::string& task : home::tasks_with_trees(sweep.open.paths)) {
    TRY_ASSIGN(const board::Remains remains, sweep.remains(task));
    if (!sweep.dry_run && remains.status && *remains.status != Status::archived) {
      continue;
    }
    const auto end = end_tree(sweep.open, task, sweep.dry_run);
    if (!end) {
      continue;
    }
    trees.each.push_back({{"task_id", task}, {"path", end->path}, {"stays", or_null(end->stays)}});
    if (!end->stays) {
      ++trees.count.items;
    } else if (!sweep.dry_run) {
      sweep.answer.advice.push_back("note: " + *end->stays);
    }
  }
  return trees;
}

// What nobody has delivered in all the time for which events are kept is given up, and told; or it
// would be kept for ever. A shorter time in one call is about events alone.
Result<std::int64_t> give_up_deliveries(const Sweep& sweep) {
  const Instant before = sweep.now - sweep.open.config.event_retention;
  if (sweep.dry_run) {
    return sweep.open.database.read([&](db::Reader& tx) -> Result<std::int64_t> {
      return board::count_overdue_deliveries(tx, before);
    });
  }
  std::int64_t given_up = 0;
  while (true) {
    TRY_ASSIGN(const auto overdue, sweep.open.database.read([&](db::Reader& tx) {
      return Result<std::vector<std::int64_t>>(board::overdue_deliveries(tx, before, k_page));
    }));
    if (overdue.empty()) {
      break;
    }
    TRY(sweep.open.database.write(
        [&](db::Writer& tx) -> Result<void> {
          board::give_up_deliveries(tx, overdue);
          return {};
        },
        sweep.open.config.gate_wait));
    given_up += static_cast<std::int64_t>(overdue.size());
  }
  if (given_up > 0) {
    sweep.answer.advice.push_back(
        fmt::format("note: {} message{} {} waited as long as events are kept and nothing has "
                    "delivered {}: given up; `hermes kanban notify-list` shows to whom",
                    given_up, given_up == 1 ? "" : "s", given_up == 1 ? "has" : "have",
                    given_up == 1 ? "it" : "them"));
  }
  return given_up;
}

Result<std::int64_t> sweep_board_events(const Sweep& sweep, Instant before) {
  TRY_ASSIGN(const std::int64_t old, sweep.open.database.read([&](db::Reader& tx) {
    return Result<std::int64_t>(board::count_old_board_events(tx, before));
  }));
  if (old == 0 || sweep.dry_run) {
    return old;
  }
  std::int64_t removed = 0;
  while (true) {
    TRY_ASSIGN(const std::int64_t some, sweep.open.database.write(
                                            [&](db::Writer& tx) -> Result<std::int64_t> {
                                              return board::prune_board_events(tx, before,
                                                                               k_events_at_once);
                                            },
                                            sweep.open.config.gate_wait));
    removed += some;
    if (some < k_events_at_once) {
      return removed;
    }
  }
}

// In transactions of so many events, whatever a task has, since everybody waits at the gate.
Result<std::int64_t> prune_events_of(const Sweep& sweep, const std::vector<std::string>& tasks,
                                     Instant before) {
  std::int64_t removed = 0;
  for (std::size_t next = 0; next < tasks.size();) {
    TRY(sweep.open.database.write(
        [&](db::Writer& tx) -> Result<void> {
          for (std::int64_t left = k_events_at_once; left > 0 && next < tasks.size();) {
            const std::int64_t some = board::prune_events(tx, tasks[next], before, left);
            next += some < left ? 1 : 0;  // else it may have more
            left -= some;
            removed += some;
          }
          return {};
        },
        sweep.open.config.gate_wait));
  }
  return removed;
}

Result<Count> sweep_events(const Sweep& sweep) {
  const Instant before = sweep.before("event-retention-days", sweep.open.config.event_retention);
  Count count;
  TRY_ASSIGN(count.items, sweep_board_events(sweep, before));
  std::string after;
  while (true) {
    // Found without the gate, so that a board with nothing to remove keeps nobody waiting.
    TRY_ASSIGN(const auto old, sweep.open.database.read([&](db::Reader& tx) {
      std::vector<std::string> with_old;
      const auto page = board::tasks_at_rest(tx, after, k_page);
      after = page.empty() ? "" : page.back();
      for (const std::string& task : page) {
        const std::int64_t n = board::count_old_events(tx, task, before);
        count.items += sweep.dry_run ? n : 0;
        if (n > 0) {
          with_old.push_back(task);
        }
      }
      return Result<std::vector<std::string>>(std::move(with_old));
    }));
    if (!old.empty() && !sweep.dry_run) {
      TRY_ASSIGN(const std::int64_t removed, prune_events_of(sweep, old, before));
      count.items += removed;
    }
    if (after.empty()) {
      return count;
    }
  }
}

Result<Count> sweep_logs(const Sweep& sweep) {
  const Instant before = sweep.before("log-retention-days", sweep.open.config.log_retention);
  std::map<std::string, board::Remains> seen;
  Count count;
  for (const home::LogFile& log : home::log_files(sweep.open.paths)) {
    if (log.changed_at >= before && !log.unfinished) {
      continue;
    }
    if (!seen.contains(log.task_id)) {
      TRY_ASSIGN(seen[log.task_id], sweep.remains(log.task_id));
    }
    const board::Remains& remains = seen[log.task_id];
    const bool over =
        !remains.status || remains.status == Status::done || remains.status == Status::archived;
    if (!remains.process && (over || log.unfinished)) {
      sweep.remove_file(log.path, count);
    }
  }
  return count;
}

// Files that were stored and whose row was never committed, or whose row is gone.
Result<Count> sweep_attachments(const Sweep& sweep) {
  TRY_ASSIGN(const auto rows,
             sweep.open.database.read([](db::Reader& tx) -> Result<std::vector<Attachment>> {
               return board::all_attachments(tx);
             }));
  std::map<std::string, bool> known;
  for (const Attachment& row : rows) {
    known[row.task_id + "/" + row.stored_name] = true;
  }
  Count count;
  for (const home::FoundFile& file : home::attachment_files(sweep.open.paths)) {
    if (!known.contains(file.task_id + "/" + file.name) &&
        sweep.now - file.changed_at >= k_orphan_age) {
      sweep.remove_file(file.path, count);
    }
  }
  return count;
}

Count sweep_leftovers(const Sweep& sweep) {
  Count count;
  for (const fs::path& dir : home::leftover_directories(sweep.open.home, sweep.now)) {
    sweep.remove(dir, count);
  }
  return count;
}

}  // namespace

Result<Answer> gc(Call& call) {
  TRY_ASSIGN(OpenBoard open, open_to_write(call));
  Answer answer;
  const Sweep sweep{open, call, call.environment.now, call.values.flag("dry-run"), answer};
  TRY_ASSIGN(const Count workspaces, sweep_workspaces(sweep));
  TRY_ASSIGN(const Trees trees, sweep_trees(sweep));
  TRY_ASSIGN(const std::int64_t given_up, give_up_deliveries(sweep));
  TRY_ASSIGN(const Count events, sweep_events(sweep));
  TRY_ASSIGN(const Count logs, sweep_logs(sweep));
  TRY_ASSIGN(const Count attachments, sweep_attachments(sweep));
  const Count leftovers = sweep_leftovers(sweep);
  answer.value = {{"board", open.paths.slug},
                  {"dry_run", sweep.dry_run},
                  {"workspaces", count_json(workspaces)},
                  {"worktrees", {{"removed", trees.count.items}, {"trees", trees.each}}},
                  {"events", {{"removed", events.items}}},
                  {"deliveries", {{"given_up", given_up}}},
                  {"logs", count_json(logs)},
                  {"attachments", count_json(attachments)},
                  {"leftovers", count_json(leftovers)},
                  {"bytes", workspaces.bytes + logs.bytes + attachments.bytes + leftovers.bytes}};
  tell_config_error(open, answer);
  return answer;
}

}  // namespace hermes::verbs
