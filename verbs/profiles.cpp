#include "kernel/home/profile.hpp"

#include <fmt/core.h>

#include "kernel/base/text.hpp"
#include "kernel/board/gates.hpp"
#include "verbs/fleet.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/programs.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

// What all boards of the home hold for one profile.
struct Load {
  std::int64_t running = 0;     // live workers
  std::int64_t waiting = 0;     // ready tasks
  std::int64_t assigned = 0;    // tasks that are neither done nor archived
  Json paused = Json::array();  // on which boards, until when and why
};

Json pause_json(const std::string& board, const rules::Gate& gate) {
  return {{"board", board},
          {"until", seconds_or_null(gate.paused_until)},
          {"until_ms", ms_or_null(gate.paused_until)},
          {"probe_run_id", gate.probe_run ? Json(*gate.probe_run) : Json(nullptr)},
          {"reason", gate.reason}};
}

Load load_of(const std::vector<BoardLook>& looks, const std::string& profile) {
  Load load;
  for (const BoardLook& look : looks) {
    if (const auto running = look.running.find(profile); running != look.running.end()) {
      load.running += running->second;
    }
    if (const auto gate = look.gates.find(profile); gate != look.gates.end()) {
      load.paused.push_back(pause_json(look.slug, gate->second));
    }
    if (const auto tasks = look.by_assignee.find(profile); tasks != look.by_assignee.end()) {
      for (const auto& [status, n] : tasks->second) {
        load.assigned += status == Status::done ? 0 : n;
        load.waiting += status == Status::ready ? n : 0;
      }
    }
  }
  return load;
}

Json profile_json(const home::Home& home, const std::string& name, const Load& load,
                  const std::string& path) {
  const auto loaded = home::load_profile(home, name);
  const home::Profile profile = loaded.value_or(home::Profile{});
  Json error = nullptr;
  if (!loaded) {
    error = loaded.error().message;
  } else if (const auto problem = problem_of_command(profile.command.front(), path)) {
    error = *problem;
  }
  return {
      {"name", name},
      {"description", profile.description},
      {"file", home.profile(name).string()},
      {"command", profile.command},
      {"verdict", to_word(profile.verdict)},
      {"max_in_progress", profile.max_in_progress ? Json(*profile.max_in_progress) : Json(nullptr)},
      {"max_runtime_ms", profile.max_runtime ? Json(profile.max_runtime->count()) : Json(nullptr)},
      {"env_pass", profile.env_pass},
      {"env", profile.env},
      {"nice", profile.nice},
      {"memory_bytes", profile.memory_bytes},
      {"cpu_seconds", profile.cpu_seconds},
      {"running", load.running},
      {"waiting", load.waiting},
      {"paused", load.paused},
      {"error", std::move(error)}};
}

Result<std::map<std::string, std::string>> given_variables(const Values& values) {
  std::map<std::string, std::string> variables;
  for (const std::string& one : values.list("env")) {
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::usage,
                  fmt::format("--env '{}' is not NAME=VALUE", printable(clip(one, 100))),
                  "for example --env LC_ALL=C.UTF-8");
    }
    variables[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return variables;
}

Result<void> refuse_unseen(const std::vector<BoardLook>& looks) {
  for (const BoardLook& look : looks) {
    if (look.error) {
      return fail(ErrorCode::conflict,
                  fmt::format("board '{}' cannot be read, so nobody knows what it needs: {}",
                              look.slug, look.error->message),
                  "mend it first, or pass --force");
    }
  }
  return {};
}

Result<void> refuse_named(const home::Home& home, const std::string& name) {
  const auto config = home::load_config(home);
  if (config && (config->limits.default_assignee == name || config->limits.reviewer == name)) {
    return fail(ErrorCode::conflict,
                fmt::format("profile '{}' is the default assignee or the reviewer in {}", name,
                            home.config().string()),
                "change that first, or pass --force");
  }
  return {};
}

// A placeholder that is none would reach the worker as it stands.
void tell_unknown_placeholders(const std::vector<std::string>& command, Answer& answer) {
  for (const std::string& argument : command) {
    for (const std::string& word : home::unknown_placeholders(argument)) {
      answer.people_advice.push_back(
          fmt::format("note: '{}' is no placeholder and is passed as it stands; the placeholders "
                      "are {}",
                      word, join(home::placeholders(), " ")));
    }
  }
}

Result<std::string> given_name(const Call& call) {
  return home::parse_profile_name(call.values.text_or("name", ""));
}

}  // namespace

