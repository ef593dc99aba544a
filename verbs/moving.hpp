#pragma once

#include <string>

#include "kernel/board/tasks.hpp"
#include "kernel/board/verdicts.hpp"
#include "verbs/bulk.hpp"
#include "verbs/open.hpp"

// What the verbs that move tasks have in common.
namespace hermes::verbs {

// The report of a move: {task_id, ok, status, run_id, stopping, error}.
ItemDone item_of(const board::Moved& moved);

// A positional that may be left out and given as nothing is the same as none.
std::optional<std::string> not_blank(std::string text);

// Resolves the id and moves the task in one transaction.
template <class Move>
Result<ItemDone> move_one(OpenBoard& open, Call& call, const std::string& given, Move move) {
  return change(open, call, [&](board::Change& tx) -> Result<ItemDone> {
    TRY_ASSIGN(const std::string id, board::resolve_id(tx.tx, given));
    return move(tx, id);
  });
}

// When a task is to wake, from --at or --in; nothing when neither is given. Error: usage when both
// are.
Result<std::optional<Instant>> wake_time(const Call& call);
// A time that has passed is no mistake, but people are told.
void tell_past_wake_time(const Call& call, std::optional<Instant> wake_at, Answer& answer);

// Says that what looks like a secret was masked in the body that was given.
void tell_masked_body(const std::optional<std::string>& given, const Task& stored, Answer& answer);

// --body, or what --body-file names; nothing when neither is given. Error: usage when both are.
Result<std::optional<std::string>> body_of(Call& call);

}  // namespace hermes::verbs
