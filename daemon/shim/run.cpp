#include "run.hpp"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.hpp"

namespace hermes::shim {

namespace {

constexpr std::int64_t k_kill_again_ms = 100;

std::int64_t later(std::int64_t now_ms, std::int64_t by_ms) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(now_ms, by_ms, &sum) ? INT64_MAX : sum;
}

std::int64_t milliseconds(const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; }

}  // namespace

int Run::perform() {
  if (!start()) {
    return k_setup_failed;
  }
  while (!all_gone_) {
    wait_for_event();
    now_ms_ = monotonic_ms();
    // Reaping comes before the deadlines: a worker that is gone cannot run out of time any more.
    if (children_changed_) {
      children_changed_ = false;
      reap();
    }
    if (!all_gone_) {
      enforce_deadlines();
      log_cap_.settle(now_ms_, log_changed_);
    }
  }
  log_cap_.finish();
  write_exit();
  return k_run_recorded;
}

bool Run::start() {
  store(record_, Started{0, wall_ms()});
  ExecFailure failure{};
  if (!start_worker(options_, log_fd_, worker_, failure)) {
    exit_.kind = ExitKind::setup_failed;
    exit_.stage = failure.stage;
    exit_.error_number = failure.error_number;
    exit_.ended_ms = wall_ms();
    store(record_, exit_);
    return false;
  }
  // vfork: it has become the command by now, or has said why not. Only what lives is a worker.
  exec_failed_ = read(worker_.failure_fd, &exec_failure_, sizeof exec_failure_) ==
                 ssize_t{sizeof exec_failure_};
  if (!exec_failed_) {
    store(record_, Worker{0, worker_.pid, start_time_of(worker_.pid)});
  }
  now_ms_ = monotonic_ms();
  if (options_.max_runtime_ms > 0) {
    limit_ms_ = later(now_ms_, options_.max_runtime_ms);
  }
  log_cap_.start(log_fd_, options_.log, options_.log_older, options_.log_cap, now_ms_);
  return true;
}

std::int64_t Run::next_deadline() const {
  std::int64_t next = kill_ms_;
  if (!stopping_ && limit_ms_ < next) {
    next = limit_ms_;
  }
  return log_cap_.due_ms() < next ? log_cap_.due_ms() : next;
}

void Run::wait_for_event() {
  const std::int64_t next = next_deadline();
  int timeout = -1;
  if (next != INT64_MAX) {
    const std::int64_t left = next - now_ms_;
    timeout = left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : static_cast<int>(left);
  }
  pollfd waited[2] = {{signal_fd_, POLLIN, 0}, {log_cap_.wait_fd(), POLLIN, 0}};
  const int ready = poll(waited, 2, timeout);
  log_changed_ = ready > 0 && waited[1].revents != 0;
  if (ready > 0 && waited[0].revents != 0) {
    read_signals();
  }
}

void Run::read_signals() {
  signalfd_siginfo got{};
  while (read(signal_fd_, &got, sizeof got) == ssize_t{sizeof got}) {
    if (got.ssi_signo == SIGCHLD) {
      children_changed_ = true;
    } else if (got.ssi_signo == SIGTERM && !worker_gone_) {
      exit_.stop_requested = 1;
      begin_stop(options_.stop_grace_ms);
    } else if (got.ssi_signo == SIGUSR2 && !worker_gone_) {
      exit_.stop_requested = 1;
      stopping_ = true;
      kill_ms_ = now_ms_;
    }
  }
}

// Once: a second SIGTERM does not prolong the grace.
void Run::begin_stop(std::int64_t grace_ms) {
  if (stopping_) {
    return;
  }
  stopping_ = true;
  kill_ms_ = later(monotonic_ms(), grace_ms);
  terminate_descendants(worker_.pid);
}

void Run::reap() {
  int status = 0;
  pid_t gone = 0;
  while ((gone = wait4(-1, &status, WNOHANG, nullptr)) > 0) {
    if (gone == worker_.pid) {
      worker_gone_ = true;
      status_ = status;
      exit_.ended_ms = wall_ms();
      kill_ms_ = now_ms_;  // whatever it left behind goes now
    }
  }
  all_gone_ = worker_gone_ && gone < 0 && errno == ECHILD;
  if (worker_gone_) {
    kill_ms_ = now_ms_;
  }
}

void Run::enforce_deadlines() {
  if (!stopping_ && !worker_gone_ && now_ms_ >= limit_ms_) {
    timed_out_ = true;
    begin_stop(options_.stop_grace_ms);
  }
  if (now_ms_ >= kill_ms_) {
    kill_descendants();
    kill_ms_ = later(now_ms_, k_kill_again_ms);
  }
}

void Run::write_exit() {
  if (exec_failed_) {
    exit_.kind = ExitKind::exec_failed;
    exit_.stage = exec_failure_.stage;
    exit_.error_number = exec_failure_.error_number;
  } else {
    exit_.kind = WIFSIGNALED(status_) ? ExitKind::signaled : ExitKind::exited;
    exit_.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 0;
    exit_.signal = WIFSIGNALED(status_) ? WTERMSIG(status_) : 0;
    if (timed_out_) {
      exit_.kind = ExitKind::timed_out;
    }
  }
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  exit_.cpu_ms = milliseconds(used.ru_utime) + milliseconds(used.ru_stime);
  exit_.max_rss_kb = used.ru_maxrss;
  store(record_, exit_);
}

}  // namespace hermes::shim
