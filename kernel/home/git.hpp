#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/base/instant.hpp"

namespace hermes::home {

namespace fs = std::filesystem;

// git, each command a child process that is waited for: never to be used in an event loop. All
// commands of one object share one term; when it is over, or `cancel_fd` becomes readable, the
// running git and what it has started are ended; what a git has left behind is ended with it.
//
// They get no terminal, no prompt, no GIT_ variable of ours, no secret and no network; hooks, the
// fsmonitor daemon and automatic maintenance are off. Content filters (git-lfs and the like) run.
class Git {
 public:
  explicit Git(Millis limit, int cancel_fd = -1);

  struct Answer {
    int status = 0;   // exit status
    std::string out;  // at most 4 MiB; what follows is dropped
    std::string err;  // its last 4 KiB
  };
  // Any exit status is an answer. Error: invalid (there is no git), busy (the term is over),
  // conflict (cancelled), unavailable (also when a signal has killed it).
  Result<Answer> ask(const fs::path& dir, const std::vector<std::string>& arguments);

  // Its output. Error: as above; invalid, with git's own words, when the exit status is not 0.
  Result<std::string> run(const fs::path& dir, const std::vector<std::string>& arguments);

  // Like run, for one value: without the newline at its end.
  Result<std::string> value(const fs::path& dir, const std::vector<std::string>& arguments);

  // An exclusive lock on a directory. Every git that is started while it is held holds it too, so
  // that none of them is disturbed by whoever comes after we were killed. At most one at a time.
  // Error: busy, naming who holds it; conflict, unavailable.
  Result<void> lock(const fs::path& directory);
  void unlock() { lock_.reset(); }

 private:
  Result<void> in_time() const;
  int remaining_ms() const;
  bool cancelled() const;
  Error stopped() const;

  std::chrono::steady_clock::time_point until_;
  Millis limit_;
  int cancel_fd_;
  Fd lock_;
};

// The error of a git command that has failed, in git's words.
Error git_error(const fs::path& dir, const std::vector<std::string>& arguments,
                const Git::Answer& answer);

}  // namespace hermes::home
