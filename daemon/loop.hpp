#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace hermes::daemon {

using MonotonicTime = std::chrono::steady_clock::time_point;

// One thread, one event loop (Boost.Asio, in loop.cpp only). A handler records a fact and calls
// wake(); one settle() acts after all facts that are there have been recorded.
class Loop {
 public:
  // `settle` returns when it wants to be called next, if nothing happens before.
  using Settle = std::function<std::optional<MonotonicTime>()>;
  explicit Loop(Settle settle);
  ~Loop();

  // Watches a descriptor until it is dropped. The descriptor stays the caller's and must outlive
  // it.
  class Watch {
   public:
    virtual ~Watch() = default;
  };
  // `fact` is called whenever `fd` is readable; it must take what there is to take, or drop the
  // watch.
  std::unique_ptr<Watch> on_readable(int fd, std::function<void()> fact);

  // `fact` is called for SIGTERM, SIGINT and SIGHUP with the signal's number.
  void on_signal(const std::function<void(int)>& fact);

  void wake();

  // The shortest time from the end of one settle() to the beginning of the next. 0 unless set.
  void pace(std::chrono::microseconds gap);

  void run();  // until stop()
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hermes::daemon
