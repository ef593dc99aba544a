// Boards that are put away, brought back or carried elsewhere.
#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/retention.hpp"
#include "kernel/board/stats.hpp"
#include "kernel/home/bundle.hpp"
#include "verbs/handlers.hpp"
#include "verbs/living.hpp"
#include "verbs/open.hpp"
#include "verbs/shapes.hpp"
#include "verbs/workspace.hpp"

namespace hermes::verbs {

namespace {

fs::path given_path(const Call& call, std::string_view name) {
  return expand_tilde(call.values.text_or(name, ""), call.environment.variable("HOME"));
}

// The board that `slug` names, which must exist.
Result<home::BoardPaths> named_board(const Call& call, const home::Home& home) {
  return home::choose_board(home, {call.values.text("slug"), std::nullopt});
}

// The board without what only its tables say; nothing when it cannot be opened.
std::optional<db::Database> opened_as_is(const home::BoardPaths& paths, Instant now) {
  auto database = db::Database::open(home::files_of(paths), db::Database::Access::as_is, now);
  return database ? std::optional(*std::move(database)) : std::nullopt;
}

// Runs of a copy belong to the time, or to the place, of the original.
home::Prepare aborting(Call& call, const std::string& slug, std::string_view why,
                       std::int64_t& aborted) {
  return [&call, slug, why, &aborted](db::Database& database) {
    return database.write([&](db::Writer& tx) -> Result<void> {
      const Limits limits;
      const Actor actor = call.environment.actor();
      board::Change change{tx, call.environment.now, actor, slug, limits, call.random};
      aborted = board::abort_runs(change, std::string(why));
      return {};
    });
  };
}

Millis gate_wait(const home::Home& home) {
  return home::load_config(home).value_or(home::Config{}).gate_wait;
}

std::int64_t tasks_of(db::Database& database) {
  return database
      .read([](db::Reader& tx) -> Result<std::int64_t> {
        const board::Stats stats = board::stats(tx);
        std::int64_t total = stats.archived;
        for (const auto& [status, n] : stats.by_status) {
          total += n;
        }
        return total;
      })
      .value_or(0);
}

}  // namespace

Result<Answer> boards_rename(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, named_board(call, home));
  const std::string name(trim(call.values.joined("name")));
  if (name.empty()) {
    return fail(ErrorCode::usage, "the name is blank", "say what people are to call the board");
  }
  TRY(home::change_board_setting(paths, &home::BoardSettings::name, name));
  Answer answer;
  answer.value = {{"slug", paths.slug}, {"name", name}};
  return answer;
}

Result<Answer> boards_set_default_workdir(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, named_board(call, home));
  const bool clears = !call.values.has("path");
  const fs::path given = given_path(call, "path");
  if (!clears && !given.is_absolute()) {
    return fail(ErrorCode::usage,
                fmt::format("'{}' is not an absolute path", printable(given.string())),
                "give the whole path; without a path the setting is cleared");
  }
  const fs::path path = one_spelling(given);
  TRY(home::change_board_setting(paths, &home::BoardSettings::default_workdir,
                                 clears ? "" : path.string()));
  Answer answer;
  answer.value = {{"slug", paths.slug},
                  {"default_workdir", clears ? Json(nullptr) : Json(path.string())}};
  std::error_code ignored;
  if (!clears && !fs::is_directory(path, ignored)) {
    answer.advice.push_back(
        fmt::format("note: {} is no directory; tasks that are to work there will not start before "
                    "it is one",
                    path.string()));
  }
  return answer;
}

Result<Answer> boards_rm(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, named_board(call, home));
  const Instant now = call.environment.now;
  auto database = opened_as_is(paths, now);
  const bool destroys = call.values.flag("delete");
  if (destroys && !call.values.flag("yes") && paths.slug != home::k_default_board) {
    const std::int64_t tasks = database ? tasks_of(*database) : 0;
    return fail(
        ErrorCode::conflict,
        fmt::format("this destroys board {} for good: {}, with their history, logs, "
                    "workspaces and attachments in {}",
                    paths.slug, database ? counted(tasks, "task") : "a board that cannot be read",
                    paths.dir.string()),
        "say --yes to do it; without --delete the board is only put away");
  }
  const home::Allowed allowed = [&] {
    return refuse_living_runs(call, home, paths, database ? &*database : nullptr,
                              call.host.dispatcher_state(home).alive);
  };
  Answer answer;
  answer.value = {{"slug", paths.slug}, {"action", destroys ? "deleted" : "archived"}};
  if (destroys) {
    TRY_ASSIGN(const home::TreeSize size,
               home::destroy_board(home, paths, now, gate_wait(home), allowed));
    answer.value["path"] = nullptr;
    answer.value["files"] = size.files;
    answer.value["bytes"] = size.bytes;
  } else {
    TRY_ASSIGN(const fs::path kept,
               home::archive_board(home, paths, now, gate_wait(home), allowed));
    answer.value["path"] = kept.string();
  }
  return answer;
}

