#pragma once

#include <string>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/model/actor.hpp"
#include "kernel/model/words.hpp"

// The states of a task and the moves between them.
//
//                      create
//        ┌──────────┬─────┴─────┬───────────┐
//        ▼          ▼           ▼           ▼
//     triage      todo ──────▶ ready ◀── blocked ◀──┐
//        │          ▲  promote  │  ▲  unblock       │ block, the breaker
//        └─promote──┼───────────┤  │                │
//                   │     claim │  │ requeue (retry, reclaim)
//                   │           ▼  │                │
//                   └───────── running ─────────────┘
//                    (block on  │
//                    dependency)└── complete ──▶ done ──▶ archived ──▶ gone
//
//     scheduled    todo, ready, running or blocked with `schedule`; its time or unblock leads
//                  → ready
//     review       running with `request-review` (lane review); claimed by a reviewer;
//                  `complete` → done, `request-changes` → ready (lane work);
//                  `reopen-review` leads back from done
//
// `review` is `ready` for the reviewer (lane review). "→ ready" always means: todo while a link is
// unsatisfied, else review when the lane is review, else ready (requeue_target). Only a claim leads
// to running, and only the functions of kernel/board move a task; each move writes exactly one
// event in the same transaction.
//
// clang-format off
// | move            | from                                | who                                                |
// |-----------------|-------------------------------------|----------------------------------------------------|
// | claim           | ready, review                       | the dispatcher, a person or script                 |
// | heartbeat       | running                             | the run itself; anybody for an external claim      |
// | complete        | running, ready, blocked, review     | the run itself; a person (running: --force unless  |
// |                 |                                     | it is claimed by hand); in lane review it approves |
// | block           | running, ready, todo, review        | the run itself; a person (its worker is stopped)   |
// | unblock         | blocked, scheduled                  | a person                                           |
// | promote         | triage, todo, blocked; ready and    | a person; refused while a link is open             |
// |                 | review while held                   |                                                    |
// | specify         | triage                              | a planner gives it a better text: → ready          |
// | decompose       | triage                              | a planner splits it: it waits for its parts        |
// | schedule        | todo, ready, running, blocked       | the run itself; a person (its worker is stopped)   |
// | wake            | scheduled, once wake_at is due      | the dispatcher                                     |
// | request-review  | running (lane work)                 | the run itself; a person (its worker is stopped)   |
// | request-changes | review, running (lane review)       | the run itself; a person (its worker is stopped)   |
// | reopen-review   | done                                | a person; children not started wait again          |
// | reclaim         | running                             | a person                                           |
// | assign          | all; running: only with --reclaim   | a person; the state stays, but for the reclaim     |
// | edit, set-model | all; the result: done               | the run itself; a person; the state stays          |
// | archive         | all but archived (running: --force) | a person                                           |
// | delete          | archived                            | a person; refused while a child waits for it       |
// clang-format on
namespace hermes::rules {

enum class Move {
  claim,
  heartbeat,
  complete,
  block,
  unblock,
  promote,
  specify,
  decompose,
  schedule,
  wake,
  request_review,
  request_changes,
  reopen_review,
  reclaim,
  edit,
  archive,
  remove,
};

}  // namespace hermes::rules

// Each is the name of the verb that makes it; wake is the dispatcher's, delete is `archive --rm`.
template <>
inline constexpr auto hermes::k_words<hermes::rules::Move> = std::to_array<std::string_view>(
    {"claim", "heartbeat", "complete", "block", "unblock", "promote", "specify", "decompose",
     "schedule", "wake", "request-review", "request-changes", "reopen-review", "reclaim", "edit",
     "archive", "delete"});

namespace hermes::rules {

bool may_move(Move move, Status from);

// The refusal for a move that may_move denies: names the task, its status and the statuses the move
// works from.
Error refuse_move(Move move, const std::string& task_id, Status from);

// "→ ready" of the table above.
Status requeue_target(Lane lane, bool has_open_links);

// A worker may change only its own task. The board counts too: the same id on another board is not
// its own. Error: forbidden.
Result<void> may_change(const Actor& actor, const std::string& board, const std::string& task_id);

}  // namespace hermes::rules
