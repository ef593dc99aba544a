#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "kernel/base/duration.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/facts.hpp"
#include "kernel/board/invariants.hpp"
#include "kernel/db/connection.hpp"
#include "kernel/home/env_file.hpp"
#include "kernel/home/notice.hpp"
#include "kernel/home/profile.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/programs.hpp"

namespace hermes::verbs {

namespace {

constexpr std::uintmax_t k_least_space = 16 * 1024 * 1024;

enum class Finding { ok, note, wrong };

// The report under way: what was looked at, what was found, what to do.
class Report {
 public:
  void add(Finding finding, std::string_view check, std::string subject, std::string detail,
           std::string hint = {}) {
    constexpr std::string_view k_finding_words[] = {"ok", "note", "wrong"};
    wrong_ = wrong_ || finding == Finding::wrong;
    checks_.push_back({{"check", check},
                       {"subject", std::move(subject)},
                       {"finding", k_finding_words[static_cast<std::size_t>(finding)]},
                       {"detail", std::move(detail)},
                       {"hint", std::move(hint)}});
  }
  void add(std::string_view check, std::string subject, const Error& error) {
    add(Finding::wrong, check, std::move(subject), error.message, error.hint);
  }
  bool wrong() const { return wrong_; }
  Json take() { return std::move(checks_); }

