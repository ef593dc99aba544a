#include "daemon/helper.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/base/files.hpp"

namespace hermes::daemon {

namespace {

// posix_spawn(3) objects, destroyed on every way out.
struct SpawnPlan {
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t files{};

  explicit SpawnPlan(const Helper& helper) {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
    sigset_t blocked;
    sigset_t all;
    sigemptyset(&blocked);
    if (helper.reads_sigterm) {
      sigaddset(&blocked, SIGTERM);
    }
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &blocked);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (helper.out >= 0) {
      posix_spawn_file_actions_adddup2(&files, helper.out, STDOUT_FILENO);
    } else {
      posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    }
    if (!helper.tells_errors) {
      posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    result.push_back(const_cast<char*>(text.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

}  // namespace

Result<Fd> start_helper(const Helper& helper) {
  const SpawnPlan plan(helper);
  const std::vector<char*> argv = pointers(helper.argv);
  const std::vector<char*> env = pointers(helper.environment);
  pid_t pid = -1;
  if (const int error_number =
          ::posix_spawn(&pid, helper.path.c_str(), &plan.files, &plan.attributes, argv.data(),
                        helper.environment.empty() ? environ : env.data());
      error_number != 0) {
    return std::unexpected(system_error("start", helper.argv.front(), error_number));
  }
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int error_number = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return std::unexpected(system_error("watch", helper.argv.front(), error_number));
  }
  return pidfd;
}

}  // namespace hermes::daemon
