#include "daemon/workers/launch.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "daemon/shim/record.hpp"
#include "daemon/workers/process.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::workers {

namespace {

constexpr int k_gate_in_shim = 3;
constexpr int k_abandon_wait_ms = 1000;

Result<void> check_absolute(std::string_view what, const fs::path& path) {
  if (!path.is_absolute()) {
    return fail(ErrorCode::invalid,
                fmt::format("{} must be an absolute path: {}", what, printable(path.string())));
  }
  return {};
}

Result<void> check(const Launch& launch) {
  if (launch.argv.empty() || launch.argv.front().empty()) {
    return fail(ErrorCode::invalid, "the worker's command is empty", "give the profile a command");
  }
  for (const std::vector<std::string>* texts : {&launch.argv, &launch.env}) {
    for (const std::string& text : *texts) {
      if (text.find('\0') != std::string::npos) {
        return fail(ErrorCode::invalid, fmt::format("a NUL byte cannot be passed to a command: {}",
                                                    printable(text.substr(0, 80))));
      }
    }
  }
  TRY(check_absolute("the working directory", launch.cwd));
  TRY(check_absolute("the control record", launch.record));
  TRY(check_absolute("the log", launch.log));
  TRY(check_absolute("the older log", launch.log_older));
  if (launch.token.size() >= sizeof shim::Header::token ||
      launch.boot.size() >= sizeof shim::Header::boot) {
    return fail(ErrorCode::invalid,
                "the run token or the boot identity is too long for a control record");
  }
  return {};
}

Result<void> create_record(const Launch& launch) {
  alignas(8) std::array<char, shim::k_record_size> bytes{};
  shim::Header header{};
  header.magic = shim::k_magic;
  header.version = shim::k_version;
  launch.boot.copy(header.boot, sizeof header.boot - 1);
  launch.token.copy(header.token, sizeof header.token - 1);
  shim::store(bytes.data(), header);
  const Fd file(
      ::open(launch.record.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    if (errno == EEXIST) {
      return fail(ErrorCode::conflict,
                  fmt::format("the control record {} exists: this run has been started before",
                              printable(launch.record.string())));
    }
    return std::unexpected(system_error("create", launch.record, errno));
  }
  // Really written, not only sized: the shim's writes must find their blocks allocated.
  const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
  if (put != ssize_t{bytes.size()}) {
    const int error_number = put < 0 ? errno : ENOSPC;
    ::unlink(launch.record.c_str());
    return std::unexpected(system_error("write", launch.record, error_number));
  }
  return {};
}

// An earlier worker of the task may have put anything there.
Result<void> create_log(const Launch& launch) {
  TRY(open_for_appending(launch.log, Links::refused));
  return {};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    result.push_back(const_cast<char*>(text.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> flags_of(const fs::path& shim_program, const Launch& launch) {
  return {shim_program.string(),
          "--gate-fd",
          std::to_string(k_gate_in_shim),
          "--record",
          launch.record.string(),
          "--log",
          launch.log.string(),
          "--log-older",
          launch.log_older.string(),
          "--log-cap",
          std::to_string(launch.log_cap_bytes),
          "--max-runtime-ms",
          std::to_string(launch.max_runtime.count()),
          "--stop-grace-ms",
          std::to_string(launch.stop_grace.count()),
          "--cwd",
          launch.cwd.string(),
          "--nice",
          std::to_string(launch.nice),
          "--memory-bytes",
          std::to_string(launch.memory_bytes),
          "--cpu-seconds",
          std::to_string(launch.cpu_seconds),
          "--io-priority",
          std::to_string(launch.io_priority),
          "--"};
}

// posix_spawn(3) objects, destroyed on every way out.
struct SpawnPlan {
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t files{};

  explicit SpawnPlan(int gate) {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
    sigset_t all;
    sigfillset(&all);
    // Every signal blocked from the first instruction on: a SIGTERM that comes early waits for the
    // shim instead of killing it.
    posix_spawnattr_setsigmask(&attributes, &all);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    // The gate moves first, while nothing has been overwritten yet, whatever number it has; then
    // nothing else of ours is left.
    posix_spawn_file_actions_adddup2(&files, gate, k_gate_in_shim);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, k_gate_in_shim + 1);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

Error spawn_error(const fs::path& shim_program, const Launch& launch, int error_number) {
  if (error_number != E2BIG) {
    return system_error("start", shim_program, error_number);
  }
  std::size_t bytes = 0;
  for (const std::vector<std::string>* texts : {&launch.argv, &launch.env}) {
    for (const std::string& text : *texts) {
      bytes += text.size() + 1;
    }
  }
  return {ErrorCode::invalid,
          fmt::format("the worker's command and environment are too long for this system ({} "
                      "bytes; one argument may have "
                      "128 KiB)",
                      bytes),
          "pass long text in a file: {context_file} instead of {body}"};
}

struct Spawned {
  pid_t pid;
  Fd gate;
};

Result<Spawned> spawn(const fs::path& shim_program, const Launch& launch) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::unexpected(system_error("create a pipe for", shim_program, errno));
  }
  const Fd gate_read(ends[0]);
  Fd gate_write(ends[1]);
  const std::vector<std::string> flags = flags_of(shim_program, launch);
  std::vector<char*> argv = pointers(flags);
  argv.pop_back();
  const std::vector<char*> command = pointers(launch.argv);
  argv.insert(argv.end(), command.begin(), command.end());
  const std::vector<char*> env = pointers(launch.env);
  const SpawnPlan plan(gate_read.get());
  pid_t pid = -1;
  const int error_number = ::posix_spawn(&pid, shim_program.c_str(), &plan.files, &plan.attributes,
                                         argv.data(), env.data());
  if (error_number != 0) {
    return std::unexpected(spawn_error(shim_program, launch, error_number));
  }
  return Spawned{pid, std::move(gate_write)};
}

}  // namespace

Result<HeldShim> start_shim(const fs::path& shim_program, const Launch& launch) {
  TRY(check(launch));
  TRY(create_record(launch));
  Result<void> log = create_log(launch);
  Result<Spawned> spawned =
      log ? spawn(shim_program, launch) : Result<Spawned>(std::unexpected(log.error()));
  if (!spawned) {
    ::unlink(launch.record.c_str());
    return std::unexpected(std::move(spawned).error());
  }
  // Our child and not reaped yet: the PID cannot be another process's.
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, spawned->pid, 0)));
  if (!pidfd) {
    const int error_number = errno;
    spawned->gate.reset();
    ::waitpid(spawned->pid, nullptr, 0);
    ::unlink(launch.record.c_str());
    return std::unexpected(system_error("watch", shim_program, error_number));
  }
  return HeldShim(spawned->pid, start_of(spawned->pid).value_or(0), std::move(pidfd),
                  std::move(spawned->gate));
}

