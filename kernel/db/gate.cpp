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

// A timer that interrupts this thread's blocking call after a while and, because a signal may come
// just before the call begins, again with every tick after it.
class InterruptTimer {
 public:
  explicit InterruptTimer(Millis after) {
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
    struct itimerspec when {};
    const auto ms = std::max<std::int64_t>(after.count(), 1);
    when.it_value.tv_sec = ms / 1000;
    when.it_value.tv_nsec = (ms % 1000) * 1'000'000;
    when.it_interval.tv_nsec = std::chrono::nanoseconds(k_tick).count();
    armed_ = armed_ && timer_settime(timer_, 0, &when, nullptr) == 0;
  }
  ~InterruptTimer() {
    if (armed_) {
      timer_delete(timer_);
    }
  }
  InterruptTimer(const InterruptTimer&) = delete;
  InterruptTimer& operator=(const InterruptTimer&) = delete;

  bool armed() const { return armed_; }

 private:
  timer_t timer_{};
  bool armed_ = false;
};

// 0 or the errno of flock; ETIMEDOUT when `wait` has passed, ECANCELED when it was given up.
int lock_within(int fd, Millis wait, const std::atomic<bool>* given_up) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    return 0;
  }
  if (errno != EWOULDBLOCK || wait.count() <= 0) {
    return errno == EWOULDBLOCK ? ETIMEDOUT : errno;
  }
  const auto deadline = std::chrono::steady_clock::now() + wait;
  const InterruptTimer timer(given_up == nullptr ? wait : std::min(wait, k_tick));
  if (!timer.armed()) {
    return EAGAIN;
  }
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) {
      return errno;
    }
    if (given_up != nullptr && *given_up) {
      return ECANCELED;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return ETIMEDOUT;
    }
  }
  return 0;
}

}  // namespace

Result<WriteGate> WriteGate::enter(const std::filesystem::path& lock_file, Millis wait,
                                   const std::atomic<bool>* given_up) {
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
  const int problem = lock_within(fd.get(), wait, given_up);
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
