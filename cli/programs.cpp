#include "cli/programs.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return ::access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path, ignored);
}

std::vector<fs::path> places() {
  std::error_code ignored;
  const fs::path own = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  std::vector<fs::path> dirs;
  if (!own.empty()) {
    dirs = {own, own.parent_path() / "libexec" / "hermes", own.parent_path() / "daemon",
            own.parent_path() / "daemon" / "shim"};
  }
  const char* path = ::getenv("PATH");
  for (const std::string& dir : split_list(path == nullptr ? "" : path, ':')) {
    dirs.emplace_back(dir);
  }
  return dirs;
}

std::vector<char*> argv_of(const std::string& path, const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  return argv;
}

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace

std::string find_program(std::string_view name) {
  const char* set = ::getenv(name == "hermes-dispatcher" ? "HERMES_DISPATCHER" : "HERMES_SHIM");
  if (set != nullptr && *set != '\0') {
    return is_program(set) ? set : "";
  }
  for (const fs::path& dir : places()) {
    if (const fs::path file = dir / name; is_program(file)) {
      return file.string();
    }
  }
  return "";
}

Result<int> become_program(const std::string& path, const std::vector<std::string>& arguments) {
  ::signal(SIGPIPE, SIG_DFL);  // ignored signals stay ignored across exec
  ::execv(path.c_str(), argv_of(path, arguments).data());
  const int error_number = errno;
  ::signal(SIGPIPE, SIG_IGN);
  return std::unexpected(system_error("execute", path, error_number));
}

Result<int> run_quietly(const std::string& path, const std::vector<std::string>& arguments) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int problem = ::posix_spawn(&pid, path.c_str(), &files, &attributes,
                                    argv_of(path, arguments).data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (problem != 0) {
    return std::unexpected(system_error("execute", path, problem));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      return std::unexpected(system_error("wait for", path, errno));
    }
  }
  return status_of(status);
}

}  // namespace hermes::cli
