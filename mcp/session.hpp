#pragma once

#include <map>
#include <optional>
#include <string>

#include "mcp/host.hpp"
#include "verbs/call.hpp"

namespace hermes::mcp {

using verbs::Json;

// Who is served decides what is offered. A task in the environment makes a worker, whatever else is
// asked for.
enum class Role { nobody, worker, orchestrator };

// What does not change while the server lives.
class Session {
 public:
  using Variables = std::map<std::string, std::string, std::less<>>;
  Session(Variables variables, bool orchestrator, verbs::Host& host);

  Role role() const { return role_; }
  // Of a worker; "" else.
  const std::string& own_task() const { return own_task_; }
  const std::string& own_board() const { return own_board_; }

  // Whether the tool of the verb is offered here.
  bool offers(const verbs::Verb& verb) const;

  // A worker reads its own board and no other. Error: forbidden.
  Result<void> may_read(const std::optional<std::string>& board) const;

  // Of an orchestrator that names none: the board that was current when there was one first, so
  // that whoever switches boards in a terminal moves no session. Nothing for all others, whose
  // environment says it. Error: not_found when that board is gone.
  Result<std::optional<std::string>> board_at_hand() const;

  struct Given {
    verbs::Values values;
    std::optional<std::string> board = {};
    std::string input = {};  // what the verb reads as its standard input
  };
  // The way of the command line: the arguments are checked against the table, then the handler is
  // called, with the time of this moment.
  Result<verbs::Answer> call(const verbs::Verb& verb, Given given) const;

  // Of the call that runs: there is never more than one.
  db::Cancellation& cancellation() { return cancellation_; }

 private:
  Variables variables_;
  Role role_;
  std::string own_task_;
  std::string own_board_;
  mutable std::optional<std::string> board_at_hand_;
  verbs::Host& host_;
  mutable db::Cancellation cancellation_;
};

// The verb of that name on a board; it exists.
const verbs::Verb& kanban_verb(std::string_view name);

}  // namespace hermes::mcp
