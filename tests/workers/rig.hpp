#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/workers/launch.hpp"
#include "daemon/workers/observe.hpp"
#include "kernel/base/ids.hpp"
#include "support/temp_dir.hpp"

namespace hermes::workers::test {

extern const fs::path k_shim;
extern const std::string k_helper;
extern const std::string k_starter;

// A directory for one run at a time, with a token of its own, and the steps that every test takes.
// What a test leaves running by failing is killed at the end.
class Rig {
 public:
  Rig();
  explicit Rig(fs::path log_directory);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // Runs `argv` in the directory with PATH and the token as its environment; no limits.
  Launch launch(std::vector<std::string> argv) const;
  // Started, its gate open.
  HeldShim go(const Launch& launch) const;
  // Started and waited for; the shim must have ended with status 0 and the record must hold an
  // exit.
  Exit run(const Launch& launch) const;
  Exit run(std::vector<std::string> argv) const { return run(launch(std::move(argv))); }

  // Waits for the end of the shim and reaps it: its exit status.
  int wait_for_end(const HeldShim& shim) const;
  bool wait_for_log(std::string_view text) const;
  // Everything that is data: the hole at the front of a punched log is skipped.
  std::string log_text() const;

  fs::path path(const std::string& name) const { return directory_ / name; }
  const std::string& token() const { return token_; }
  const std::string& boot() const { return boot_; }
  fs::path record() const { return path("record"); }
  fs::path log() const { return logs_ / (token_ + ".log"); }
  fs::path log_older() const { return logs_ / (token_ + ".log.1"); }

 private:
  hermes::test::TempDir directory_;
  fs::path logs_;
  std::string token_;
  std::string boot_ = "boot-of-the-test";
};

// Processes that live and whose environment has the token variable beginning with `prefix`.
int count_living(std::string_view prefix);

std::string file_text(const fs::path& path);

// SIGKILL for the shim itself, as the kernel's memory killer would.
void kill_shim(const Fd& pidfd);

// While it lives, orphans of our children become ours, and are reaped at its end: a container's
// first process may not reap.
class Subreaper {
 public:
  Subreaper();
  ~Subreaper();
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;
};

}  // namespace hermes::workers::test
