#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "bench/sample.hpp"
#include "kernel/base/fd.hpp"

namespace hermes::bench {

using Words = std::vector<std::string>;

// Where a child's standard output and error go; its standard input is empty.
struct Streams {
  std::string out = "/dev/null";  // a file, made when missing; appended to
  std::string err = "/dev/null";
  int out_fd = -1;  // instead of `out`, unless negative
};

// posix_spawn(3), with the path of the program as its first word.
pid_t spawn(const Words& words, const Words& environment, const Streams& streams = {});

// Blocks until the child has ended: its exit status, 128 + signal when it was killed.
int wait_status(pid_t pid);

// From spawn to reaped. Throws when the program does not exit with 0.
Nanos time_of_run(const Words& words, const Words& environment, const Streams& streams = {});

// CPU time of all children that were reaped so far, and of all that they reaped.
Nanos cpu_of_children();

// A child that is killed and reaped at the end.
class Child {
 public:
  Child(const Words& words, const Words& environment, const Streams& streams = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // readable when it has ended
  bool ended() const;
  void signal(int number) const;
  int wait();  // at most 30 s; status as in wait_status

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
};

}  // namespace hermes::bench
