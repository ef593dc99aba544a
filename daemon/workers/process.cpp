#include "daemon/workers/process.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string_view>

#include "kernel/base/process.hpp"

namespace hermes::workers {

std::optional<std::uint64_t> start_of(pid_t pid) {
  std::array<char, 32> path{};
  *fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/stat", pid).out = '\0';
  const Fd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> line{};
  const ssize_t got = file ? ::read(file.get(), line.data(), line.size()) : -1;
  if (got <= 0) {
    return std::nullopt;
  }
  std::string_view rest(line.data(), static_cast<std::size_t>(got));
  // The command name may hold anything: count fields from the last ')' (proc(5)).
  std::size_t at = rest.rfind(')');
  for (int field = 2; field < 22 && at != std::string_view::npos; ++field) {
    at = rest.find(' ', at + 1);
  }
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  rest.remove_prefix(at + 1);
  std::uint64_t start = 0;
  if (std::from_chars(rest.data(), rest.data() + rest.size(), start).ec != std::errc{}) {
    return std::nullopt;
  }
  return start;
}

Result<Fd> open_process(pid_t pid, std::uint64_t start) {
  Fd pidfd(pid > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)) : -1);
  if (!pidfd && pid > 0 && errno != ESRCH) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot watch process {}: {}", pid, std::strerror(errno)));
  }
  // Asked after the pidfd is had: if the start time is right now, the pidfd is of that process.
  if (!pidfd || process_start(pid) != start) {
    return fail(ErrorCode::not_found, fmt::format("process {} has ended", pid));
  }
  return pidfd;
}

namespace {

Result<void> send(const Fd& pidfd, int number) {
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0) == 0) {
    return {};
  }
  return fail(errno == ESRCH ? ErrorCode::not_found : ErrorCode::unavailable,
              fmt::format("cannot signal the supervisor: {}", std::strerror(errno)));
}

}  // namespace

Result<void> request_stop(const Fd& pidfd) { return send(pidfd, SIGTERM); }

Result<void> kill_now(const Fd& pidfd) { return send(pidfd, SIGUSR2); }

std::optional<int> reap(const Fd& pidfd) {
  siginfo_t facts{};
  if (!pidfd || ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &facts, WEXITED | WNOHANG) != 0 ||
      facts.si_pid == 0) {
    return std::nullopt;
  }
  return facts.si_code == CLD_EXITED ? facts.si_status : 128 + facts.si_status;
}

}  // namespace hermes::workers
