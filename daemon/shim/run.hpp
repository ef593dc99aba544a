#pragma once

#include <sys/signalfd.h>

#include "log_cap.hpp"
#include "options.hpp"
#include "record.hpp"
#include "worker.hpp"

namespace hermes::shim {

// One run from the start of its worker to the exit section. Passive between events: a wait without
// deadline, unless the runtime limit, a stop or a growing log sets one.
//
// Order that matters:
//   `started` is written before the fork: once it stands, nobody may say that the worker never ran.
//   `exit` is written when wait4(2) says ECHILD: once it stands, nothing of the run is alive,
//   setsid and double forks included, because the shim is a subreaper.
class Run {
 public:
  // `signal_fd` delivers every blocked signal; `record` is the mapped control record.
  Run(const Options& options, int signal_fd, int log_fd, void* record)
      : options_(options), signal_fd_(signal_fd), log_fd_(log_fd), record_(record) {}

  // Returns the exit status of the shim.
  int perform();

 private:
  bool start();
  void wait_for_event();
  void read_signals();
  void reap();
  void begin_stop(std::int64_t grace_ms);
  void enforce_deadlines();
  std::int64_t next_deadline() const;
  void write_exit();

  const Options& options_;
  int signal_fd_;
  int log_fd_;
  void* record_;
  StartedWorker worker_;
  LogCap log_cap_;
  std::int64_t now_ms_ = 0;
  std::int64_t limit_ms_ = INT64_MAX;  // when the runtime limit strikes
  std::int64_t kill_ms_ = INT64_MAX;   // when everything is killed; then again every 100 ms
  bool log_changed_ = false;
  bool children_changed_ = false;
  bool stopping_ = false;
  bool timed_out_ = false;
  bool worker_gone_ = false;
  bool all_gone_ = false;
  bool exec_failed_ = false;
  ExecFailure exec_failure_{};
  int status_ = 0;  // of the worker, as wait4(2) gives it
  Exit exit_{};
};

}  // namespace hermes::shim