Result<void> open_gate(HeldShim& shim) {
  ssize_t put = -1;
  do {
    put = ::write(shim.gate_.get(), "g", 1);
  } while (put < 0 && errno == EINTR);
  const int error_number = errno;
  shim.gate_.reset();
  if (put != 1) {
    return fail(ErrorCode::unavailable,
                fmt::format("the supervisor {} ended before its gate was opened: {}", shim.pid_,
                            std::strerror(error_number)));
  }
  return {};
}

HeldShim& HeldShim::operator=(HeldShim&& other) noexcept {
  if (this != &other) {
    abandon();
    pid_ = other.pid_;
    start_ = other.start_;
    pidfd_ = std::move(other.pidfd_);
    gate_ = std::move(other.gate_);
  }
  return *this;
}

HeldShim::~HeldShim() { abandon(); }

void HeldShim::abandon() {
  if (!gate_) {
    return;
  }
  gate_.reset();
  if (!pidfd_) {
    return;
  }
  // Bounded: a shim that somebody has stopped must not stop us.
  pollfd ended{pidfd_.get(), POLLIN, 0};
  if (::poll(&ended, 1, k_abandon_wait_ms) == 1) {
    siginfo_t unused{};
    ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &unused, WEXITED | WNOHANG);
  }
}

}  // namespace hermes::workers
