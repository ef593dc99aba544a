#include "verbs/open.hpp"

#include <fmt/core.h>

#include "kernel/base/text.hpp"

namespace hermes::verbs {

namespace {

// A worker that writes to another board than its own: one that its own board still knows, under the
// name that it has there. Error: not_yours.
Result<Actor> known_elsewhere(const Call& call, const home::Home& home, Actor actor) {
  const WorkerIdentity& worker = *actor.worker;
  const auto unknown = [&](const std::string& why) {
    return fail(ErrorCode::not_yours,
                fmt::format("run {} of {} is not known to be yours: {}", worker.run_id,
                            printable(clip(worker.task_id, 100)), why),
                "stop working on it; nothing was changed");
  };
  if (worker.board.empty()) {
    return unknown("HERMES_KANBAN_BOARD does not say on which board it is");
  }
  const auto own = home::choose_board(home, {worker.board, std::nullopt});
  if (!own) {
    return unknown(own.error().message);
  }
  // That it cannot be read just now says nothing about the run.
  TRY_ASSIGN(auto database, db::Database::open(home::files_of(*own), db::Database::Access::read,
                                               call.environment.now));
  return database.read([&](db::Reader& tx) -> Result<Actor> {
    TRY(board::may_add(tx, worker));
    actor.name = board::identified(tx, actor, worker.board).name;
    return actor;
  });
}

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
  Actor actor = call.environment.actor();
  if (access == db::Database::Access::write && actor.worker && actor.worker->board != paths.slug) {
    TRY_ASSIGN(actor, known_elsewhere(call, home, std::move(actor)));
  }
  TRY_ASSIGN(db::Database database, db::Database::open(home::files_of(paths), access,
                                                       call.environment.now, config.gate_wait));
  return OpenBoard{std::move(home),         std::move(paths), std::move(config),
                   std::move(config_error), std::move(actor), std::move(database)};
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
