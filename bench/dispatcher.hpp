#pragma once

#include <optional>

#include "bench/child.hpp"
#include "bench/temp_home.hpp"

namespace hermes::bench {

// A hermes-dispatcher that serves a home. At the end it is told to stop.
class Dispatcher {
 public:
  explicit Dispatcher(const TempHome& home);
  ~Dispatcher();

  const Child& process() const { return process_; }

  // Until it has taken the board over.
  void wait_ready() const;
  // Until it sleeps and goes on sleeping for some milliseconds: what it does after a commit is
  // done.
  void wait_idle() const;
  // How often its threads have gone to sleep of their own accord: each time something had woken
  // them.
  std::int64_t wakes() const;
  std::int64_t resident_kib() const;

 private:
  const TempHome& home_;
  Child process_;
};

// The same of any process.
std::int64_t wakes_of(pid_t pid);
std::int64_t resident_kib_of(pid_t pid);

}  // namespace hermes::bench