 private:
  Json checks_ = Json::array();
  bool wrong_ = false;
};

void check_filesystem(const home::Home& home, Report& report) {
  std::error_code ignored;
  const std::string dir = home.dir.string();
  if (!fs::is_directory(home.dir, ignored)) {
    report.add(Finding::wrong, "home", dir, "there is no such directory", "`hermes init` makes it");
  } else if (const auto network = network_filesystem(home.dir)) {
    report.add(Finding::wrong, "home", dir,
               fmt::format("lies on a network filesystem ({})", *network),
               "set HERMES_HOME to a directory on a local disk");
  } else if (::access(home.dir.c_str(), W_OK) != 0) {
    report.add(Finding::wrong, "home", dir, "cannot be written by this user",
               "look at its owner and mode");
  } else {
    report.add(Finding::ok, "home", dir, "local filesystem, writable");
  }
  struct stat facts {};
  if (::stat(home.dir.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0) {
    report.add(Finding::note, "home", dir, "others may look into it", "chmod 700 " + dir);
  }
  const fs::space_info space = fs::space(home.dir, ignored);
  if (!ignored && space.available < k_least_space) {
    report.add(Finding::wrong, "home", dir,
               fmt::format("only {} KiB are free on its filesystem", space.available / 1024),
               "free some space: nothing can be written without");
  }
}

// The board that commands mean, when none is named.
void check_choice(const Call& call, const home::Home& home, Report& report) {
  if (const auto chosen = home::choose_board(home, board_choice(call)); !chosen) {
    report.add("board", "the current one", chosen.error());
  }
}

// Names in the settings that no profile has are lanes of other people, or slips.
void check_named_profiles(const home::Home& home, const Limits& limits, Report& report) {
  for (const auto& [key, name] : {std::pair("default_assignee", limits.default_assignee),
                                  std::pair("reviewer", limits.reviewer)}) {
    if (std::error_code ignored; !name.empty() && !fs::exists(home.profile(name), ignored)) {
      report.add(Finding::note, "settings", key,
                 fmt::format("there is no profile '{}': somebody has to claim its tasks", name),
                 "see `hermes profile list`");
    }
  }
}

void check_config(const home::Home& home, Report& report) {
  const auto config = home::load_config(home);
  if (config) {
    report.add(Finding::ok, "settings", home.config().string(), "can be read");
    check_named_profiles(home, config->limits, report);
  } else {
    report.add("settings", home.config().string(), config.error());
  }
}

void check_profiles(const home::Home& home, const std::string& path, Report& report) {
  const std::vector<std::string> names = home::list_profiles(home);
  if (names.empty()) {
    report.add(Finding::note, "profiles", home.profiles().string(),
               "there are none, so nothing can be started",
               "`hermes init` writes one to begin with");
  }
  for (const std::string& name : names) {
    const auto profile = home::load_profile(home, name);
    if (!profile) {
      report.add("profile", name, profile.error());
    } else if (const auto problem = problem_of_command(profile->command.front(), path)) {
      report.add(Finding::wrong, "profile", name, *problem,
                 "install it, or give its whole path in " + home.profile(name).string());
    } else if (const auto secret = home::load_env_file(home, *profile); !secret) {
      report.add("profile", name, secret.error());
    } else {
      report.add(Finding::ok, "profile", name, profile->command.front());
    }
  }
}

Result<std::vector<std::string>> problems_of(db::Database& database) {
  TRY(database.check_migrations());
  TRY_ASSIGN(std::vector<std::string> problems, database.check_integrity(true));
  if (!problems.empty()) {
    return problems;
  }
  return database.read([](db::Reader& tx) -> Result<std::vector<std::string>> {
    return board::check_invariants(tx);
  });
}

void check_board(const home::BoardPaths& paths, Instant now, Report& report) {
  std::error_code ignored;
  if (!fs::exists(paths.lock(), ignored)) {
    report.add(Finding::wrong, "board", paths.slug,
               "its write gate board.lock is missing: nothing can be written",
               "`hermes init` puts it back");
    return;
  }
  if (const auto settings = home::load_board_settings(paths); !settings) {
    report.add("settings", paths.settings().string(), settings.error());
  }
  auto database = db::Database::open(home::files_of(paths), db::Database::Access::read, now);
  if (!database) {
    report.add("board", paths.slug, database.error());
    return;
  }
  const auto ended =
      database->read([](db::Reader& tx) -> Result<std::optional<board::DispatcherEnd>> {
        return board::last_dispatcher_end(tx);
      });
  if (ended && *ended) {
    report.add(Finding::ok, "dispatcher", paths.slug,
               fmt::format("the last one to end here ended {}: {}",
                           format_local_minute((*ended)->at), (*ended)->reason));
  }
  const auto problems = problems_of(*database);
  if (!problems) {
    report.add("board", paths.slug, problems.error());
    return;
  }
  for (const std::string& problem : *problems) {
    report.add(Finding::wrong, "board", paths.slug, problem,
               "keep a copy of the board's directory before anything else");
  }
  if (problems->empty()) {
    report.add(Finding::ok, "board", paths.slug, "database sound, all invariants hold");
  }
}

void check_dispatcher(Call& call, const home::Home& home, Report& report) {
  const home::DispatcherState state = call.host.dispatcher_state(home);
  if (state.alive) {
    report.add(Finding::ok, "dispatcher", home.dispatcher_lock().string(),
               state.pid ? fmt::format("running, PID {}", *state.pid) : "running");
  } else {
    report.add(Finding::note, "dispatcher", home.dispatcher_lock().string(),
               "not running: no task is started", "start it with `hermes dispatcher start`");
  }
  if (const auto held = home::read_notice(home, home::k_starts_topic); held && state.alive) {
    report.add(Finding::note, "dispatcher", "starts",
               "were held for a moment: " + held->substr(std::min(held->find(' '), held->size())));
  }
  for (const std::string_view program : {"hermes-dispatcher", "hermes-shim"}) {
    const std::string found = call.host.find_program(program);
    if (found.empty()) {
      report.add("program", std::string(program), missing_program(program, call.environment));
    } else {
      report.add(Finding::ok, "program", std::string(program), found);
    }
  }
}

Answer answer_of(Report& report) {
  Answer answer;
  answer.exit_status = report.wrong() ? 1 : 0;
  answer.value = {{"ok", !report.wrong()}, {"checks", report.take()}};
  return answer;
}

}  // namespace

Result<Answer> doctor(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  Report report;
  report.add(Finding::ok, "sqlite", "library", db::loaded_sqlite());
  check_filesystem(home, report);
  check_config(home, report);
  check_profiles(home, path_of_workers(call, home), report);
  check_dispatcher(call, home, report);
  const std::vector<std::string> boards = home::list_boards(home);
  if (!boards.empty()) {
    check_choice(call, home, report);
  }
  if (boards.empty()) {
    report.add(Finding::wrong, "board", home.boards().string(), "there is no board",
               "`hermes init` makes the first one");
  }
  for (const std::string& slug : boards) {
    check_board(home.board(slug), call.environment.now, report);
  }
  return answer_of(report);
}

Result<Answer> board_doctor(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const home::BoardPaths paths, home::choose_board(home, board_choice(call)));
  Report report;
  check_board(paths, call.environment.now, report);
  return answer_of(report);
}

}  // namespace hermes::verbs
