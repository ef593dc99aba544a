#include "worker.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.hpp"

namespace hermes::shim {

namespace {

constexpr int k_oom_score = 200;

// The kernel should rather kill a worker than its supervisor or dispatcher. Raising the score needs
// no privilege; if it cannot be had, the run goes on without.
void raise_oom_score() {
  const int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
  char now[16] = {};
  if (fd < 0 || read(fd, now, sizeof now - 1) <= 0) {
    if (fd >= 0) {
      close(fd);
    }
    return;
  }
  std::int64_t score = 0;
  for (const char* at = now[0] == '-' ? now + 1 : now; *at >= '0' && *at <= '9'; ++at) {
    score = score * 10 + (*at - '0');
  }
  score = (now[0] == '-' ? -score : score) + k_oom_score;
  Text text;
  text.add(score > 1000 ? 1000 : score);
  [[maybe_unused]] const ssize_t put = pwrite(fd, text.c_str(), text.size(), 0);
  close(fd);
}

// By the system call itself: libc refuses to touch the two signals that it keeps for itself, and
// posix_spawn(3) sets those to be ignored.
bool default_signals() {
  const std::uint64_t action[4] =
      {};  // the kernel's struct sigaction: SIG_DFL, no flags, empty mask
  for (int number = 1; number < NSIG; ++number) {
    syscall(SYS_rt_sigaction, number, action, nullptr,
            NSIG / 8);  // fails for KILL and STOP, which are never ignored
  }
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
}

bool limit(int resource, std::int64_t soft, std::int64_t hard) {
  const rlimit wanted{static_cast<rlim_t>(soft), static_cast<rlim_t>(hard)};
  rlimit now{};
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &now) != 0) {
    return false;
  }
  // A lower limit that is in force already stays.
  const rlimit lower{wanted.rlim_cur < now.rlim_max ? wanted.rlim_cur : now.rlim_max,
                     wanted.rlim_max < now.rlim_max ? wanted.rlim_max : now.rlim_max};
  return setrlimit(static_cast<__rlimit_resource_t>(resource), &lower) == 0;
}

bool add_niceness(std::int64_t niceness) {
  errno = 0;
  const int now = getpriority(PRIO_PROCESS, 0);
  return (now != -1 || errno == 0) &&
         setpriority(PRIO_PROCESS, 0, now + static_cast<int>(niceness)) == 0;
}

// libc has no function for it. The value is class and level, as ioprio_set(2) takes them.
bool set_io_priority(std::int64_t priority) {
  return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, static_cast<int>(priority)) == 0;
}

// Everything but 0, 1 and 2 closes at execve(2); the pipe must stay usable until then.
bool close_the_rest() {
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
    return true;
  }
  for (int fd = 3; fd < 4096; ++fd) {  // before Linux 5.11
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return true;
}

bool stdin_from_null() {
  const int null = open("/dev/null", O_RDONLY);
  return null >= 0 && (null == STDIN_FILENO || dup2(null, STDIN_FILENO) == STDIN_FILENO);
}

bool output_to(int log_fd) {
  return dup2(log_fd, STDOUT_FILENO) == STDOUT_FILENO &&
         dup2(log_fd, STDERR_FILENO) == STDERR_FILENO;
}

// Returns the step that failed, with errno set; does not return when the command runs.
Stage become_worker(const Options& options, int log_fd, pid_t shim) {
  // PR_SET_PDEATHSIG comes first; a shim that died before it is found out by asking for the parent
  // after it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != shim) {
    return Stage::parent;
  }
  if (setsid() < 0) {
    return Stage::session;
  }
  raise_oom_score();
  if (options.nice != 0 && !add_niceness(options.nice)) {
    return Stage::nice;
  }
  if (options.memory_bytes > 0 && !limit(RLIMIT_AS, options.memory_bytes, options.memory_bytes)) {
    return Stage::memory;
  }
  if (options.cpu_seconds > 0 && !limit(RLIMIT_CPU, options.cpu_seconds, options.cpu_seconds + 5)) {
    return Stage::cpu;
  }
  if (options.io_priority > 0 && !set_io_priority(options.io_priority)) {
    return Stage::io;
  }
  if (chdir(options.cwd) != 0) {
    return Stage::cwd;
  }
  if (!stdin_from_null()) {
    return Stage::stdin_null;
  }
  if (!output_to(log_fd)) {
    return Stage::log;
  }
  if (!close_the_rest()) {
    return Stage::descriptors;
  }
  // Last: a SIGTERM that came meanwhile strikes now, with the default disposition.
  if (!default_signals()) {
    return Stage::signals;
  }
  execvp(options.command[0], options.command);
  return Stage::exec;
}

}  // namespace

bool start_worker(const Options& options, int log_fd, StartedWorker& worker, ExecFailure& failure) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    failure = {Stage::pipe, errno};
    return false;
  }
  const pid_t shim = getpid();
  // vfork: the child only makes system calls until it is somebody else, and copying our page tables
  // for that would cost a tenth of a short run. We stand still meanwhile; a child that hangs before
  // its exec (a directory on a dead mount) is ended by killing us, which takes it along.
  // NOLINTNEXTLINE(bugprone-unsafe-functions,*insecureAPI.vfork): what it risks is said above
  const pid_t child = vfork();
  if (child == 0) {
    // NOLINTNEXTLINE(clang-analyzer-unix.Vfork): only system calls, which the analyzer cannot see
    const ExecFailure told{become_worker(options, log_fd, shim), errno};
    [[maybe_unused]] const ssize_t put = write(ends[1], &told, sizeof told);
    _exit(127);
  }
  const int error_number = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    failure = {Stage::fork, error_number};
    return false;
  }
  worker = {child, ends[0]};
  return true;
}

}  // namespace hermes::shim
