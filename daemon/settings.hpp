#pragma once

#include <map>
#include <optional>
#include <string>

#include "daemon/command_line/options.hpp"
#include "kernel/base/fd.hpp"
#include "kernel/home/config.hpp"
#include "kernel/home/profile.hpp"

namespace hermes::daemon {

// config.toml and the profiles as they are now, with the command line's flags on top. Read again
// when a file changes: a bad edit keeps the old values, but for automatic planning, which it turns
// off, and is logged.
class Settings {
 public:
  Settings(home::Home home, Options options);

  // Error: the first reading of config.toml failed; later bad edits only warn.
  Result<void> load();

  // Readable when something below the home's config.toml, profiles or boards changed. -1 when it
  // cannot be watched.
  int watch_fd() const { return watch_.get(); }
  void take_changes();  // empties watch_fd; the next refresh reads everything again
  void refresh();       // cheap when nothing changed

  const home::Config& config() const { return config_; }
  const std::map<std::string, home::Profile>& profiles() const {
    return profiles_;
  }  // those that can be used
  std::map<std::string, VerdictMode> verdicts() const;

 private:
  void read_profiles();
  void watch_everything();

  home::Home home_;
  Options options_;
  home::Config config_;
  std::map<std::string, home::Profile> profiles_;
  std::map<std::string, std::string>
      complaints_;  // last one logged per profile and for config.toml
  Fd watch_;
  bool stale_ = true;
  std::chrono::steady_clock::time_point read_at_;
};

}  // namespace hermes::daemon
