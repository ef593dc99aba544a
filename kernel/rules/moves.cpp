#include "kernel/rules/moves.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "kernel/base/text.hpp"

namespace hermes::rules {

namespace {

// The statuses a move works from.
const std::vector<Status>& sources(Move move) {
  using enum Status;
  static const std::array<std::vector<Status>, k_words<Move>.size()> k_sources{{
      {ready, review},
      {running},
      {running, ready, blocked, review},
      {running, ready, todo, review},
      {blocked, scheduled},
      {triage, todo, ready, blocked, review},
      {triage},
      {triage},
      {todo, ready, running, blocked, scheduled},
      {scheduled},
      {running},
      {review, running},
      {done},
      {running},
      {triage, todo, scheduled, ready, running, blocked, review, done, archived},
      {triage, todo, scheduled, ready, running, blocked, review, done},
      {archived},
  }};
  return k_sources[static_cast<std::size_t>(move)];
}

}  // namespace

bool may_move(Move move, Status from) {
  const auto& legal = sources(move);
  return std::find(legal.begin(), legal.end(), from) != legal.end();
}

Error refuse_move(Move move, const std::string& task_id, Status from) {
  std::string legal;
  for (const Status status : sources(move)) {
    legal += (legal.empty() ? "" : ", ") + std::string(to_word(status));
  }
  return {
      ErrorCode::conflict,
      fmt::format("cannot {} {}: it is {}", to_word(move), task_id, to_word(from)),
      fmt::format("{} works from {}; see `hermes kanban show {}`", to_word(move), legal, task_id)};
}

Status requeue_target(Lane lane, bool has_open_links) {
  if (has_open_links) {
    return Status::todo;
  }
  return lane == Lane::review ? Status::review : Status::ready;
}

Result<void> may_change(const Actor& actor, const std::string& board, const std::string& task_id) {
  if (!actor.worker || (actor.worker->task_id == task_id && actor.worker->board == board)) {
    return {};
  }
  // The environment of the call, which may hold anything.
  const auto shown = [](const std::string& text) { return printable(clip(text, 100)); };
  return fail(
      ErrorCode::forbidden,
      fmt::format("a worker may change only its own task ({} on board {}), not {} on board {}",
                  shown(actor.worker->task_id), shown(actor.worker->board), task_id, board),
      "inside a worker you may create, link and comment anywhere; leave the rest to a person or to "
      "that task's own worker");
}

}  // namespace hermes::rules
