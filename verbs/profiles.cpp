#include "verbs/profiles.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/gates.hpp"
#include "kernel/home/env_file.hpp"
#include "kernel/home/settings.hpp"
#include "kernel/home/settings_edit.hpp"
#include "kernel/home/templates.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/programs.hpp"
#include "verbs/shapes.hpp"

namespace hermes::verbs {

namespace {

Json pause_json(const std::string& board, const rules::Gate& gate) {
  return {{"board", board},
          {"until", seconds_or_null(gate.paused_until)},
          {"until_ms", ms_or_null(gate.paused_until)},
          {"probe_run_id", gate.probe_run ? Json(*gate.probe_run) : Json(nullptr)},
          {"reason", gate.reason}};
}

Json failure_json(const std::string& board, const board::FailedRun& failed) {
  return {{"board", board},
          {"task_id", failed.task_id},
          {"outcome", to_word(failed.outcome)},
          {"error", or_null(failed.error)},
          {"at", failed.at.ms / 1000},
          {"at_ms", failed.at.ms}};
}

}  // namespace

Load load_of(const std::vector<BoardLook>& looks, const std::string& profile) {
  Load load;
  for (const BoardLook& look : looks) {
    if (const auto running = look.running.find(profile); running != look.running.end()) {
      load.running += running->second;
    }
    if (const auto gate = look.gates.find(profile); gate != look.gates.end()) {
      load.paused.push_back(pause_json(look.slug, gate->second));
    }
    if (const auto failed = look.failures.find(profile); failed != look.failures.end()) {
      const bool newer = load.last_failure.is_null() ||
                         load.last_failure["at_ms"].get<std::int64_t>() < failed->second.at.ms;
      load.last_failure =
          newer ? failure_json(look.slug, failed->second) : std::move(load.last_failure);
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

namespace {

// What a value of the profile's own `env` is shown as.
Json shown_variables(const std::map<std::string, std::string>& env) {
  Json out = Json::object();
  for (const auto& [name, value] : env) {
    out[name] = is_secret_name(name) ? masked_value(value) : mask_secrets(value);
  }
  return out;
}

}  // namespace

Json masked_arguments(const std::vector<std::string>& arguments) {
  Json out = Json::array();
  for (const std::string& argument : arguments) {
    out.push_back(mask_secrets(argument));
  }
  return out;
}

Json limits_of_profile(const home::Profile& profile) {
  return {{"nice", profile.nice},
          {"memory_bytes", profile.memory_bytes},
          {"cpu_seconds", profile.cpu_seconds},
          {"io", profile.io},
          {"tree_memory_bytes", profile.tree.memory_bytes},
          {"tree_cpu_percent", profile.tree.cpu_percent}};
}

namespace {

Json json_of(const home::Home& home, const std::string& name, const Load& load,
             const std::string& path, std::optional<std::int64_t> cap) {
  const auto loaded = home::load_profile(home, name);
  const home::Profile profile = loaded.value_or(home::Profile{});
  Json error = nullptr;
  if (!loaded) {
    error = loaded.error().message;
  } else if (const auto problem = problem_of_command(profile.command.front(), path)) {
    error = *problem;
  } else if (const auto secret = home::load_env_file(home, profile); !secret) {
    error = secret.error().message;
  }
  Json out{
      {"name", name},
      {"description", profile.description},
      {"file", home.profile(name).string()},
      {"command", masked_arguments(profile.command)},
      {"verdict", to_word(profile.verdict)},
      {"max_in_progress", profile.max_in_progress ? Json(*profile.max_in_progress) : Json(nullptr)},
      {"max_runtime_ms", profile.max_runtime ? Json(profile.max_runtime->count()) : Json(nullptr)},
      {"env_pass", profile.env_pass},
      {"env", shown_variables(profile.env)},
      {"env_file",
       profile.env_file.empty() ? Json(nullptr) : Json(home::env_file_of(home, profile).string())},
      {"cap", profile.max_in_progress ? Json(*profile.max_in_progress)
              : cap                   ? Json(*cap)
                                      : Json(nullptr)},
      {"running", load.running},
      {"waiting", load.waiting},
      {"paused", load.paused},
      {"last_failure", load.last_failure},
      {"error", std::move(error)}};
  out.update(limits_of_profile(profile));
  return out;
}

std::optional<std::int64_t> cap_of_all(const home::Home& home) {
  const auto config = home::load_config(home);
  return config ? config->limits.max_in_progress_per_profile : std::nullopt;
}

}  // namespace

Json profile_json(Call& call, const home::Home& home, const std::string& name) {
  const auto looks = look_at_boards(home, call.environment.now, {}, {name});
  return json_of(home, name, load_of(looks, name), path_of_workers(call, home), cap_of_all(home));
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

Result<std::string> given_profile_name(const Call& call) {
  return home::parse_profile_name(call.values.text_or("name", ""));
}

namespace {

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

}  // namespace

Result<Answer> profile_list(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  const std::vector<std::string> names = home::list_profiles(home);
  const std::vector<BoardLook> looks = look_at_boards(home, call.environment.now, {}, names);
  const std::string path = path_of_workers(call, home);
  const auto cap = cap_of_all(home);
  Answer answer;
  answer.value = Json::array();
  for (const std::string& name : names) {
    answer.value.push_back(json_of(home, name, load_of(looks, name), path, cap));
  }
  return answer;
}

Result<Answer> profile_show(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_profile_name(call));
  if (const auto text = home::read_profile_text(home, name);
      !text && text.error().code == ErrorCode::not_found) {
    return std::unexpected(text.error());
  }
  Answer answer;
  answer.value = profile_json(call, home, name);
  answer.exit_status = answer.value["error"].is_null() ? 0 : 1;
  return answer;
}

namespace {

home::Profile given_profile(const Values& values, std::string name,
                            std::map<std::string, std::string> env) {
  home::Profile profile;
  profile.name = std::move(name);
  profile.description = values.text_or("description", "");
  profile.command = values.list("command");
  profile.verdict = *from_word<VerdictMode>(values.text_or("verdict", "explicit"));
  profile.env_pass = values.list("env-pass");
  profile.env = std::move(env);
  profile.max_in_progress = values.integer("max-in-progress");
  profile.max_runtime = values.duration("max-runtime");
  return profile;
}

// The keys of profile.toml that the flags speak of, as TOML.
std::vector<std::pair<std::string, std::string>> given_keys(
    const Values& values, const home::Profile& profile, const std::vector<std::string>& passed) {
  std::vector<std::pair<std::string, std::string>> keys;
  if (values.has("description")) {
    keys.emplace_back("description", home::toml_text(profile.description));
  }
  if (values.has("command")) {
    keys.emplace_back("command", home::toml_texts(profile.command));
  }
  if (values.has("verdict")) {
    keys.emplace_back("verdict", home::toml_text(to_word(profile.verdict)));
  }
  if (values.has("env-pass")) {
    keys.emplace_back("env_pass", home::toml_texts(passed));
  }
  if (profile.max_in_progress) {
    keys.emplace_back("max_in_progress", std::to_string(*profile.max_in_progress));
  }
  if (profile.max_runtime) {
    keys.emplace_back("max_runtime", home::toml_duration(*profile.max_runtime));
  }
  for (const auto& [name, value] : profile.env) {
    keys.emplace_back("env." + name, home::toml_text(value));
  }
  return keys;
}

// The template with what was given; variables to be passed are added to its own.
Result<std::string> filled_template(const Values& values, const home::Profile& given) {
  const std::string file(home::k_given);
  TRY_ASSIGN(std::string text, home::profile_template(values.text_or("template", "")));
  TRY_ASSIGN(const home::Profile base, home::parse_profile(text, given.name, file));
  std::vector<std::string> passed = base.env_pass;
  for (const std::string& name : given.env_pass) {
    if (std::ranges::find(passed, name) == passed.end()) {
      passed.push_back(name);
    }
  }
  for (const auto& [key, value] : given_keys(values, given, passed)) {
    TRY_ASSIGN(text, home::with_setting(text, key, value, file));
  }
  return text;
}

Result<void> create_given(const home::Home& home, const Values& values,
                          const home::Profile& given) {
  if (!values.has("template")) {
    if (given.command.empty()) {
      return fail(ErrorCode::usage, "COMMAND is missing",
                  "give the worker's program and arguments after '--', or --template: `hermes "
                  "profile templates` lists them");
    }
    TRY(home::create_home(home));
    return home::create_profile(home, given);
  }
  TRY_ASSIGN(const std::string text, filled_template(values, given));
  TRY(home::create_home(home));
  return home::create_profile(home, given.name, text);
}

}  // namespace

Result<Answer> profile_create(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_profile_name(call));
  TRY_ASSIGN(auto env, given_variables(call.values));
  if (const auto made =
          create_given(home, call.values, given_profile(call.values, name, std::move(env)));
      !made) {
    return std::unexpected(home::as_flag_error(made.error()));
  }
  TRY_ASSIGN(const home::Profile profile, home::load_profile(home, name));
  Answer answer;
  const std::string path = path_of_workers(call, home);
  answer.value = profile_json(call, home, name);
  tell_unknown_placeholders(profile.command, answer);
  if (const auto problem = problem_of_command(profile.command.front(), path)) {
    answer.advice.push_back("note: " + *problem);
  }
  if (call.values.has("template")) {
    answer.people_advice.push_back(
        fmt::format("note: its file says line by line what may be changed; `hermes profile edit "
                    "{0}` opens it, `hermes profile check {0}` tries it",
                    name));
  }
  return answer;
}

Result<Answer> profile_templates(Call&) {
  Answer answer;
  answer.value = Json::array();
  for (const std::string_view name : home::template_names()) {
    TRY_ASSIGN(const std::string text, home::profile_template(name));
    TRY_ASSIGN(const home::Profile profile,
               home::parse_profile(text, std::string(name), std::string(name)));
    answer.value.push_back({{"name", name},
                            {"description", profile.description},
                            {"verdict", to_word(profile.verdict)},
                            {"text", text}});
  }
  return answer;
}

Result<Answer> profile_delete(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_profile_name(call));
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
  TRY_ASSIGN(const std::string name, given_profile_name(call));
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
