#include "mcp/session.hpp"

#include <fmt/core.h>

#include <cassert>

#include "kernel/base/text.hpp"
#include "kernel/home/registry.hpp"
#include "mcp/schema.hpp"
#include "verbs/table.hpp"

namespace hermes::mcp {

namespace {

std::string variable(const Session::Variables& variables, std::string_view name) {
  const auto found = variables.find(name);
  return found == variables.end() ? "" : std::string(trim(found->second));
}

}  // namespace

Session::Session(Variables variables, bool orchestrator, verbs::Host& host)
    : variables_(std::move(variables)),
      role_(orchestrator ? Role::orchestrator : Role::nobody),
      own_task_(variable(variables_, "HERMES_KANBAN_TASK")),
      host_(host) {
  if (!own_task_.empty()) {
    role_ = Role::worker;
    own_board_ = variable(variables_, "HERMES_KANBAN_BOARD");
  } else if (role_ == Role::orchestrator) {
    (void)board_at_hand();
  }
}

bool Session::offers(const verbs::Verb& verb) const {
  using verbs::ToolOf;
  const ToolOf of = verb.properties.tool_of;
  return (role_ == Role::worker && of == ToolOf::workers) ||
         (role_ == Role::orchestrator && of != ToolOf::nobody);
}

Result<void> Session::may_read(const std::optional<std::string>& board) const {
  if (role_ != Role::worker) {
    return {};
  }
  if (own_board_.empty()) {
    return fail(ErrorCode::forbidden, "HERMES_KANBAN_BOARD does not say which board is yours",
                "it has to be passed on to this server, like HERMES_KANBAN_TASK");
  }
  if (board && *board != own_board_) {
    return fail(ErrorCode::forbidden,
                fmt::format("a worker reads its own board, '{}', and not '{}'",
                            printable(own_board_), printable(clip(*board, 100))),
                "leave the board out");
  }
  return {};
}

Result<std::optional<std::string>> Session::board_at_hand() const {
  if (role_ != Role::orchestrator || !variable(variables_, "HERMES_KANBAN_BOARD").empty()) {
    return std::nullopt;
  }
  const auto home =
      home::find_home(variable(variables_, "HERMES_HOME"), variable(variables_, "HOME"));
  if (!home) {
    return std::nullopt;
  }
  if (!board_at_hand_) {
    if (const auto current = home::choose_board(*home, {})) {
      board_at_hand_ = current->slug;
    }
  } else if (!home::require_board(*home, *board_at_hand_)) {
    return fail(ErrorCode::not_found,
                fmt::format("the board that this session began with, '{}', is gone",
                            printable(*board_at_hand_)),
                "name the board that is meant in `board`, or begin a new session");
  }
  return board_at_hand_;
}

Result<verbs::Answer> Session::call(const verbs::Verb& verb, Given given) const {
  if (verb.properties.reads_only) {
    TRY(may_read(given.board));
  }
  TRY(verbs::check(verb, given.values, parameter_name));
  const verbs::Environment environment{variables_, host_.now()};
  // The server was started wherever its agent was.
  const std::string workspace =
      role_ == Role::worker ? variable(variables_, "HERMES_KANBAN_WORKSPACE") : "";
  CallHost host(host_, cancellation_, workspace, std::move(given.input));
  SystemRandom random;
  if (!given.board && verb.group == kanban_verb("list").group) {  // not of those about all boards
    TRY_ASSIGN(given.board, board_at_hand());
  }
  verbs::Call call{verb,  std::move(given.values), std::move(given.board), true, environment, host,
                   random};
  return verbs::perform(call);
}

const verbs::Verb& kanban_verb(std::string_view name) {
  const verbs::Verb* verb = verbs::find_verb("kanban", name);
  assert(verb != nullptr);
  return *verb;
}

}  // namespace hermes::mcp
