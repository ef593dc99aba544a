#include "kernel/board/verdicts.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/events.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/rules/block.hpp"

namespace hermes::board {

namespace {

Result<void> check_handoff(const Handoff& handoff) {
  TRY(check_text("the summary", handoff.summary.value_or(""), k_text_bytes));
  TRY(check_text("the result", handoff.result.value_or(""), k_text_bytes));
  TRY(check_text("the metadata", handoff.metadata.value_or(""), k_metadata_bytes));
  if (handoff.metadata && !nlohmann::json::parse(*handoff.metadata, nullptr, false).is_object()) {
    return fail(ErrorCode::usage, "the metadata is not a JSON object",
                "for example --metadata '{\"files\": 3}'");
  }
  return {};
}

bool is_worker(const Change& change) { return change.actor.worker.has_value(); }

// Closes the open run of a running task for a verdict of its worker, of whoever holds an external
// claim, or of a person who may overrule a worker (`overrule`): then the worker is told to stop at
// once.
Result<Moved> close_open_run(Change& change, const Task& task, rules::Move move, bool overrule,
                             const Closing& closing) {
  Moved moved;
  if (is_worker(change) || !overrule) {
    TRY_ASSIGN(moved.run, open_run_for(change, task, move));
  } else {
    moved.run = find_run(change.tx, *task.current_run_id);
  }
  const bool has_process = moved.run->holder_kind != HolderKind::external;
  if (has_process && !is_worker(change)) {
    intend_stop(change, *moved.run, StopKind::force, std::nullopt);
    moved.stopping = true;
  }
  close_run(change, *moved.run, closing);
  return moved;
}

// A worker speaks for its own run only; once that run has been superseded its task is in the hands
// of others.
Result<Task> task_to_move(Change& change, const std::string& id, rules::Move move) {
  TRY_ASSIGN(Task task, get_task(change.tx, id));
  TRY(rules::may_change(change.actor, change.board, id));
  if (is_worker(change)) {
    TRY(open_run_for(change, task, move));
  }
  if (!rules::may_move(move, task.status)) {
    return std::unexpected(rules::refuse_move(move, id, task.status));
  }
  return task;
}

Result<void> add_note(Change& change, const std::string& id, std::string_view prefix,
                      const std::optional<std::string>& reason) {
  if (reason && !trim(*reason).empty()) {
    TRY(add_comment(change, id, change.actor.name, fmt::format("{}: {}", prefix, trim(*reason))));
  }
  return {};
}

// A worker that takes its own task away from itself would start it again for ever.
Result<void> person_only(const Change& change, std::string_view verb, const std::string& id) {
  if (!is_worker(change)) {
    return {};
  }
  return fail(ErrorCode::forbidden, fmt::format("a worker cannot {} {}", verb, id),
              "end with complete, block, or exit code 75 to be tried again later");
}

std::optional<std::string> not_blank(const std::optional<std::string>& text) {
  return text && !trim(*text).empty() ? std::optional(std::string(trim(*text))) : std::nullopt;
}

nlohmann::json or_null(const std::optional<std::string>& text) {
  return text ? nlohmann::json(*text) : nlohmann::json();
}

EventKind block_event(Status to) {
  return to == Status::triage ? EventKind::block_loop_detected
         : to == Status::todo ? EventKind::dependency_wait
                              : EventKind::blocked;
}

}  // namespace

Result<Moved> complete(Change& change, const std::string& id, const Handoff& handoff, bool force) {
  TRY(check_handoff(handoff));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::complete));
  const auto summary =
      not_blank(handoff.summary) ? not_blank(handoff.summary) : not_blank(handoff.result);
  const Closing closing{
      .outcome = Outcome::completed, .summary = summary, .metadata = handoff.metadata};
  Moved moved;
  std::optional<std::int64_t> run_id;
  if (task.status == Status::running) {
    TRY_ASSIGN(moved, close_open_run(change, task, rules::Move::complete, force, closing));
    run_id = moved.run->id;
  } else if (summary || handoff.metadata) {
    run_id = record_zero_run(change, task, closing);
  }
  finish_task(change, task, run_id, {.summary = summary, .result = not_blank(handoff.result)});
  moved.task = std::move(task);
  if (run_id) {
    moved.run = find_run(change.tx, *run_id);
  }
  return moved;
}

