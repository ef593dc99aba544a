#include "kernel/home/git.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/child.hpp"

namespace hermes::home {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t k_out_bytes = 4 * 1024 * 1024;
constexpr std::size_t k_err_bytes = 4096;
constexpr Millis k_lock_step{20};
constexpr std::size_t k_most_holders = 5;  // in a message
constexpr std::size_t k_fd_facts = 4096;

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

// Processes that hold a lock on the directory. /proc/locks names only who took it, and that one may
// be gone: a lock lives as long as anybody has inherited it.
std::vector<std::string> holders(const fs::path& directory) {
  std::vector<std::string> found;
  std::error_code problem;
  const std::string real = fs::canonical(directory, problem).string();
  for (fs::directory_iterator process("/proc", problem), end; !problem && process != end;
       process.increment(problem)) {
    const std::string pid = process->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos ||
        found.size() == k_most_holders) {
      continue;
    }
    std::error_code denied;
    for (fs::directory_iterator fd(process->path() / "fd", denied); !denied && fd != end;
         fd.increment(denied)) {
      std::error_code gone;
      const fs::path facts = process->path() / "fdinfo" / fd->path().filename();
      if (fs::read_symlink(fd->path(), gone) == real &&
          read_file(facts, k_fd_facts).value_or("").find("FLOCK") != std::string::npos) {
        const std::string name = read_file(process->path() / "comm", k_fd_facts).value_or("?");
        found.push_back(fmt::format("{} (PID {})", printable(trim(name)), pid));
        break;
      }
    }
  }
  return found;
}

Error naming_holder(Error error, const fs::path& directory) {
  if (const auto who = holders(directory); error.code == ErrorCode::busy && !who.empty()) {
    error.message +=
        fmt::format("; {} is locked by {}", printable(directory.string()), join(who, ", "));
  }
  return error;
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
  TRY_ASSIGN(ChildEnd end, run_child({.argv = command(dir, arguments),
                                      .environment = environment(),
                                      .input = "",
                                      .directory = {},
                                      .out_bytes = k_out_bytes,
                                      .err_bytes = k_err_bytes,
                                      // A content filter may leave something running, which would
                                      // hold our lock for as long as it lives.
                                      .end_remains = true,
                                      .inherited = lock_.get()},
                                     until_, cancel_fd_));
  switch (end.kind) {
    case ChildEnd::Kind::exited:
      return Answer{end.code, std::move(end.out), std::move(end.err)};
    case ChildEnd::Kind::not_started:
      if (end.code == ENOENT || end.code == EACCES) {
        return fail(ErrorCode::invalid, "there is no git in PATH, and a worktree needs it",
                    "install the package git");
      }
      return std::unexpected(system_error("start", "git", end.code));
    case ChildEnd::Kind::signaled:
      return fail(ErrorCode::unavailable, fmt::format("git was killed by signal {}", end.code),
                  "is there enough memory? It is tried again");
    default:
      return std::unexpected(stopped());
  }
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
    if (auto more_time = in_time(); !more_time) {
      return std::unexpected(naming_holder(more_time.error(), directory));
    }
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
