#include "kernel/home/git.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t k_out_bytes = 4 * 1024 * 1024;
constexpr std::size_t k_err_bytes = 4096;
constexpr Millis k_lock_step{20};
constexpr int k_term_grace_ms = 2000;
constexpr int k_kill_grace_ms = 5000;
constexpr int k_lock_in_git = 3;

// HERMES_HOME tells who looks at the processes whose git it is.
constexpr std::array k_passed{
    "PATH",       "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH",
    "HERMES_HOME"};

std::vector<std::string> environment() {
  // GIT_ALLOW_PROTOCOL is stronger than any protocol.*.allow of a configuration file.
  std::vector<std::string> all{"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0",
                               "GIT_ALLOW_PROTOCOL=none", "GIT_ASKPASS=/bin/false"};
  for (const char* name : k_passed) {
    if (const char* text = std::getenv(name); text != nullptr) {
      all.push_back(fmt::format("{}={}", name, text));
    }
  }
  return all;
}

std::vector<std::string> command(const fs::path& dir, const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"git",
                               "-C",
                               dir.string(),
                               "-c",
                               "core.hooksPath=/dev/null",
                               "-c",
                               "core.fsmonitor=false",
                               "-c",
                               "gc.auto=0",
                               "-c",
                               "maintenance.auto=false",
                               "-c",
                               "submodule.recurse=false"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) {
    result.push_back(const_cast<char*>(text.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::unexpected(system_error("create a pipe for", "git", errno));
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// posix_spawn(3) objects, destroyed on every way out.
struct SpawnPlan {
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t files{};

  SpawnPlan(int out, int err, int lock) {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);  // so that it can be ended with all it has started
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (lock >= 0) {
      posix_spawn_file_actions_adddup2(&files, lock, k_lock_in_git);
    }
    posix_spawn_file_actions_addclosefrom_np(&files, lock >= 0 ? k_lock_in_git + 1 : 3);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

// Takes what is there. False at the end of the file.
bool drain(const Fd& from, std::string& into, std::size_t most) {
  std::array<char, 16 * 1024> bytes{};
  while (true) {
    const ssize_t got = ::read(from.get(), bytes.data(), bytes.size());
    if (got > 0) {
      into.append(bytes.data(), std::min(static_cast<std::size_t>(got), most - into.size()));
    } else if (got == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

bool ends_within(const Fd& pidfd, int milliseconds) {
  pollfd ended{pidfd.get(), POLLIN, 0};
  return ::poll(&ended, 1, milliseconds) == 1;
}

// SIGTERM first: git then removes its lock files and what it has begun.
void end_group(pid_t group, const Fd& pidfd) {
  ::kill(-group, SIGTERM);
  (void)ends_within(pidfd, k_term_grace_ms);
  ::kill(-group, SIGKILL);
  (void)ends_within(pidfd, k_kill_grace_ms);
}

}  // namespace

Git::Git(Millis limit, int cancel_fd)
    : until_(steady_clock::now() + limit), limit_(limit), cancel_fd_(cancel_fd) {}

int Git::remaining_ms() const {
  const auto left = std::chrono::duration_cast<Millis>(until_ - steady_clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

bool Git::cancelled() const {
  pollfd item{cancel_fd_, POLLIN, 0};
  return cancel_fd_ >= 0 && ::poll(&item, 1, 0) == 1;
}

Error Git::stopped() const {
  if (cancelled()) {
    return {ErrorCode::conflict, "git was stopped before it was done", ""};
  }
  return {ErrorCode::busy, fmt::format("git was not done within {} s", limit_.count() / 1000),
          "is the disk slow, or the repository used by another git? It is tried again"};
}

Result<void> Git::in_time() const {
  if (cancelled() || remaining_ms() == 0) {
    return std::unexpected(stopped());
  }
  return {};
}

Result<Git::Answer> Git::ask(const fs::path& dir, const std::vector<std::string>& arguments) {
  TRY(in_time());
  TRY_ASSIGN(Pipe out, make_pipe());
  TRY_ASSIGN(Pipe err, make_pipe());
  const std::vector<std::string> words = command(dir, arguments);
  const std::vector<std::string> variables = environment();
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> env = pointers(variables);
  const SpawnPlan plan(out.write.get(), err.write.get(), lock_ ? lock_.get() : -1);
  pid_t pid = -1;
  const int error_number =
      ::posix_spawnp(&pid, "git", &plan.files, &plan.attributes, argv.data(), env.data());
  if (error_number == ENOENT || error_number == EACCES) {
    return fail(ErrorCode::invalid, "there is no git in PATH, and a worktree needs it",
                "install the package git");
  }
  if (error_number != 0) {
    return std::unexpected(system_error("start", "git", error_number));
  }
  out.write.reset();
  err.write.reset();
  return attend(pid, std::move(out.read), std::move(err.read));
}

// Until git itself has ended: what it may have left behind can keep its output open for ever.
Result<Git::Answer> Git::attend(pid_t pid, Fd out, Fd err) const {
  // Our child and not reaped yet: neither the PID nor its group can be another's.
  const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int error_number = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return std::unexpected(system_error("watch", "git", error_number));
  }
  Answer answer;
  bool ended = false;
  while (!ended) {
    std::array<pollfd, 4> items{{{pidfd.get(), POLLIN, 0},
                                 {out.get(), POLLIN, 0},
                                 {err.get(), POLLIN, 0},
                                 {cancel_fd_, POLLIN, 0}}};  // a negative one is passed over
    const int ready = ::poll(items.data(), items.size(), remaining_ms());
    ended = ready > 0 && items[0].revents != 0;
    if (ready == 0 || (ready > 0 && items[3].revents != 0 && !ended)) {
      end_group(pid, pidfd);
      siginfo_t unused{};
      ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &unused, WEXITED | WNOHANG);
      return std::unexpected(stopped());
    }
    if (out && !drain(out, answer.out, k_out_bytes)) {
      out.reset();
    }
    if (err && !drain(err, answer.err, k_err_bytes)) {
      err.reset();
    }
  }
  siginfo_t status{};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &status, WEXITED | WNOHANG);
  if (status.si_code != CLD_EXITED) {
    return fail(ErrorCode::unavailable,
                fmt::format("git was killed by signal {}", status.si_status),
                "is there enough memory? It is tried again");
  }
  answer.status = status.si_status;
  return answer;
}

Result<std::string> Git::run(const fs::path& dir, const std::vector<std::string>& arguments) {
  TRY_ASSIGN(Answer answer, ask(dir, arguments));
  if (answer.status != 0) {
    return std::unexpected(git_error(dir, arguments, answer));
  }
  return std::move(answer.out);
}

Result<std::string> Git::value(const fs::path& dir, const std::vector<std::string>& arguments) {
  TRY_ASSIGN(std::string text, run(dir, arguments));
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

Result<void> Git::lock(const fs::path& directory) {
  lock_.reset();
  Fd file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file) {
    return std::unexpected(system_error("open", directory, errno));
  }
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return std::unexpected(system_error("lock", directory, errno));
    }
    TRY(in_time());
    std::this_thread::sleep_for(k_lock_step);
  }
  lock_ = std::move(file);
  return {};
}

Error git_error(const fs::path& dir, const std::vector<std::string>& arguments,
                const Git::Answer& answer) {
  std::string said = answer.err;
  if (said.starts_with("fatal: ")) {
    said.erase(0, 7);
  }
  std::string line;
  for (const std::string& part : split_list(said, '\n')) {
    line += (line.empty() ? "" : "; ") + printable(part);
  }
  if (line.empty()) {
    line = fmt::format("exit status {}", answer.status);
  }
  const bool foreign = said.find("dubious ownership") != std::string::npos;
  return {ErrorCode::invalid,
          fmt::format("git {} failed in {}: {}", arguments.empty() ? "" : arguments.front(),
                      printable(dir.string()), clip(line, 600)),
          foreign ? "the repository belongs to another user: if it is to be trusted, name it in "
                    "safe.directory of the git configuration"
                  : ""};
}

}  // namespace hermes::home
