#include "kernel/home/dispatcher_lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <thread>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

constexpr Millis k_wait{300};
constexpr Millis k_step{5};

// What the holder wrote, for where /proc/locks shows nothing of it (some containers and
// filesystems).
std::optional<pid_t> written_pid(int fd) {
  std::array<char, 32> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  pid_t pid = 0;
  if (got <= 0 || std::from_chars(text.data(), text.data() + got, pid).ec != std::errc{} ||
      pid <= 0) {
    return std::nullopt;
  }
  const bool lives = ::kill(pid, 0) == 0 || errno == EPERM;
  return lives ? std::optional(pid) : std::nullopt;
}

constexpr std::string_view k_pass_word = "pass";

// What the holder says that it is there for; one of before may still stand there for a moment.
bool says_passing(int fd, std::optional<pid_t> holder) {
  std::array<char, 32> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size() - 1, 0);
  const std::string_view said(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return holder && said == fmt::format("{}\n{}\n", *holder, k_pass_word);
}

std::optional<pid_t> holder_of(const fs::path& path, int fd) {
  const auto seen = flock_holder(path);
  return seen ? seen : written_pid(fd);
}

Error held(const fs::path& path, int fd) {
  const auto pid = holder_of(path, fd);
  return {ErrorCode::locked,
          pid ? fmt::format("another dispatcher serves this home: PID {}", *pid)
              : fmt::format("another dispatcher serves this home: it holds {}",
                            printable(path.string())),
          pid ? fmt::format("one is enough; look at it with ps -fp {}", *pid) : "one is enough"};
}

}  // namespace

Result<Fd> take_dispatcher_lock(const Home& home, LockPurpose purpose, Millis patience) {
  const fs::path path = home.dispatcher_lock();
  Millis refused{0};  // since the lock was last held by one that passes
  for (Millis waited{0};; waited += k_step, refused += k_step) {
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
      return std::unexpected(system_error("open", path, errno));
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      if (is_still_at(file.get(), path)) {
        const std::string pid = purpose == LockPurpose::serve
                                    ? fmt::format("{}\n", ::getpid())
                                    : fmt::format("{}\n{}\n", ::getpid(), k_pass_word);
        // A full disk costs the name of the holder only, not the lock.
        if (::ftruncate(file.get(), 0) == 0) {
          [[maybe_unused]] const auto put = ::pwrite(file.get(), pid.data(), pid.size(), 0);
        }
        return file;
      }
    } else if (errno != EWOULDBLOCK && errno != EINTR) {
      return std::unexpected(system_error("lock", path, errno));
    }
    // One that ends just now names nobody any more: the next try finds the lock free, or another.
    const bool passes =
        purpose == LockPurpose::serve && says_passing(file.get(), holder_of(path, file.get()));
    if (passes) {
      refused = Millis{0};
    }
    if (passes ? waited >= patience : refused >= k_wait) {
      return std::unexpected(held(path, file.get()));
    }
    std::this_thread::sleep_for(k_step);
  }
}

DispatcherState dispatcher_state(const Home& home) {
  const fs::path path = home.dispatcher_lock();
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  // Shared, so that two looks at the same time do not take each other for a dispatcher.
  if (!file || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
    return {};
  }
  struct stat facts {};
  std::optional<Instant> since;
  if (::fstat(file.get(), &facts) == 0) {  // the holder wrote its PID when it took the lock
    since = Instant{facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1'000'000};
  }
  const auto holder = holder_of(path, file.get());
  const bool passing = says_passing(file.get(), holder);
  return {!passing, passing, holder, since};
}

}  // namespace hermes::home
