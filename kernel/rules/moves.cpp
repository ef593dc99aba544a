#include "kernel/rules/moves.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace hermes::rules {

namespace {

struct MoveRule {
  std::string_view word;
  std::vector<Status> from;
};

const MoveRule& rule(Move move) {
  using enum Status;
  static const std::array<MoveRule, 8> k_rules{{
      {"claim", {ready, review}},
      {"heartbeat", {running}},
      {"complete", {running, ready, blocked, review}},
      {"block", {running, ready, todo, review}},
      {"unblock", {blocked, scheduled}},
      {"promote", {triage, todo, blocked}},
      {"reclaim", {running}},
      {"archive", {triage, todo, scheduled, ready, running, blocked, review, done}},
  }};
  return k_rules[static_cast<std::size_t>(move)];
}

}  // namespace

bool may_move(Move move, Status from) {
  const auto& legal = rule(move).from;
  return std::find(legal.begin(), legal.end(), from) != legal.end();
}

Error refuse_move(Move move, const std::string& task_id, Status from) {
  std::string legal;
  for (const Status status : rule(move).from) {
    legal += (legal.empty() ? "" : ", ") + std::string(to_word(status));
  }
  return {ErrorCode::conflict,
          fmt::format("cannot {} {}: it is {}", rule(move).word, task_id, to_word(from)),
          fmt::format("{} works from {}; see `hermes kanban show {}`", rule(move).word, legal,
                      task_id)};
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
  return fail(
      ErrorCode::forbidden,
      fmt::format("a worker may change only its own task ({} on board {}), not {} on board {}",
                  actor.worker->task_id, actor.worker->board, task_id, board),
      "inside a worker you may create, link and comment anywhere; leave the rest to a person or to "
      "that "
      "task's own worker");
}

}  // namespace hermes::rules
