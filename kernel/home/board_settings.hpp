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
};

// A missing file gives empty values. Error: invalid, "<file>:<line>: <key>: <rule>".
Result<BoardSettings> load_board_settings(const BoardPaths& board);

// Refuses what load_board_settings would refuse, before anything is written. Error: invalid.
Result<std::string> board_settings_text(const BoardSettings& settings,
                                        const std::string& file_name);

// Replaces the file.
Result<void> save_board_settings(const BoardPaths& board, const BoardSettings& settings);

}  // namespace hermes::home
