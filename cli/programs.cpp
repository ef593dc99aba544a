#include "cli/programs.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_output_bytes = 64 * 1024;

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

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) {
    out.push_back(const_cast<char*>(text.c_str()));
  }
  out.push_back(nullptr);
  return out;
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

namespace {

// What a child is started with: files, a default SIGPIPE, perhaps a session of its own.
class SpawnPlan {
 public:
  explicit SpawnPlan(short flags = 0) {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    sigset_t none;  // what is blocked here, in a server of agents, is none of the child's business
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | flags));
    open(STDIN_FILENO, "/dev/null", O_RDONLY);
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&files_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void open(int fd, const char* path, int flags) {
    posix_spawn_file_actions_addopen(&files_, fd, path, flags, 0600);
  }
  void change_directory(const char* path) { posix_spawn_file_actions_addchdir_np(&files_, path); }
  void duplicate(int from, int to) { posix_spawn_file_actions_adddup2(&files_, from, to); }

  // `search`: in PATH.
  Result<pid_t> spawn(const std::string& path, const std::vector<std::string>& arguments,
                      bool search) const {
    pid_t pid = -1;
    const int problem = (search ? ::posix_spawnp : ::posix_spawn)(
        &pid, path.c_str(), &files_, &attributes_, argv_of(path, arguments).data(), environ);
    if (problem != 0) {
      return std::unexpected(system_error("execute", path, problem));
    }
    return pid;
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

Result<int> wait_for(pid_t pid, const std::string& path) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      return std::unexpected(system_error("wait for", path, errno));
    }
  }
  return status_of(status);
}

// Until end of file or the deadline; false: it is not over yet.
bool read_until(int fd, std::chrono::steady_clock::time_point deadline, std::string& text) {
  while (true) {
    const auto left =
        std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now()).count();
    pollfd item{fd, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&item, 1, static_cast<int>(left));
    if (ready == 0) {
      return false;
    }
    char piece[4096];
    const ssize_t got = ready < 0 ? -1 : ::read(fd, piece, sizeof piece);
    if (got == 0 || (got < 0 && errno != EINTR)) {
      return true;
    }
    if (got > 0 && text.size() < k_output_bytes) {
      text.append(piece, static_cast<std::size_t>(got));
    }
  }
}

}  // namespace

Result<int> run_quietly(const std::string& path, const std::vector<std::string>& arguments) {
  SpawnPlan plan;
  plan.open(STDOUT_FILENO, "/dev/null", O_WRONLY);
  TRY_ASSIGN(const pid_t pid, plan.spawn(path, arguments, false));
  return wait_for(pid, path);
}

Result<verbs::Host::ProgramEnd> run_and_read(const std::vector<std::string>& argv, Millis limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return std::unexpected(system_error("make a pipe for", argv.front(), errno));
  }
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  SpawnPlan plan;
  plan.duplicate(writing.get(), STDOUT_FILENO);
  plan.duplicate(writing.get(), STDERR_FILENO);
  TRY_ASSIGN(const pid_t pid, plan.spawn(argv.front(), {argv.begin() + 1, argv.end()}, true));
  writing.reset();
  verbs::Host::ProgramEnd end;
  if (!read_until(reading.get(), deadline, end.output)) {
    ::kill(pid, SIGKILL);  // a child that we have not waited for: the PID is its own
    (void)wait_for(pid, argv.front());
    return fail(ErrorCode::unavailable,
                fmt::format("{} did not end within {} ms", argv.front(), limit.count()),
                "try it by hand: " + join(argv, " "));
  }
  TRY_ASSIGN(end.status, wait_for(pid, argv.front()));
  return end;
}

Result<pid_t> start_in_background(const std::string& path,
                                  const std::vector<std::string>& arguments, const fs::path& log) {
  TRY_ASSIGN(const Fd output, open_for_appending(log));
  SpawnPlan plan(POSIX_SPAWN_SETSID);
  plan.duplicate(output.get(), STDOUT_FILENO);
  plan.duplicate(output.get(), STDERR_FILENO);
  plan.change_directory("/");  // it keeps nobody's directory or mount busy
  return plan.spawn(path, arguments, false);
}

bool has_ended(pid_t child) {
  int status = 0;
  const pid_t got = ::waitpid(child, &status, WNOHANG);
  return got == child || (got < 0 && errno == ECHILD);
}

Result<int> run_attached(const std::vector<std::string>& argv,
                         const std::vector<std::string>& environment) {
  std::vector<char*> words = pointers(argv);
  std::vector<char*> lines = pointers(environment);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t ours;
  sigemptyset(&ours);
  for (const int number : {SIGPIPE, SIGINT, SIGQUIT}) {
    sigaddset(&ours, number);
  }
  posix_spawnattr_setsigdefault(&attributes, &ours);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const auto interrupt = ::signal(SIGINT, SIG_IGN);
  const auto quit = ::signal(SIGQUIT, SIG_IGN);
  pid_t pid = -1;
  const int error_number =
      ::posix_spawnp(&pid, argv.front().c_str(), nullptr, &attributes, words.data(), lines.data());
  posix_spawnattr_destroy(&attributes);
  int status = 0;
  while (error_number == 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  ::signal(SIGINT, interrupt);
  ::signal(SIGQUIT, quit);
  if (error_number != 0) {
    return std::unexpected(system_error("execute", argv.front(), error_number));
  }
  return status_of(status);
}

}  // namespace hermes::cli
