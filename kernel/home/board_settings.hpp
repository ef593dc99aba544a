#pragma once

#include <string>

#include "kernel/home/paths.hpp"

namespace hermes::home {

// boards/<slug>/board.toml: what people see of a board. Every key is optional.
struct BoardSettings {
  std::string name;  // "": the slug
  std::string description;
  std::string icon;
  std::string color;
  std::string default_workdir;  // absolute; where dir and worktree workspaces without a path work

  bool operator==(const BoardSettings&) const = default;
};

// A missing file gives empty values. Error: invalid, "<file>:<line>: <key>: <rule>".
Result<BoardSettings> load_board_settings(const BoardPaths& board);

// Refuses what load_board_settings would refuse, before anything is written. Error: invalid.
Result<std::string> board_settings_text(const BoardSettings& settings,
                                        const std::string& file_name);

// Replaces the file.
Result<void> save_board_settings(const BoardPaths& board, const BoardSettings& settings);

// Replaces the one line of this setting, or adds it in front: comments and all other lines stay. Of
// several who change settings at once none is lost. Error: invalid (refused by the setting's rule,
// or written over several lines in the file), busy after 10 s, unavailable.
Result<void> change_board_setting(const BoardPaths& board, std::string BoardSettings::*setting,
                                  const std::string& value);

}  // namespace hermes::home