Result<Moved> block(Change& change, const std::string& id, std::optional<BlockKind> kind,
                    const std::optional<std::string>& reason) {
  TRY(check_text("the reason", reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::block));
  if (kind == BlockKind::dependency && !has_open_links(change.tx, id)) {
    return fail(
        ErrorCode::invalid,
        fmt::format("cannot block {} on a dependency: none of its links is open", id),
        fmt::format("link it first (`hermes kanban link PARENT {}`), or block it as needs_input",
                    id));
  }
  const auto why = not_blank(reason);
  const BlockSource source = is_worker(change) ? BlockSource::worker : BlockSource::human;
  const rules::BlockRoute route = rules::route_block(task, source, kind);
  Moved moved;
  std::optional<std::int64_t> run_id;
  if (task.status == Status::running) {
    TRY_ASSIGN(moved, close_open_run(change, task, rules::Move::block, true,
                                     {.outcome = Outcome::blocked, .summary = why}));
    run_id = moved.run->id;
  } else if (why) {
    run_id = record_zero_run(change, task, {.outcome = Outcome::blocked, .summary = why});
  }
  task.violations = 0;
  if (source == BlockSource::worker) {
    task.block_kind = kind;
  }
  task.block_streak = route.streak;
  task.block_total = route.total;
  task.block_source = source;
  task.block_reason = why;
  move_task(change, task, route.to, block_event(route.to),
            {{"reason", or_null(why)},
             {"kind", kind ? nlohmann::json(to_word(*kind)) : nlohmann::json()},
             {"source", to_word(source)},
             {"recurrences", route.streak}},
            run_id);
  TRY(add_note(change, id, "BLOCKED", reason));
  moved.task = std::move(task);
  return moved;
}

Result<Moved> unblock(Change& change, const std::string& id,
                      const std::optional<std::string>& reason, bool reset_loop_breaker) {
  TRY(check_text("the reason", reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::unblock));
  reset_breaker(task);
  if (reset_loop_breaker) {
    task.block_streak = 0;
    task.block_total = 0;
    task.block_kind.reset();
  }
  requeue_task(change, task, EventKind::unblocked,
               {{"by", change.actor.name}, {"reason", or_null(not_blank(reason))}}, std::nullopt);
  TRY(add_note(change, id, "UNBLOCK", reason));
  return Moved{std::move(task), std::nullopt, false};
}

Result<Moved> promote(Change& change, const std::string& id,
                      const std::optional<std::string>& reason, bool dry_run) {
  TRY(check_text("the reason", reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::promote));
  if (const auto open = open_parents(change.tx, id); !open.empty()) {
    std::vector<std::string> names;
    names.reserve(open.size());
    for (const rules::OpenParent& parent : open) {
      names.push_back(fmt::format("{} ({})", parent.id, to_word(parent.status)));
    }
    return fail(ErrorCode::conflict,
                fmt::format("cannot promote {}: it waits for {}", id, join(names, ", ")),
                fmt::format("complete them, or `hermes kanban unlink PARENT {}`", id));
  }
  if (!dry_run) {
    reset_breaker(task);
    requeue_task(
        change, task, EventKind::promoted_manual,
        {{"actor", change.actor.name}, {"reason", or_null(not_blank(reason))}, {"forced", false}},
        std::nullopt);
  }
  return Moved{std::move(task), std::nullopt, false};
}

Result<Moved> reclaim(Change& change, const std::string& id,
                      const std::optional<std::string>& reason) {
  TRY(check_text("the reason", reason.value_or(""), k_text_bytes));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::reclaim));
  TRY(person_only(change, "reclaim", id));
  Moved moved;
  moved.run = find_run(change.tx, *task.current_run_id);
  if (moved.run->holder_kind == HolderKind::external) {
    close_run(change, *moved.run, {.outcome = Outcome::reclaimed, .error = not_blank(reason)});
    release_task(change, task, moved.run->id, change.actor.name, not_blank(reason));
  } else {
    intend_stop(change, *moved.run, StopKind::reclaim, not_blank(reason));
    moved.stopping = true;
  }
  moved.task = std::move(task);
  return moved;
}

Result<Archived> archive(Change& change, const std::string& id, bool force) {
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::archive));
  TRY(person_only(change, "archive", id));
  Archived done;
  std::optional<std::int64_t> run_id;
  if (task.status == Status::running) {
    const auto run = find_run(change.tx, *task.current_run_id);
    if (!force) {
      return fail(ErrorCode::conflict,
                  fmt::format("cannot archive {}: run {} of '{}' is working on it", id, run->id,
                              run->profile),
                  "wait for it, or pass --force to stop it");
    }
    if (run->holder_kind != HolderKind::external) {
      intend_stop(change, *run, StopKind::archive, std::nullopt);
      done.moved = {std::move(task), run, true};
      return done;
    }
    close_run(change, *run, {.outcome = Outcome::reclaimed, .error = "archived"});
    run_id = run->id;
    done.moved.run = run;
  }
  const bool was_done = task.status == Status::done;
  archive_task(change, task, run_id);
  if (!was_done) {
    auto row = change.tx.query(
        "SELECT child_id FROM links WHERE parent_id = $1 AND satisfied_at IS NULL ORDER BY "
        "child_id",
        id);
    while (row.next()) {
      done.waiting_children.push_back(row.text(0));
    }
  }
  done.moved.task = std::move(task);
  return done;
}

}  // namespace hermes::board
