#include "daemon/starter.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/json.hpp"
#include "kernel/home/env_file.hpp"
#include "kernel/home/worker.hpp"

namespace hermes::daemon {

namespace {

constexpr std::int64_t k_older_attempt_bytes = 64 * 1024;
constexpr int k_cut_attempts = 3;

// Logs of earlier attempts are cut to their last part when the next one starts. The one before is
// enough: those before it were cut then, and a few more in case a start was skipped.
void cut_older_logs(const home::BoardPaths& board, const Run& run) {
  for (std::int64_t attempt = std::max<std::int64_t>(run.attempt - k_cut_attempts, 1);
       attempt < run.attempt; ++attempt) {
    std::error_code problem;
    home::fs::remove(board.older_log(run.task_id, attempt), problem);
    const auto path = board.log(run.task_id, attempt);
    const auto size = home::fs::file_size(path, problem);
    if (problem || size <= static_cast<std::uintmax_t>(k_older_attempt_bytes)) {
      continue;
    }
    if (const auto whole = read_file(path, 64 * 1024 * 1024)) {
      const std::string_view text = *whole;
      (void)write_file_atomically(path, text.substr(text.size() - k_older_attempt_bytes));
    }
  }
}

}  // namespace

Starter::Starter(home::Home home, home::fs::path shim, std::string boot)
    : home_(std::move(home)), shim_(std::move(shim)), boot_(std::move(boot)) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (const auto equals = text.find('='); equals != std::string_view::npos) {
      own_environment_.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
}

home::fs::path Starter::user_manager_socket() const {
  const auto found = own_environment_.find("XDG_RUNTIME_DIR");
  return home::user_manager_socket(found == own_environment_.end() ? "" : found->second);
}

bool Starter::wants_context(const home::Profile& profile) {
  return std::any_of(profile.command.begin(), profile.command.end(),
                     [](const std::string& argument) {
                       return argument.find("{context_file}") != std::string::npos;
                     });
}

Result<std::vector<std::string>> Starter::environment(const home::BoardPaths& board,
                                                      const Task& task, const Run& run,
                                                      const home::Profile& profile) const {
  TRY_ASSIGN(const auto secret, home::load_env_file(home_, profile));
  const auto options = board::parse_json<nlohmann::json>(task.worker_options);
  const auto asked = [&](const char* key) {
    return options.is_object() && options.contains(key) && options[key].is_string()
               ? options[key].get<std::string>()
               : std::string();
  };
  return home::worker_environment(profile, own_environment_, secret,
                                  home::worker_variables(home_, board, task, run, profile.name,
                                                         asked("model"), asked("provider")));
}

Result<workers::HeldShim> Starter::start(const home::BoardPaths& board, const Task& task,
                                         const Run& run, const home::Profile& profile,
                                         const home::Config& config,
                                         const std::optional<std::string>& context) const {
  workers::Launch launch;
  const auto context_file = home_.context_file(board.slug, run.id);
  if (context) {
    TRY(write_file_atomically(context_file, *context));
  }
  launch.argv = home::expand_command(profile, {.task_id = task.id,
                                               .title = task.title,
                                               .body = task.body.value_or(""),
                                               .workspace = run.workspace_path.value_or(""),
                                               .board = board.slug,
                                               .context_file = context_file.string()});
  TRY_ASSIGN(launch.env, environment(board, task, run, profile));
  launch.cwd = run.workspace_path.value_or("/");
  launch.record = home_.record(board.slug, run.id);
  launch.log = board.log(task.id, run.attempt);
  launch.log_older = board.older_log(task.id, run.attempt);
  launch.token = run.token;
  launch.boot = boot_;
  launch.log_cap_bytes = config.log_rotate_bytes;
  launch.max_runtime = task.max_runtime.value_or(profile.max_runtime.value_or(Millis{0}));
  launch.stop_grace = config.limits.stop_grace;
  launch.nice = profile.nice;
  launch.memory_bytes = profile.memory_bytes;
  launch.cpu_seconds = profile.cpu_seconds;
  launch.io_priority = home::io_priority(profile);
  if (run.attempt > 1) {
    cut_older_logs(board, run);
  }
  return workers::start_shim(shim_, launch);
}

namespace {

// The first of these places, seen from our own program, where something can be executed.
std::optional<home::fs::path> beside_us(std::initializer_list<const char*> places) {
  std::error_code problem;
  const home::fs::path here = home::fs::read_symlink("/proc/self/exe", problem).parent_path();
  for (const char* place : places) {
    if (::access((here / place).c_str(), X_OK) == 0) {
      return home::fs::canonical(here / place, problem);
    }
  }
  return std::nullopt;
}

}  // namespace

Result<home::fs::path> find_hermes() {
  if (auto found = beside_us({"hermes", "../cli/hermes"})) {
    return *std::move(found);
  }
  return fail(ErrorCode::unavailable, "hermes is not beside hermes-dispatcher",
              "install the two into one directory");
}

Result<home::fs::path> find_shim() {
  if (const char* chosen = std::getenv("HERMES_SHIM"); chosen != nullptr && *chosen != '\0') {
    if (::access(chosen, X_OK) != 0) {
      return fail(ErrorCode::unavailable,
                  fmt::format("HERMES_SHIM is '{}', which cannot be executed", chosen),
                  "unset it, or name hermes-shim in it");
    }
    return home::fs::path(chosen);
  }
  if (auto found =
          beside_us({"../libexec/hermes/hermes-shim", "hermes-shim", "shim/hermes-shim"})) {
    return *std::move(found);
  }
  std::error_code problem;
  const home::fs::path here = home::fs::read_symlink("/proc/self/exe", problem).parent_path();
  return fail(ErrorCode::unavailable, fmt::format("hermes-shim is not beside {}", here.string()),
              "install it to ../libexec/hermes/, or name it in HERMES_SHIM");
}

}  // namespace hermes::daemon
