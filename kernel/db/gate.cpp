#include "kernel/db/gate.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <mutex>

#include "kernel/base/duration.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::db {

namespace {

thread_local bool t_inside = false;

int wake_signal() { return SIGRTMIN + 7; }

void nothing(int) {}

constexpr Millis k_tick{10};

bool arm(timer_t timer, struct timespec first) {
  struct itimerspec when {};
  when.it_value = first;
  when.it_interval.tv_nsec = std::chrono::nanoseconds(k_tick).count();
  return timer_settime(timer, 0, &when, nullptr) == 0;
}

// A timer that interrupts this thread's blocking call at the deadline, or when it is cancelled,
// and, because a signal may come just before the call begins, again with every tick after it.
class InterruptTimer {
 public:
  InterruptTimer(Millis after, Cancellation* cancellation) : cancellation_(cancellation) {
    static std::once_flag once;
    std::call_once(once, [] {
      struct sigaction action {};
      action.sa_handler = nothing;  // no SA_RESTART: the point is that flock returns EINTR
      sigaction(wake_signal(), &action, nullptr);
    });
    sigset_t unblock;
    sigemptyset(&unblock);
    sigaddset(&unblock, wake_signal());
    pthread_sigmask(SIG_UNBLOCK, &unblock, nullptr);

    struct sigevent event {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = wake_signal();
    event._sigev_un._tid = static_cast<int>(syscall(SYS_gettid));
    armed_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    if (!armed_) {
      return;
    }
    const auto ms = std::max<std::int64_t>(after.count(), 1);
    armed_ = arm(timer_, {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1'000'000});
    if (!armed_) {  // never a wait without an end
      timer_delete(timer_);
      return;
    }
    if (cancellation_ != nullptr) {
      cancellation_->attach(timer_);
    }
  }
  ~InterruptTimer() {
    if (!armed_) {
      return;
    }
    if (cancellation_ != nullptr) {
      cancellation_->detach();
    }
    timer_delete(timer_);
  }
  InterruptTimer(const InterruptTimer&) = delete;
  InterruptTimer& operator=(const InterruptTimer&) = delete;

  bool armed() const { return armed_; }

 private:
  Cancellation* cancellation_;
  timer_t timer_{};
  bool armed_ = false;
};

// 0 or the errno of flock; ETIMEDOUT when `wait` has passed, ECANCELED when it was cancelled.
int lock_within(int fd, Millis wait, Cancellation* cancellation) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    return 0;
  }
  if (errno != EWOULDBLOCK || wait.count() <= 0) {
    return errno == EWOULDBLOCK ? ETIMEDOUT : errno;
  }
  const auto deadline = std::chrono::steady_clock::now() + wait;
  const InterruptTimer timer(wait, cancellation);
  if (!timer.armed()) {
    return EAGAIN;
  }
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) {
      return errno;
    }
    if (cancellation != nullptr && cancellation->requested()) {
      return ECANCELED;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return ETIMEDOUT;
    }
  }
  return 0;
}

}  // namespace

void Cancellation::request() {
  const std::lock_guard lock(mutex_);
  requested_ = true;
  if (timer_) {
    (void)arm(*timer_, {.tv_sec = 0, .tv_nsec = 1});
  }
}

void Cancellation::forget() {
  const std::lock_guard lock(mutex_);
  requested_ = false;
}

void Cancellation::attach(timer_t timer) {
  const std::lock_guard lock(mutex_);
  timer_ = timer;
  if (requested_) {
    (void)arm(timer, {.tv_sec = 0, .tv_nsec = 1});
  }
}

void Cancellation::detach() {
  const std::lock_guard lock(mutex_);
  timer_.reset();
}

Result<WriteGate> WriteGate::enter(const std::filesystem::path& lock_file, Millis wait,
                                   Cancellation* cancellation) {
  assert(!t_inside && "the write gate is not recursive");
  Fd fd(::open(lock_file.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) {
    const int error_number = errno;
    Error error = system_error("open the write gate", lock_file, error_number);
    if (error_number == ENOENT) {
      error.hint = "the board has lost its board.lock; `hermes init` puts it back";
    }
    return std::unexpected(error);
  }
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  pthread_sigmask(SIG_BLOCK, &stop, &before);
  const int problem = lock_within(fd.get(), wait, cancellation);
  if (problem == 0) {
    t_inside = true;
    return WriteGate(std::move(fd), before);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (problem == ETIMEDOUT) {
    const auto holder = flock_holder(lock_file);
    return fail(ErrorCode::busy,
                fmt::format("another process has kept the write gate {} for {}",
                            printable(lock_file.string()), format_duration(wait)),
                holder
                    ? fmt::format("it is held by PID {}: look at it with ps -fp {}, then try again",
                                  *holder, *holder)
                    : "its holder is not visible from here; try again");
  }
  if (problem == ECANCELED) {
    return fail(ErrorCode::unavailable,
                "the call was cancelled at the write gate, and nothing was changed");
  }
  return std::unexpected(system_error("lock", lock_file, problem));
}

WriteGate::~WriteGate() {
  if (fd_) {
    fd_.reset();  // releases the lock and wakes the watchers
    t_inside = false;
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
}

}  // namespace hermes::db
