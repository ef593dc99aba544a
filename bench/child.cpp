#include "bench/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <utility>

#include "bench/wait.hpp"

namespace hermes::bench {

namespace {

std::vector<char*> pointers(const Words& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) {
    out.push_back(const_cast<char*>(word.c_str()));
  }
  out.push_back(nullptr);
  return out;
}

}  // namespace

pid_t spawn(const Words& words, const Words& environment, const Streams& streams) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  constexpr int k_append = O_WRONLY | O_CREAT | O_APPEND;
  if (streams.out_fd >= 0) {
    posix_spawn_file_actions_adddup2(&files, streams.out_fd, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, streams.out.c_str(), k_append, 0600);
  }
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, streams.err.c_str(), k_append, 0600);
  pid_t pid = -1;
  const int problem = ::posix_spawn(&pid, words.front().c_str(), &files, nullptr,
                                    pointers(words).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  if (problem != 0) {
    throw std::runtime_error("cannot run " + words.front());
  }
  return pid;
}

int wait_status(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      throw std::runtime_error("lost a child");
    }
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Nanos time_of_run(const Words& words, const Words& environment, const Streams& streams) {
  throw_if_interrupted();
  const Nanos began = monotonic_now();
  const int status = wait_status(spawn(words, environment, streams));
  const Nanos took = monotonic_now() - began;
  if (status != 0) {
    throw std::runtime_error(words.front() + " ended with status " + std::to_string(status));
  }
  return took;
}

Nanos cpu_of_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto nanos = [](const timeval& time) {
    return time.tv_sec * k_second + time.tv_usec * k_microsecond;
  };
  return nanos(used.ru_utime) + nanos(used.ru_stime);
}

Child::Child(const Words& words, const Words& environment, const Streams& streams)
    : pid_(spawn(words, environment, streams)),
      pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))) {}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait_status(pid_);
  }
}

bool Child::ended() const {
  pollfd item{pidfd_.get(), POLLIN, 0};
  return ::poll(&item, 1, 0) > 0;
}

void Child::signal(int number) const { ::kill(pid_, number); }

int Child::wait() {
  wait_readable("a child to end", pidfd_.get());
  return wait_status(std::exchange(pid_, -1));
}

}  // namespace hermes::bench
