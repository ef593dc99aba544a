#include "sim/oracle.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "kernel/board/invariants.hpp"

namespace hermes::sim {

namespace {

// The design's table, written down a second time on purpose.
constexpr std::array<std::string_view, 5> k_counted{"failed", "crashed", "timed_out", "stale",
                                                    "spawn_failed"};

bool is_counted(std::string_view outcome) {
  return std::find(k_counted.begin(), k_counted.end(), outcome) != k_counted.end();
}

}  // namespace

void Oracle::check(World& world) {
  if (world.take_changed()) {
    for (const std::string& violation :
         world.read([](db::Reader& tx) { return board::check_invariants(tx); })) {
      world.violated(violation);
    }
    check_runs(world);
    check_cap(world);
    check_tasks(world);
    check_links(world);
  }
  check_workers(world);
}

void Oracle::check_workers(World& world) {
  std::map<std::string, std::int64_t> working;
  for (const auto& [run_id, process] : world.processes) {
    if (!process.is_alive()) {
      continue;
    }
    const auto [other, alone] = working.emplace(process.identity.task_id, run_id);
    if (!alone) {
      world.violated(fmt::format("runs {} and {} work on {} at the same time", other->second,
                                 run_id, process.identity.task_id));
    }
    const auto ending = endings_.find(run_id);
    if (ending == endings_.end() || ending->second.gone) {
      world.violated(fmt::format("run {} works, and the board holds it to be gone", run_id));
    }
  }
}

void Oracle::check_runs(World& world) {
  newly_ended_.clear();
  std::map<std::int64_t, Ending> now;
  world.read([&](db::Reader& tx) {
    auto row = tx.query(
        "SELECT id, task_id, COALESCE(outcome, ''), gone_at IS NOT NULL, COALESCE(exit_kind, ''),"
        " COALESCE(exit_code, 0), stop_kind IS NOT NULL FROM runs");
    while (row.next()) {
      const Ending ending{row.text(2), row.text(4), row.integer(5), row.boolean(3), row.boolean(6)};
      check_run(world, row.integer(0), row.text(1), ending);
      now.emplace(row.integer(0), ending);
    }
    return 0;
  });
  endings_ = std::move(now);
}

void Oracle::check_run(World& world, std::int64_t run_id, const std::string& task_id,
                       const Ending& ending) {
  const auto before = endings_.find(run_id);
  if (before == endings_.end() || before->second.outcome.empty()) {
    if (!ending.outcome.empty()) {
      newly_ended_.emplace(task_id, ending.outcome);
      check_told(world, run_id, ending);
    }
  } else if (before->second.outcome != ending.outcome) {
    world.violated(fmt::format("run {} had ended as {}, and now says {}", run_id,
                               before->second.outcome, ending.outcome));
  }
  if (before != endings_.end() && before->second.gone &&
      (!ending.gone || before->second.exit_kind != ending.exit_kind ||
       before->second.exit_code != ending.exit_code)) {
    world.violated(fmt::format("how run {} was gone has changed", run_id));
  }
  if (ending.gone && !ending.exit_kind.empty() &&
      (before == endings_.end() || !before->second.gone)) {
    check_exit(world, run_id, ending);
  }
}

void Oracle::check_told(World& world, std::int64_t run_id, const Ending& ending) {
  const Process* process = world.process_of(run_id);
  if (process != nullptr && process->is_alive() && !world.written_by_worker() &&
      !ending.is_to_stop) {
    world.violated(
        fmt::format("run {} works, somebody else has ended it, and nobody stops it", run_id));
  }
}

void Oracle::check_rest(World& world) {
  world.read([&](db::Reader& tx) {
    auto circle = tx.query(
        "WITH RECURSIVE waits (a, b) AS (SELECT parent_id, child_id FROM links"
        " UNION SELECT waits.a, links.child_id FROM waits JOIN links ON links.parent_id = waits.b)"
        " SELECT a FROM waits WHERE a = b");
    if (circle.next()) {
      world.violated(fmt::format("{} waits for itself", circle.text(0)));
    }
    auto row = tx.query("SELECT id FROM runs WHERE stop_kind IS NOT NULL AND gone_at IS NULL");
    while (row.next()) {
      const Process* process = world.process_of(row.integer(0));
      if (process != nullptr && process->stage == Process::Stage::working &&
          !process->stop_requested) {
        world.violated(fmt::format("run {} is to stop, and was never told", row.integer(0)));
      }
    }
    return 0;
  });
}

// What the board says of an end, against what has happened.
void Oracle::check_exit(World& world, std::int64_t run_id, const Ending& ending) {
  const Process* process = world.process_of(run_id);
  const bool was_started = process != nullptr && process->started;
  const bool recorded = was_started && process->exit.has_value();
  std::string truth;
  if (recorded) {
    truth = to_word(process->exit->kind);
  } else if (process != nullptr && process->boot != world.host.boot) {
    truth = to_word(ExitKind::host_restarted);
  } else if (was_started) {
    truth = to_word(ExitKind::shim_lost);
  } else {
    truth = to_word(ExitKind::never_started);
  }
  const bool other_boot = ending.exit_kind == to_word(ExitKind::host_restarted);
  if (other_boot && (process == nullptr || process->boot != world.host.boot)) {
    return;
  }
  if (ending.exit_kind != truth || (recorded && ending.exit_code != process->exit->code)) {
    world.violated(fmt::format("run {} is said to have ended as {} {}, and it was {}", run_id,
                               ending.exit_kind, ending.exit_code, truth));
  }
}

void Oracle::check_cap(World& world) const {
  const auto running = world.read([](db::Reader& tx) {
    auto row =
        tx.query("SELECT count(*) FROM runs WHERE gone_at IS NULL AND holder_kind <> 'external'");
    row.next();
    return row.integer(0);
  });
  if (running > world.limits.max_in_progress) {
    world.violated(fmt::format("{} runs have a worker, and at most {} may", running,
                               world.limits.max_in_progress));
  }
}

void Oracle::check_tasks(World& world) {
  std::map<std::string, Seen> now;
  world.read([&](db::Reader& tx) {
    auto row = tx.query(
        "SELECT id, failures, status, COALESCE(eligible_at, 0), COALESCE(wake_at, 0),"
        " COALESCE(block_source, '') = 'breaker' FROM tasks");
    while (row.next()) {
      now.emplace(row.text(0), Seen{row.integer(1), row.text(2), row.instant(3), row.instant(4),
                                    row.boolean(5)});
    }
    return 0;
  });
  for (const auto& [id, seen] : now) {
    if (seen.status == "done") {
      done_once_.insert(id);
    }
    if (seen.status == "done" || seen.status == "archived" ||
        (seen.status == "blocked" && seen.given_up)) {
      ended_once_.insert(id);
    }
    if (const auto before = tasks_.find(id); before != tasks_.end()) {
      check_task(world, id, before->second, seen);
    }
  }
  tasks_ = std::move(now);
}

void Oracle::check_task(World& world, const std::string& id, const Seen& before,
                        const Seen& seen) const {
  const auto ended = newly_ended_.find(id);
  const std::string outcome = ended == newly_ended_.end() ? "" : ended->second;
  const std::int64_t more = seen.failures - before.failures;
  if (more > (is_counted(outcome) ? 1 : 0)) {
    world.violated(fmt::format("{} has {} failures more after '{}'", id, more, outcome));
  }
  if (is_counted(outcome) && more != 1 && seen.status != "archived") {
    world.violated(fmt::format("{} has ended as {}, and it was not counted", id, outcome));
  }
  if ((is_counted(outcome) || outcome == "rate_limited") && seen.status == "ready" &&
      seen.eligible_at <= world.now) {
    world.violated(fmt::format("{} has ended as {}, and may start again at once", id, outcome));
  }
  const bool starts = before.status != "running" && seen.status == "running";
  if (starts && more != 0) {
    world.violated(
        fmt::format("{} was started, and its {} failures are forgotten", id, before.failures));
  }
  if (starts && before.eligible_at > world.now && !world.clock_was_set_back) {
    world.violated(fmt::format("{} was started while it was held", id));
  }
  if (before.status == "scheduled" && (seen.status == "ready" || seen.status == "todo") &&
      world.written_by_dispatcher() && before.wake_at > world.now && !world.clock_was_set_back) {
    world.violated(fmt::format("{} was woken before its time", id));
  }
}

void Oracle::check_links(World& world) const {
  world.read([&](db::Reader& tx) {
    auto row = tx.query(
        "SELECT parent_id, child_id, condition = 'done' FROM links WHERE satisfied_at IS NOT NULL");
    while (row.next()) {
      const bool done = row.boolean(2);
      if (!(done ? done_once_ : ended_once_).contains(row.text(0))) {
        world.violated(fmt::format("{} no longer waits for {}, which was never {}", row.text(1),
                                   row.text(0), done ? "done" : "over"));
      }
    }
    return 0;
  });
}

}  // namespace hermes::sim
