#include "sim/workers.hpp"

#include <fmt/core.h>

#include <array>

#include "kernel/board/claims.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/review.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/schedule.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/verdicts.hpp"

namespace hermes::sim {

namespace {

using Speech = Result<void> (*)(World&, board::Change&, const std::string& task);

Result<void> heartbeat(World&, board::Change& change, const std::string& task) {
  TRY(board::heartbeat(change, task, std::nullopt));
  return {};
}
Result<void> complete(World&, board::Change& change, const std::string& task) {
  TRY(board::complete(change, task, {.summary = "done"}, false));
  return {};
}
Result<void> block(World& world, board::Change& change, const std::string& task) {
  static constexpr std::array k_kinds{BlockKind::needs_input, BlockKind::capability,
                                      BlockKind::transient};
  TRY(board::block(change, task, k_kinds.at(world.below(k_kinds.size())), "blocked"));
  return {};
}
Result<void> schedule(World& world, board::Change& change, const std::string& task) {
  TRY(board::schedule(change, task, change.now + std::chrono::seconds{world.below(600)}, "later"));
  return {};
}
Result<void> request_review(World&, board::Change& change, const std::string& task) {
  TRY(board::request_review(change, task, "please"));
  return {};
}
Result<void> request_changes(World&, board::Change& change, const std::string& task) {
  TRY(board::request_changes(change, task, "not yet"));
  return {};
}

struct Verb {
  const char* name;
  Speech say;
};
// Each needs the open run of the task and its token.
constexpr std::array k_verbs{Verb{"heartbeat", heartbeat},
                             Verb{"heartbeat", heartbeat},
                             Verb{"complete", complete},
                             Verb{"complete", complete},
                             Verb{"block", block},
                             Verb{"schedule", schedule},
                             Verb{"request-review", request_review},
                             Verb{"request-changes", request_changes}};

Actor actor_of(const Process& process) { return {"worker", process.identity}; }

// True when the run that speaks is the one its task is in the hands of.
bool is_current(World& world, const Process& process) {
  return world.read([&](db::Reader& tx) {
    const auto task = board::find_task(tx, process.identity.task_id);
    const auto run = board::find_run(tx, process.run_id);
    return task && run && task->current_run_id == process.run_id && !run->ended_at &&
           run->token == process.identity.token;
  });
}

std::optional<std::int64_t> current_run(World& world, const std::string& task_id) {
  return world.read([&](db::Reader& tx) {
    const auto task = board::find_task(tx, task_id);
    return task ? task->current_run_id : std::nullopt;
  });
}

bool speak(World& world, const Process& process, const Verb& verb) {
  const bool current = is_current(world, process);
  const auto said = world.write(actor_of(process), [&](board::Change& change) {
    return verb.say(world, change, process.identity.task_id);
  });
  world.tell(fmt::format("run {} of {} says {}: {}", process.run_id, process.identity.task_id,
                         verb.name, said ? std::string("accepted") : one_line(said.error())));
  if (said && !current) {
    world.violated(
        fmt::format("run {} is superseded, and its {} was accepted", process.run_id, verb.name));
  }
  return said.has_value();
}

void end(World& world, Process& process, const ExitFacts& exit) {
  process.stage = Process::Stage::gone;
  process.exit = exit;
  world.tell(fmt::format("run {} ends: {} {}", process.run_id, to_word(exit.kind), exit.code));
}

void end_somehow(World& world, Process& process) {
  static constexpr std::array k_codes{0, 0, 0, 1, 2, 75};
  if (process.stop_requested || world.one_in(6)) {
    end(world, process, {.kind = ExitKind::signaled, .code = process.stop_requested ? 15 : 9});
  } else if (world.one_in(10)) {
    end(world, process, {.kind = ExitKind::timed_out, .code = 15});
  } else if (world.one_in(10)) {
    end(world, process, {.kind = ExitKind::exec_failed, .code = 2});
  } else {
    end(world, process,
        {.kind = ExitKind::exited, .code = k_codes.at(world.below(k_codes.size()))});
  }
}

void create_child(World& world, const Process& process) {
  const auto created = world.write(actor_of(process), [&](board::Change& change) {
    return board::create(
        change, {.title = "follow-up", .assignee = "exits", .parents = {process.identity.task_id}});
  });
  world.tell(fmt::format("run {} creates a child: {}", process.run_id,
                         created ? created->task.id : one_line(created.error())));
}

}  // namespace

void step_worker(World& world) {
  const auto working = world.processes_that(
      [](const Process& process) { return process.stage == Process::Stage::working; });
  if (working.empty()) {
    return;
  }
  Process& process = *world.any_of(working);
  if (world.one_in(12)) {
    process.stage = Process::Stage::gone;
    process.shim_killed = true;
    process.leftovers = world.one_in(2);
    world.tell(fmt::format("the shim of run {} is killed{}", process.run_id,
                           process.leftovers ? ", something of it lives on" : ""));
  } else if (world.one_in(2)) {
    end_somehow(world, process);
  } else if (world.one_in(8)) {
    create_child(world, process);
  } else {
    speak(world, process, k_verbs.at(world.below(k_verbs.size())));
  }
}

void step_ghost(World& world) {
  const auto ghosts = world.processes_that([](const Process& process) {
    return process.stage == Process::Stage::gone && process.started;
  });
  if (ghosts.empty()) {
    return;
  }
  Process ghost = *world.any_of(ghosts);
  if (world.one_in(2)) {
    ghost.identity.run_id = current_run(world, ghost.identity.task_id).value_or(ghost.run_id);
  }
  speak(world, ghost, k_verbs.at(world.below(k_verbs.size())));
}

void finish_well(World& world, Process& process) {
  if (process.verdict == VerdictMode::by_call && !process.stop_requested) {
    speak(world, process, {"complete", complete});
  }
  end(world, process, {.kind = ExitKind::exited, .code = 0});
}

}  // namespace hermes::sim
