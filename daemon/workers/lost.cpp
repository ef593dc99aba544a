#include "daemon/workers/lost.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "kernel/base/fd.hpp"

namespace hermes::workers {

namespace {

constexpr std::size_t k_shortest_token = 16;
constexpr std::size_t k_longest_environment = 8U << 20U;
constexpr int k_looks = 5;
constexpr std::chrono::milliseconds k_between_looks{1};

pid_t pid_from(std::string_view name) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc{} && end == name.data() + name.size() ? pid : 0;
}

bool is_ours(int process) {
  struct stat facts {};
  return ::fstat(process, &facts) == 0 && facts.st_uid == ::geteuid();
}

bool has_image(int process) {
  char unused = 0;
  return ::readlinkat(process, "exe", &unused, 1) >= 0;  // neither a kernel thread nor a zombie
}

// Appends what is there; false when it cannot be read (not ours, gone).
bool read_environment(int process, std::string& text) {
  text.clear();
  const Fd file(::openat(process, "environ", O_RDONLY | O_CLOEXEC));
  if (!file) {
    return false;
  }
  while (text.size() < k_longest_environment) {
    const std::size_t had = text.size();
    text.resize(had + 64U * 1024);
    const ssize_t got = ::read(file.get(), text.data() + had, text.size() - had);
    text.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got <= 0) {
      return got == 0;
    }
  }
  return true;
}

bool holds(std::string_view environment, std::string_view wanted) {
  for (std::size_t at = environment.find(wanted); at != std::string_view::npos;
       at = environment.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    if ((at == 0 || environment[at - 1] == '\0') &&
        (end == environment.size() || environment[end] == '\0')) {
      return true;
    }
  }
  return false;
}

// Between the old image and the new one, execve(2) shows an empty environment: looked at again.
bool belongs(int process, std::string_view wanted, std::string& buffer) {
  for (int look = 0; look < k_looks; ++look) {
    if (!read_environment(process, buffer)) {
      return false;
    }
    if (!buffer.empty() || !has_image(process)) {
      break;
    }
    std::this_thread::sleep_for(k_between_looks);
  }
  return holds(buffer, wanted);
}

}  // namespace

int kill_leftovers(std::string_view token) {
  const std::unique_ptr<DIR, int (*)(DIR*)> all(
      token.size() < k_shortest_token ? nullptr : ::opendir("/proc"), ::closedir);
  if (all == nullptr) {
    return 0;
  }
  const std::string wanted = fmt::format("{}={}", k_token_variable, token);
  const pid_t self = ::getpid();
  std::string buffer;
  int found = 0;
  while (const dirent* entry = ::readdir(all.get())) {
    const pid_t pid = pid_from(entry->d_name);
    if (pid <= 0 || pid == self) {
      continue;
    }
    // The descriptors come before the look: they stay with this process when the PID is used again.
    const Fd process(
        ::openat(::dirfd(all.get()), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!process || !is_ours(process.get()) || !belongs(process.get(), wanted, buffer)) {
      continue;
    }
    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    // The directory must still be alive: then the pidfd is of the process that was read.
    if (pidfd && is_ours(process.get()) && has_image(process.get())) {
      ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
      ++found;
    }
  }
  return found;
}

}  // namespace hermes::workers
