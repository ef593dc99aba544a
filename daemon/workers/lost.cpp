#include "daemon/workers/lost.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
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

// Past its last instruction, and not yet a zombie (proc(5), "stat": state, flags; PF_EXITING).
bool is_dying(int process) {
  constexpr unsigned long k_exiting = 0x4;
  const Fd file(::openat(process, "stat", O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t got = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (got <= 0) {
    return false;
  }
  text[got] = '\0';
  const char* rest = std::strrchr(text, ')');  // behind the name
  char state = 0;
  unsigned long flags = 0;
  return rest != nullptr &&
         std::sscanf(rest, ") %c %*d %*d %*d %*d %*d %lu", &state, &flags) == 2 && state != 'Z' &&
         state != 'X' && (flags & k_exiting) != 0;
}

struct Killed {
  std::map<pid_t, Fd> with_token;
  std::map<pid_t, Fd> dying;  // only when asked for
};

Killed scan(std::string_view token, bool also_dying) {
  Killed killed;
  const std::unique_ptr<DIR, int (*)(DIR*)> all(
      token.size() < k_shortest_token ? nullptr : ::opendir("/proc"), ::closedir);
  if (all == nullptr) {
    return killed;
  }
  const std::string wanted = fmt::format("{}={}", k_token_variable, token);
  const pid_t self = ::getpid();
  std::string buffer;
  while (const dirent* entry = ::readdir(all.get())) {
    const pid_t pid = pid_from(entry->d_name);
    if (pid <= 0 || pid == self) {
      continue;
    }
    // The descriptors come before the look: they stay with this process when the PID is used again.
    const Fd process(
        ::openat(::dirfd(all.get()), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!process || !is_ours(process.get())) {
      continue;
    }
    const bool found = belongs(process.get(), wanted, buffer);
    if (!found && !(also_dying && is_dying(process.get()))) {
      continue;
    }
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    // The directory must still be alive: then the pidfd is of the process that was read.
    if (!pidfd || !is_ours(process.get())) {
      continue;
    }
    if (found && has_image(process.get())) {
      ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
      killed.with_token.emplace(pid, std::move(pidfd));
    } else if (also_dying && is_dying(process.get())) {
      killed.dying.emplace(pid, std::move(pidfd));
    }
  }
  return killed;
}

bool has_ended(const Fd& pidfd) {
  pollfd one{pidfd.get(), POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

}  // namespace

int kill_leftovers(std::string_view token) {
  return static_cast<int>(scan(token, false).with_token.size());
}

int Leftovers::sweep() {
  Killed killed = scan(token_, !std::exchange(has_swept_, true));
  std::erase_if(waited_for_, [](const auto& item) { return has_ended(item.second); });
  waited_for_.merge(killed.with_token);
  waited_for_.merge(killed.dying);
  return static_cast<int>(waited_for_.size());
}

}  // namespace hermes::workers
