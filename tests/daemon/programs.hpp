#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

// Programs that a test starts, and what /proc tells of processes.
namespace hermes::daemon::test {

namespace fs = std::filesystem;

// A program started with exactly this environment and /dev/null as its input. Killed at the end if
// it still runs.
class Program {
 public:
  Program(const fs::path& path, const std::vector<std::string>& arguments,
          const std::map<std::string, std::string>& environment, const fs::path& out,
          const fs::path& err);
  ~Program();
  Program(Program&& other) noexcept;
  Program& operator=(Program&&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Exit status, 128 + signal when a signal ended it; nothing when it still runs after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit = std::chrono::seconds{20});
  bool ended() { return wait(std::chrono::milliseconds{0}).has_value(); }

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// Resident memory in KiB; -1 when the process is not there.
long resident_kb(pid_t pid);

// Living processes (zombies left out) whose environment has this entry, "NAME=value".
std::vector<pid_t> processes_with(const std::string& entry);
pid_t parent_of(pid_t pid);  // -1: it is gone

// Alive, and not a zombie.
bool lives(pid_t pid);

struct ChildCount {
  int living = 0;
  int zombies = 0;
};
ChildCount children_of(pid_t pid);

int open_files_of(pid_t pid);

// User and system time so far.
std::chrono::milliseconds cpu_time_of(pid_t pid);

std::string text_of(const fs::path& path);
void write_text(const fs::path& path, const std::string& text);
std::vector<std::string> lines_of(const fs::path& path);

}  // namespace hermes::daemon::test
