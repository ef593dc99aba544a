#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/base/error.hpp"
#include "kernel/base/instant.hpp"

namespace hermes::home {

namespace fs = std::filesystem;

inline constexpr std::string_view k_default_board = "default";

// One board's files below boards/<slug>/. Pure: nothing is created or looked at.
struct BoardPaths {
  std::string slug;
  fs::path dir;

  fs::path database() const { return dir / "board.db"; }
  fs::path lock() const { return dir / "board.lock"; }
  fs::path settings() const { return dir / "board.toml"; }
  fs::path logs() const { return dir / "logs"; }
  fs::path workspaces() const { return dir / "workspaces"; }
  fs::path attachments() const { return dir / "attachments"; }
  fs::path worktrees() const { return dir / "worktrees"; }  // notes of working trees, no trees
  // `task_id` must be a whole task id (is_task_id): nothing else may become part of a path.
  fs::path log(const std::string& task_id, std::int64_t attempt) const;
  fs::path older_log(const std::string& task_id, std::int64_t attempt) const;
  fs::path workspace(const std::string& task_id) const { return workspaces() / task_id; }
  fs::path attachments_of(const std::string& task_id) const { return attachments() / task_id; }
};

// $HERMES_HOME and what lies in it.
struct Home {
  fs::path dir;

  fs::path config() const { return dir / "config.toml"; }
  fs::path profiles() const { return dir / "profiles"; }
  fs::path profile(const std::string& name) const { return profiles() / name / "profile.toml"; }
  fs::path boards() const { return dir / "boards"; }
  // Boards that were put away; no board's name begins with '_'.
  fs::path archived() const { return boards() / "_archived"; }
  fs::path current() const { return dir / "current"; }
  fs::path run() const { return dir / "run"; }
  fs::path dispatcher_lock() const { return run() / "dispatcher.lock"; }
  BoardPaths board(const std::string& slug) const { return {slug, boards() / slug}; }
  fs::path records(const std::string& slug) const { return run() / slug; }
  // The control record of a live run and, beside it, the context text its worker may be given.
  fs::path record(const std::string& slug, std::int64_t run_id) const;
  fs::path context_file(const std::string& slug, std::int64_t run_id) const;
};

// `hermes_home`: the value of HERMES_HOME ("" = not set), `user_home`: that of HOME. The default is
// ~/.hermes. Error: usage when neither is set or HERMES_HOME is relative.
Result<Home> find_home(std::string_view hermes_home, std::string_view user_home);

// Trimmed, lower-cased and checked: [a-z0-9][a-z0-9_-]{0,63}. Error: usage, naming the rule.
Result<std::string> parse_slug(std::string_view text);

// Trimmed, lower-cased and checked for use in a path: [a-z0-9][a-z0-9._-]{0,63}. Error: usage.
Result<std::string> parse_profile_name(std::string_view text);

}  // namespace hermes::home
