#pragma once

#include "kernel/board/change.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/home/config.hpp"
#include "kernel/home/registry.hpp"
#include "verbs/call.hpp"

namespace hermes::verbs {

Result<home::Home> find_home(const Call& call);

// What the call and its environment say about the board that is meant.
home::BoardChoice board_choice(const Call& call);

// The board that a call means, opened, with what its handler needs beside it.
struct OpenBoard {
  home::Home home;
  home::BoardPaths paths;
  home::Config config;                // the defaults when config.toml cannot be used
  std::optional<Error> config_error;  // doctor and the advice of writing verbs tell it
  Actor actor;
  db::Database database;
};

// For reading: takes no gate, does not look at config.toml.
Result<OpenBoard> open_to_read(const Call& call);
// For reading what depends on the settings.
Result<OpenBoard> open_with_config(const Call& call);
// The board of that name, for reading what depends on the settings.
Result<OpenBoard> open_named(const Call& call, const std::string& slug);
// The board of that name, for writing.
Result<OpenBoard> open_named_to_write(const Call& call, const std::string& slug);
// For writing: migrates an older board.
Result<OpenBoard> open_to_write(const Call& call);

void tell_config_error(const OpenBoard& open, Answer& answer);

// One write transaction with everything a change is made with. `body` takes board::Change& and
// returns a Result.
template <class Body>
auto change_at(OpenBoard& open, Call& call, Instant now, Body body)
    -> std::invoke_result_t<Body, board::Change&> {
  db::Cancellation* cancellation = call.host.cancellation();
  return open.database.write(
      [&](db::Writer& tx) -> std::invoke_result_t<Body, board::Change&> {
        if (cancellation != nullptr && cancellation->requested()) {
          return fail(ErrorCode::unavailable, "the call was cancelled, and nothing was changed");
        }
        const Actor actor = board::identified(tx, open.actor, open.paths.slug);
        board::Change change{tx, now, actor, open.paths.slug, open.config.limits, call.random};
        return body(change);
      },
      open.config.gate_wait, cancellation);
}
// At the time of the call.
template <class Body>
auto change(OpenBoard& open, Call& call, Body body) -> std::invoke_result_t<Body, board::Change&> {
  return change_at(open, call, call.environment.now, std::move(body));
}

}  // namespace hermes::verbs