Result<Answer> profile_list(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  const std::vector<BoardLook> looks = look_at_boards(home, call.environment.now);
  Answer answer;
  answer.value = Json::array();
  for (const std::string& name : home::list_profiles(home)) {
    answer.value.push_back(
        profile_json(home, name, load_of(looks, name), path_of_workers(call, home)));
  }
  return answer;
}

Result<Answer> profile_show(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_name(call));
  if (const auto loaded = home::load_profile(home, name);
      !loaded && loaded.error().code == ErrorCode::not_found) {
    return std::unexpected(loaded.error());
  }
  Answer answer;
  answer.value = profile_json(home, name, load_of(look_at_boards(home, call.environment.now), name),
                              path_of_workers(call, home));
  answer.exit_status = answer.value["error"].is_null() ? 0 : 1;
  return answer;
}

Result<Answer> profile_create(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  const Values& values = call.values;
  home::Profile profile;
  TRY_ASSIGN(profile.name, given_name(call));
  profile.description = values.text_or("description", "");
  profile.command = values.list("command");
  profile.verdict = *from_word<VerdictMode>(values.text_or("verdict", "explicit"));
  profile.env_pass = values.list("env-pass");
  TRY_ASSIGN(profile.env, given_variables(values));
  profile.max_in_progress = values.integer("max-in-progress");
  profile.max_runtime = values.duration("max-runtime");
  TRY(home::create_home(home));
  if (const auto made = home::create_profile(home, profile); !made) {
    return std::unexpected(home::as_flag_error(made.error()));
  }
  Answer answer;
  const std::string path = path_of_workers(call, home);
  answer.value = profile_json(
      home, profile.name, load_of(look_at_boards(home, call.environment.now), profile.name), path);
  tell_unknown_placeholders(profile.command, answer);
  if (const auto problem = problem_of_command(profile.command.front(), path)) {
    answer.advice.push_back("note: " + *problem);
  }
  return answer;
}

Result<Answer> profile_delete(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_name(call));
  const std::vector<BoardLook> looks = look_at_boards(home, call.environment.now);
  const Load load = load_of(looks, name);
  if (!call.values.flag("force")) {
    TRY(refuse_unseen(looks));
    TRY(refuse_named(home, name));
  }
  if ((load.assigned > 0 || load.running > 0) && !call.values.flag("force")) {
    return fail(ErrorCode::conflict,
                fmt::format("profile '{}' is needed: {} of its tasks are not done, {} workers run",
                            name, load.assigned, load.running),
                "wait, assign them to somebody else, or pass --force: they then wait for somebody "
                "to claim them");
  }
  TRY_ASSIGN(const bool whole, home::delete_profile(home, name));
  Answer answer;
  answer.value = {{"name", name}, {"deleted", true}};
  if (!whole) {
    answer.advice.push_back(fmt::format("note: {} stays, other files are in it",
                                        home.profile(name).parent_path().string()));
  }
  return answer;
}

namespace {

// The boards of which a profile may be resumed: the one that is named, or all.
Result<std::vector<std::string>> boards_meant(const Call& call, const home::Home& home) {
  if (call.board) {
    TRY_ASSIGN(const home::BoardPaths paths, home::choose_board(home, {call.board, std::nullopt}));
    return std::vector<std::string>{paths.slug};
  }
  return home::list_boards(home);
}

Result<bool> resume_on(Call& call, const std::string& slug, const std::string& name) {
  TRY_ASSIGN(OpenBoard open, open_named_to_write(call, slug));
  return change(open, call, [&](board::Change& c) { return board::resume_profile(c, name); });
}

}  // namespace

// One board that cannot be written keeps nobody from resuming on the others.
Result<Answer> profile_resume(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_name(call));
  TRY_ASSIGN(const std::vector<std::string> slugs, boards_meant(call, home));
  Answer answer;
  Json resumed = Json::array();
  for (const std::string& slug : slugs) {
    const BoardLook look = look_at(home.board(slug), call.environment.now);
    if (!look.error && !look.gates.contains(name)) {
      continue;
    }
    const auto done = resume_on(call, slug, name);
    if (!done) {
      answer.failures.push_back(done.error());
      answer.exit_status = 1;
    } else if (*done) {
      resumed.push_back(slug);
    }
  }
  if (resumed.empty() && answer.failures.empty()) {
    if (const auto loaded = home::load_profile(home, name);
        !loaded && loaded.error().code == ErrorCode::not_found) {
      return std::unexpected(loaded.error());
    }
  }
  answer.value = {{"name", name}, {"resumed", std::move(resumed)}};
  return answer;
}

}  // namespace hermes::verbs
