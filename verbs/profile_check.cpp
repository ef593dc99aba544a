#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "kernel/base/secrets.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/names.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/command.hpp"
#include "kernel/home/env_file.hpp"
#include "kernel/home/worker.hpp"
#include "verbs/handlers.hpp"
#include "verbs/open.hpp"
#include "verbs/profiles.hpp"
#include "verbs/programs.hpp"

// Tries a profile without starting a worker.
namespace hermes::verbs {

namespace {

constexpr Millis k_version_limit = std::chrono::seconds{10};
constexpr std::size_t k_version_bytes = 4096;

// Programs of which it is known that --version does nothing else. A script of the user's might take
// it for a task.
constexpr std::array<std::string_view, 11> k_have_version = {
    "bash", "sh", "python3", "node", "curl", "git", "claude", "codex", "gemini", "aider", "env"};

using Variables = std::map<std::string, std::string>;

struct Sample {
  home::BoardPaths board;
  Task task;
  Run run;
};

Result<Sample> sample_of(Call& call, const home::Home& home) {
  Sample sample;
  sample.board = home.board("default");
  sample.task.id = "t_00000000";
  sample.task.title = "A sample";
  sample.task.body = "echo hello";
  if (const auto given = call.values.text("task")) {
    TRY_ASSIGN(OpenBoard open, open_to_read(call));
    sample.board = open.paths;
    TRY_ASSIGN(sample.task, open.database.read([&](db::Reader& tx) -> Result<Task> {
      TRY_ASSIGN(const std::string id, board::resolve_id(tx, *given));
      return board::get_task(tx, id);
    }));
  }
  sample.run.id = 1;
  sample.run.token = "***";
  sample.run.branch = sample.task.branch;
  sample.run.workspace_path =
      sample.task.workspace_path.value_or(sample.board.workspace(sample.task.id).string());
  return sample;
}

// A variable as the dispatcher would pass it.
std::optional<std::string> passed(Call& call, const home::Home& home, const std::string& name) {
  const home::DispatcherState state = call.host.dispatcher_state(home);
  if (state.alive && state.pid) {
    return call.host.variable_of(*state.pid, name);
  }
  const auto found = call.environment.variables.find(name);
  return found == call.environment.variables.end() ? std::nullopt : std::optional(found->second);
}

Variables dispatcher_variables(Call& call, const home::Home& home, const home::Profile& profile,
                               const Variables& secret, Json& notes) {
  std::map<std::string, std::string> from;
  for (const std::string& name : home::always_passed()) {
    if (auto value = passed(call, home, name)) {
      from[name] = *std::move(value);
    }
  }
  for (const std::string& name : profile.env_pass) {
    if (auto value = passed(call, home, name)) {
      from[name] = *std::move(value);
    } else if (!secret.contains(name) && !profile.env.contains(name)) {
      notes.push_back(fmt::format("{} is to be passed, and is not set where the dispatcher {}",
                                  name,
                                  call.host.dispatcher_state(home).alive ? "runs" : "would start"));
    }
  }
  return from;
}

Json environment_json(const home::Profile& profile, const std::map<std::string, std::string>& from,
                      const std::map<std::string, std::string>& secret,
                      const std::map<std::string, std::string>& own) {
  Json out = Json::array();
  for (const std::string& line : home::worker_environment(profile, from, secret, own)) {
    const std::string name = line.substr(0, line.find('='));
    const std::string value = line.substr(name.size() + 1);
    const bool is_own = own.contains(name);
    const bool of_file = !is_own && !profile.env.contains(name) && secret.contains(name);
    const bool hidden = of_file || is_secret_name(name) || mask_secrets(value) != value;
    out.push_back({{"name", name},
                   {"value", hidden ? "***" : value},
                   {"source", is_own                       ? "hermes"
                              : of_file                    ? "env_file"
                              : profile.env.contains(name) ? "env"
                                                           : "dispatcher"}});
  }
  return out;
}

// Where execvp(3) would find it.
std::string found_program(const std::string& command, const std::string& path) {
  if (command.find('/') != std::string::npos) {
    return command;
  }
  for (const std::string& dir : split_list(path, ':')) {
    const std::string file = (fs::path(dir) / command).string();
    if (!problem_of_command(file, path)) {
      return file;
    }
  }
  return command;
}

Json version_of(Call& call, const std::string& program, const std::string& path) {
  if (std::ranges::find(k_have_version, fs::path(program).filename().string()) ==
      k_have_version.end()) {
    return nullptr;
  }
  home::ChildCommand command;
  command.argv = {program, "--version"};
  command.environment = {"PATH=" + path, "HOME=" + call.environment.variable("HOME")};
  command.directory = "/";
  command.out_bytes = k_version_bytes;
  command.err_bytes = k_version_bytes;
  command.end_when_full = true;
  command.end_remains = true;
  const auto end = call.host.run_child(command, k_version_limit);
  const bool good = end && end->kind == home::ChildEnd::Kind::exited && end->code == 0;
  return good ? Json(printable(first_line(trim(end->out)))) : Json(nullptr);
}

bool needs_hermes(const home::Profile& profile) {
  return std::ranges::any_of(profile.command, [](const std::string& argument) {
    return argument.find("hermes kanban ") != std::string::npos ||
           argument.find("mcp_servers.hermes") != std::string::npos ||
           argument.find("\"mcpServers\"") != std::string::npos;
  });
}

}  // namespace

Result<Answer> profile_check(Call& call) {
  TRY_ASSIGN(const home::Home home, find_home(call));
  TRY_ASSIGN(const std::string name, given_profile_name(call));
  TRY_ASSIGN(const home::Profile profile, home::load_profile(home, name));
  TRY_ASSIGN(const Sample sample, sample_of(call, home));
  const std::string path = path_of_workers(call, home);
  Json problems = Json::array();
  Json notes = Json::array();
  const auto missing = problem_of_command(profile.command.front(), path);
  if (missing) {
    problems.push_back(profile.command.front().find('/') == std::string::npos
                           ? fmt::format("{} in {}", *missing, path)
                           : *missing);
  }
  const auto secret = home::load_env_file(home, profile);
  if (!secret) {
    problems.push_back(secret.error().message);
  }
  if (needs_hermes(profile) && problem_of_command("hermes", path)) {
    problems.push_back("its command uses `hermes`, which is not in the PATH of workers: " + path);
  }
  if (const fs::path socket =
          home::user_manager_socket(passed(call, home, "XDG_RUNTIME_DIR").value_or(""));
      profile.tree.any() && !home::user_manager_runs(socket)) {
    notes.push_back(
        fmt::format("its workers' trees are not bounded: no systemd of this user listens at {}",
                    socket.string()));
  }
  const auto from = dispatcher_variables(call, home, profile, secret.value_or(Variables{}), notes);
  const auto own =
      home::worker_variables(home, sample.board, sample.task, sample.run, name, "", "");
  const std::string program = missing ? "" : found_program(profile.command.front(), path);
  Answer answer;
  answer.value = {
      {"name", name},
      {"ok", problems.empty()},
      {"program", missing ? Json(nullptr) : Json(program)},
      {"version", missing ? Json(nullptr) : version_of(call, program, path)},
      {"argv", masked_arguments(home::expand_command(
                   profile, {.task_id = sample.task.id,
                             .title = sample.task.title,
                             .body = sample.task.body.value_or(""),
                             .workspace = sample.run.workspace_path.value_or(""),
                             .board = sample.board.slug,
                             .context_file = home.context_file(sample.board.slug, 1).string()}))},
      {"environment", environment_json(profile, from, secret.value_or(Variables{}), own)},
      {"problems", problems},
      {"notes", notes}};
  tell_unknown_placeholders(profile.command, answer);
  answer.exit_status = problems.empty() ? 0 : 1;
  return answer;
}

}  // namespace hermes::verbs
