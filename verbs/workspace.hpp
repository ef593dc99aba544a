#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "kernel/base/error.hpp"
#include "kernel/model/words.hpp"

namespace hermes::verbs {

struct WorkspaceForm {
  WorkspaceKind kind = WorkspaceKind::scratch;
  std::optional<std::string> path;  // absolute; without one the board's default_workdir is meant
};
// scratch, worktree, worktree:PATH, dir, dir:PATH; "~" stands for `user_home`. Error: usage, naming
// the forms.
Result<WorkspaceForm> parse_workspace(const std::string& text, const std::string& user_home);

// Error: usage when a branch is asked for without a worktree, or cannot be a branch name.
Result<void> check_branch(const std::optional<std::string>& branch, WorkspaceKind kind);

// The one text under which a directory is kept, whatever it was called: links resolved as far as it
// exists, no slash at the end. Tasks that work in the same place are known by it.
std::filesystem::path one_spelling(const std::filesystem::path& path);

}  // namespace hermes::verbs
