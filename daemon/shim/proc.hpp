#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

// What the shim asks of /proc and the clocks, without allocation.
namespace hermes::shim {

// A short text built in place: paths under /proc, numbers. What does not fit is dropped.
class Text {
 public:
  Text& add(const char* part);
  Text& add(std::int64_t number);
  const char* c_str() const { return text_; }
  std::size_t size() const { return size_; }

 private:
  char text_[96] = {};
  std::size_t size_ = 0;
};

// Field 22 of /proc/<pid>/stat; 0 when it cannot be read.
std::uint64_t start_time_of(pid_t pid);

std::int64_t wall_ms();

// CLOCK_MONOTONIC: time during which the machine is suspended does not count.
std::int64_t monotonic_ms();

// SIGKILL for every descendant of the caller that can be found now. Not all need be found at once:
// the caller is a subreaper, so whatever escaped becomes its child sooner or later, and it repeats
// this until wait4(2) says ECHILD.
void kill_descendants();

// SIGTERM and SIGCONT for the process group `group` and for every descendant outside of it.
void terminate_descendants(pid_t group);

}  // namespace hermes::shim
