#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "kernel/base/fd.hpp"
#include "mcp/methods.hpp"

namespace hermes::mcp {

// The thread that makes the calls on the board, one at a time.
class Caller {
 public:
  Caller();
  ~Caller();  // waits for the call that runs
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // Only while it has nothing to do.
  void begin(Work work);
  // What the work came to, once.
  std::optional<Outcome> take();
  int fd() const { return done_event_.get(); }  // readable when there is something to take

 private:
  void run();

  Fd done_event_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Work> work_;
  std::optional<Outcome> done_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hermes::mcp
