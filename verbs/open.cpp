#include "verbs/open.hpp"

#include <fmt/core.h>

namespace hermes::verbs {

namespace {

Result<OpenBoard> open_board(const Call& call, const home::BoardChoice& choice,
                             db::Database::Access access, bool with_config) {
  TRY_ASSIGN(home::Home home, find_home(call));
  TRY_ASSIGN(home::BoardPaths paths, home::choose_board(home, choice));
  home::Config config;
  std::optional<Error> config_error;
  if (with_config) {
    // A slip in config.toml must not keep a worker from giving its verdict.
    if (auto loaded = home::load_config(home)) {
      config = *std::move(loaded);
    } else {
      config_error = std::move(loaded).error();
    }
  }
  TRY_ASSIGN(db::Database database, db::Database::open(home::files_of(paths), access,
                                                       call.environment.now, config.gate_wait));
  return OpenBoard{std::move(home),         std::move(paths),         std::move(config),
                   std::move(config_error), call.environment.actor(), std::move(database)};
}

}  // namespace

void tell_config_error(const OpenBoard& open, Answer& answer) {
  if (open.config_error) {
    answer.advice.push_back("note: the defaults apply, because " + open.config_error->message);
  }
}

Result<home::Home> find_home(const Call& call) {
  return home::find_home(call.environment.variable("HERMES_HOME"),
                         call.environment.variable("HOME"));
}

home::BoardChoice board_choice(const Call& call) {
  const std::string set = call.environment.variable("HERMES_KANBAN_BOARD");
  return {call.board, set.empty() ? std::nullopt : std::optional(set)};
}

Result<OpenBoard> open_to_read(const Call& call) {
  return open_board(call, board_choice(call), db::Database::Access::read, false);
}

Result<OpenBoard> open_with_config(const Call& call) {
  return open_board(call, board_choice(call), db::Database::Access::read, true);
}

Result<OpenBoard> open_named(const Call& call, const std::string& slug) {
  return open_board(call, {slug, std::nullopt}, db::Database::Access::read, true);
}

Result<OpenBoard> open_named_to_write(const Call& call, const std::string& slug) {
  return open_board(call, {slug, std::nullopt}, db::Database::Access::write, true);
}

Result<OpenBoard> open_to_write(const Call& call) {
  return open_board(call, board_choice(call), db::Database::Access::write, true);
}

}  // namespace hermes::verbs
