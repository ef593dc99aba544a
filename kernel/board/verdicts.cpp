#include "kernel/board/verdicts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernel/base/text.hpp"
#include "kernel/board/artifacts.hpp"
#include "kernel/board/json.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/moving.hpp"
#include "kernel/board/rows.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/rules/block.hpp"
#include "kernel/rules/hold.hpp"

namespace hermes::board {

namespace {

EventKind block_event(Status to) {
  return to == Status::triage ? EventKind::block_loop_detected
         : to == Status::todo ? EventKind::dependency_wait
                              : EventKind::blocked;
}

constexpr std::size_t k_most_created = 100;
constexpr const char* k_created = "created_cards";

// Agents name tasks that they have not made. Theirs are those that they signed, and the children of
// the task that they work on.
std::optional<std::string> doubt_about(Change& change, const Task& task, const std::string& id) {
  const auto made = find_task(change.tx, id);
  if (!made) {
    return fmt::format("{} (no such task)", printable(clip(id, 40)));
  }
  const std::vector<std::string> children = children_of(change.tx, task.id);
  const std::string& creator = made->created_by;
  const bool signed_by_them =
      !creator.empty() && (creator == task.assignee || creator == change.actor.name);
  const bool theirs = signed_by_them || std::ranges::find(children, id) != children.end();
  return theirs && id != task.id
             ? std::nullopt
             : std::optional(fmt::format("{} (made by '{}', and no child of {})", id,
                                         printable(creator), task.id));
}

Result<void> check_created(Change& change, const Task& task, const std::vector<std::string>& ids) {
  if (ids.size() > k_most_created) {
    return fail(
        ErrorCode::invalid,
        fmt::format("{} created tasks are named, the limit is {}", ids.size(), k_most_created),
        "name them in the summary or in an artifact");
  }
  std::vector<std::string> doubts;
  for (const std::string& id : ids) {
    if (auto doubt = doubt_about(change, task, id)) {
      doubts.push_back(*std::move(doubt));
    }
  }
  if (doubts.empty()) {
    return {};
  }
  return fail(
      ErrorCode::invalid,
      fmt::format("{} was not completed: its worker has not made {}", task.id, join(doubts, ", ")),
      "nothing was changed, and a run goes on: complete it again with the ids that "
      "`create` has answered, or without any");
}

std::optional<std::string> with_created(const std::optional<std::string>& metadata,
                                        const std::vector<std::string>& ids) {
  if (ids.empty()) {
    return metadata;
  }
  auto object = parse_json<nlohmann::json>(metadata.value_or("{}"));
  object[k_created] = ids;
  return dump(object);
}

}  // namespace

Result<Moved> complete(Change& change, const std::string& id, const Handoff& handoff, bool force) {
  TRY(check_handoff(handoff));
  TRY_ASSIGN(Task task, task_to_move(change, id, rules::Move::complete));
  const auto summary = text_to_store(handoff.summary) ? text_to_store(handoff.summary)
                                                      : text_to_store(handoff.result);
  TRY(check_created(change, task, handoff.created));
  TRY_ASSIGN(const auto made, artifacts_in(handoff.metadata));
  TRY_ASSIGN(const auto metadata,
             metadata_to_store(with_created(
                 made.empty() ? handoff.metadata : with_artifacts(handoff.metadata, made),
                 handoff.created)));
  TRY_ASSIGN(const auto artifacts, artifacts_in(metadata));
  const Closing closing{.outcome = Outcome::completed, .summary = summary, .metadata = metadata};
  Moved moved;
  std::optional<std::int64_t> run_id;
  if (task.status == Status::running) {
    TRY_ASSIGN(moved,
               close_open_run(change, task, rules::Move::complete,
                              force ? std::optional(StopKind::force) : std::nullopt, closing));
    run_id = moved.run->id;
  } else if (summary || metadata) {
    run_id = record_zero_run(change, task, closing);
  }
  finish_task(change, task, run_id,
              {.summary = summary,
               .result = text_to_store(handoff.result),
               .artifacts = artifacts,
               .created = handoff.created});
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
  const auto why = text_to_store(reason);
  const BlockSource source = is_worker(change) ? BlockSource::worker : BlockSource::human;
  const rules::BlockRoute route = rules::route_block(task, source, kind);
  Moved moved;
  std::optional<std::int64_t> run_id;
  if (task.status == Status::running) {
    TRY_ASSIGN(moved, close_open_run(change, task, rules::Move::block, StopKind::force,
                                     {.outcome = Outcome::blocked, .summary = why}));
    run_id = moved.run->id;
  } else if (why) {
    run_id = record_zero_run(change, task, {.outcome = Outcome::blocked, .summary = why});
  }
  task.violations = 0;
  task.block_kind = kind;
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
               {{"by", change.actor.name}, {"reason", or_null(text_to_store(reason))}},
               std::nullopt);
  TRY(add_note(change, id, "UNBLOCK", reason));
  return Moved{std::move(task), std::nullopt, false};
}