Result<Answer> backup(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, home::choose_board(home, board_choice(call)));
  TRY_ASSIGN(
      db::Database database,
      db::Database::open(home::files_of(paths), db::Database::Access::as_is, call.environment.now));
  const fs::path file = given_path(call, "file");
  TRY(home::back_up(home, database, file, call.values.flag("force")));
  std::error_code ignored;
  Answer answer;
  answer.value = {{"board", paths.slug},
                  {"file", fs::absolute(file, ignored).string()},
                  {"bytes", fs::file_size(file, ignored)}};
  return answer;
}

Result<Answer> restore(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, home::choose_board(home, board_choice(call)));
  const Instant now = call.environment.now;
  const auto served = [&](const Error& lock) {
    return fail(ErrorCode::locked, lock.message,
                "stop it first (`hermes dispatcher stop`; workers go on), then restore");
  };
  // Held until the board is in its place, so that no dispatcher begins to serve it meanwhile. Where
  // there is no run/ no dispatcher has been since the last start of the machine.
  std::optional<Fd> lock;
  std::error_code ignored;
  if (fs::is_directory(home.run(), ignored)) {
    auto taken = home::take_dispatcher_lock(home);
    if (!taken) {
      return taken.error().code == ErrorCode::locked ? served(taken.error())
                                                     : std::unexpected(taken.error());
    }
    lock = *std::move(taken);
  }
  auto present = opened_as_is(paths, now);
  const auto sound = [&] {
    const auto problems = present->check_integrity(true);
    return problems && problems->empty();
  };
  const std::int64_t tasks = present && sound() ? tasks_of(*present) : 0;
  if (tasks > 0 && !call.values.flag("force")) {
    return fail(ErrorCode::conflict,
                fmt::format("board {} is sound and has {}", paths.slug, counted(tasks, "task")),
                "--force puts it away in boards/_archived and takes the other one in its place");
  }
  std::int64_t aborted = 0;
  const home::Allowed allowed = [&] {
    return refuse_living_runs(call, home, paths, present ? &*present : nullptr, false);
  };
  TRY(allowed());  // before anything is copied
  const fs::path file = given_path(call, "file");
  TRY_ASSIGN(const fs::path kept,
             home::restore_board(home, paths, file, now, gate_wait(home), allowed,
                                 aborting(call, paths.slug,
                                          "the board was restored, and the run belongs to "
                                          "another time",
                                          aborted)));
  auto restored = opened_as_is(paths, now);
  Answer answer;
  answer.value = {{"board", paths.slug},
                  {"file", fs::absolute(file, ignored).string()},
                  {"tasks", restored ? tasks_of(*restored) : 0},
                  {"aborted_runs", aborted},
                  {"kept", kept.string()}};
  return answer;
}

Result<Answer> boards_export(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, named_board(call, home));
  TRY_ASSIGN(
      db::Database database,
      db::Database::open(home::files_of(paths), db::Database::Access::as_is, call.environment.now));
  const fs::path file = given_path(call, "file");
  TRY_ASSIGN(const home::Bundled done,
             home::export_board(home, paths, database, file, call.values.flag("logs"),
                                call.values.flag("force")));
  std::error_code ignored;
  Answer answer;
  answer.value = {{"board", paths.slug}, {"file", fs::absolute(file, ignored).string()},
                  {"bytes", done.bytes}, {"attachments", done.attachments},
                  {"logs", done.logs},   {"missing", done.missing}};
  for (const std::string& name : done.missing) {
    answer.advice.push_back(
        fmt::format("note: {} is gone or cannot be read, so it was left out", printable(name)));
  }
  return answer;
}

Result<Answer> boards_import(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  std::optional<std::string> slug;
  if (call.values.has("slug")) {
    TRY_ASSIGN(slug, home::parse_slug(call.values.text_or("slug", "")));
  }
  std::int64_t aborted = 0;
  TRY_ASSIGN(const home::Imported done,
             home::import_board(home, given_path(call, "file"), slug, call.environment.now,
                                aborting(call, slug.value_or(""),
                                         "the board was imported, and the run belongs to another "
                                         "board",
                                         aborted)));
  auto database = opened_as_is(done.board, call.environment.now);
  Answer answer;
  answer.value = {{"slug", done.board.slug},
                  {"db_path", done.board.database().string()},
                  {"tasks", database ? tasks_of(*database) : 0},
                  {"attachments", done.attachments},
                  {"logs", done.logs},
                  {"aborted_runs", aborted}};
  return answer;
}

}  // namespace hermes::verbs
