#include "proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

namespace hermes::shim {

Text& Text::add(const char* part) {
  for (; *part != '\0' && size_ + 1 < sizeof text_; ++part) {
    text_[size_++] = *part;
  }
  return *this;
}

Text& Text::add(std::int64_t number) {
  char digits[24];
  char* at = digits + sizeof digits - 1;
  *at = '\0';
  const bool negative = number < 0;
  auto rest = static_cast<std::uint64_t>(negative ? -number : number);
  do {
    *--at = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  return add(negative ? "-" : "").add(at);
}

std::uint64_t start_time_of(pid_t pid) {
  Text path;
  path.add("/proc/").add(pid).add("/stat");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return 0;
  }
  char line[1024];
  const ssize_t got = read(fd, line, sizeof line - 1);
  close(fd);
  if (got <= 0) {
    return 0;
  }
  line[got] = '\0';
  // The command name may hold anything: count fields from the last ')' (proc(5)).
  const char* at = strrchr(line, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) {
    at = strchr(at + 1, ' ');
  }
  std::uint64_t start = 0;
  for (at = at == nullptr ? "" : at + 1; *at >= '0' && *at <= '9'; ++at) {
    start = start * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  return start;
}

std::int64_t wall_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

std::int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

namespace {

// Each level holds two descriptors and 3 KiB of stack. What lies deeper surfaces when its parents
// are gone.
constexpr int k_deepest = 64;

struct Walk {
  bool kill;
  pid_t group;
};

void visit_children(pid_t parent, const Walk& walk, int depth);

void signal_child(pid_t child, const Walk& walk, int depth) {
  // The signal goes first: a process that has been sent SIGKILL cannot fork any more, so the list
  // of its children that is read afterwards is final.
  if (walk.kill) {
    kill(child, SIGKILL);
  } else if (getpgid(child) != walk.group) {
    kill(child, SIGTERM);
    kill(child, SIGCONT);
  }
  if (depth < k_deepest) {
    visit_children(child, walk, depth + 1);
  }
}

void visit_list(int list, const Walk& walk, int depth) {
  char part[1024];
  pid_t child = 0;
  for (ssize_t got = read(list, part, sizeof part); got > 0; got = read(list, part, sizeof part)) {
    for (ssize_t i = 0; i < got; ++i) {
      if (part[i] >= '0' && part[i] <= '9') {
        child = child * 10 + (part[i] - '0');
      } else if (child > 0) {
        signal_child(child, walk, depth);
        child = 0;
      }
    }
  }
}

// A child belongs to the thread that forked it: every thread has its own list.
void visit_children(pid_t parent, const Walk& walk, int depth) {
  Text path;
  path.add("/proc/").add(parent).add("/task");
  const int threads = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (threads < 0) {
    return;
  }
  alignas(dirent64) char entries[1024];
  for (ssize_t got = getdents64(threads, entries, sizeof entries); got > 0;
       got = getdents64(threads, entries, sizeof entries)) {
    for (ssize_t at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      at += entry->d_reclen;
      Text name;
      name.add(entry->d_name).add("/children");
      const int list =
          entry->d_name[0] == '.' ? -1 : openat(threads, name.c_str(), O_RDONLY | O_CLOEXEC);
      if (list >= 0) {
        visit_list(list, walk, depth);
        close(list);
      }
    }
  }
  close(threads);
}

}  // namespace

void kill_descendants() { visit_children(getpid(), Walk{true, 0}, 0); }

void terminate_descendants(pid_t group) {
  if (kill(-group, SIGTERM) != 0) {
    kill(group, SIGTERM);  // its leader has not come to setsid(2) yet
  }
  kill(-group, SIGCONT);
  visit_children(getpid(), Walk{false, group}, 0);
}

}  // namespace hermes::shim
