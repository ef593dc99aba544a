#pragma once

#include <string>
#include <vector>

#include "kernel/home/paths.hpp"

namespace hermes::bench {

namespace fs = std::filesystem;

// A HERMES_HOME of a measurement's own with an empty default board. At the end every process that
// was started for it is killed, and the directory in memory that its run/ leads to is removed; the
// home itself is left to TempHomes.
class TempHome {
 public:
  TempHome();
  ~TempHome();
  TempHome(const TempHome&) = delete;
  TempHome& operator=(const TempHome&) = delete;

  home::Home home() const { return {dir_ / "home"}; }
  home::BoardPaths board() const { return home().board("default"); }
  const fs::path& dir() const { return dir_; }  // holds the home, and room for other files

  // A worker judged by its exit code.
  void add_profile(const std::string& name, const std::vector<std::string>& command) const;
  void write_config(const std::string& text) const;

  // The whole environment of every program that is run for this home.
  std::vector<std::string> environment() const;

 private:
  void kill_everything() const;

  fs::path dir_;
};

// Removes the homes of all measurements when it ends, in main. Not earlier: for minutes ext4 makes
// every new file pay for each one that was removed near it (recently_deleted in fs/ext4/ialloc.c),
// so that the home of one measurement would slow the next one down.
class TempHomes {
 public:
  TempHomes() = default;
  ~TempHomes();
  TempHomes(const TempHomes&) = delete;
  TempHomes& operator=(const TempHomes&) = delete;
};

}  // namespace hermes::bench