namespace {

// The hold that a promotion of a ready or review task lifts; null in the other states. Error:
// conflict when nothing holds the task.
Result<nlohmann::json> hold_to_lift(const Task& task, Instant now) {
  if (task.status != Status::ready && task.status != Status::review) {
    return nullptr;
  }
  const auto until = rules::held_until(task, now);
  if (!until) {
    return fail(ErrorCode::conflict,
                fmt::format("cannot promote {}: it is {}, and no back-off or cool-down holds it",
                            task.id, to_word(task.status)),
                fmt::format("`hermes kanban why {}` names what it waits for", task.id));
  }
  return nlohmann::json{
      {"reason", task.hold_reason ? nlohmann::json(to_word(*task.hold_reason)) : nlohmann::json()},
      {"until_ms", until->ms}};
}

}  // namespace

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
  TRY_ASSIGN(const auto lifted, hold_to_lift(task, change.now));
  if (!dry_run) {
    nlohmann::json payload{{"actor", change.actor.name},
                           {"reason", or_null(text_to_store(reason))},
                           {"forced", false}};
    if (!lifted.is_null()) {
      payload["lifted"] = lifted;
    }
    reset_breaker(task);
    requeue_task(change, task, EventKind::promoted_manual, payload, std::nullopt);
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
    close_run(change, *moved.run, {.outcome = Outcome::reclaimed, .error = text_to_store(reason)});
    release_task(change, task, moved.run->id, change.actor.name, text_to_store(reason));
  } else {
    TRY(intend_stop(change, *moved.run, StopKind::reclaim, text_to_store(reason)));
    moved.stopping = true;
  }
  moved.task = std::move(task);
  return moved;
}

namespace {

// Those whose link the archiving of a parent that was never done does not satisfy.
std::vector<std::string> wait_for_done(db::Reader& tx, const std::string& parent) {
  std::vector<std::string> children;
  auto row = tx.query(
      "SELECT child_id FROM links WHERE parent_id = $1 AND satisfied_at IS NULL AND condition = "
      "'done' ORDER BY child_id",
      parent);
  while (row.next()) {
    children.push_back(row.text(0));
  }
  return children;
}

}  // namespace

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
      TRY(intend_stop(change, *run, StopKind::archive, std::nullopt));
      done.moved = {std::move(task), run, true};
      done.waiting_children = wait_for_done(change.tx, id);
      return done;
    }
    close_run(change, *run, {.outcome = Outcome::reclaimed, .error = "archived"});
    run_id = run->id;
    done.moved.run = run;
  }
  const bool was_done = task.status == Status::done;
  archive_task(change, task, run_id, change.actor.name);
  if (!was_done) {
    done.waiting_children = wait_for_done(change.tx, id);
  }
  done.moved.task = std::move(task);
  return done;
}

}  // namespace hermes::board
