#pragma once

#include <optional>
#include <string>

#include "kernel/home/paths.hpp"

// How a working tree that we make is known again, and what git tells about one. For worktree.cpp
// and worktree_removal.cpp.
namespace hermes::home {

class Git;

// boards/<slug>/worktrees/<task id>
struct TreeNote {
  bool ready = false;
  std::string requested;  // the task's PATH, so that another request is not answered by an old tree
  std::string path;       // of the tree
  std::string common;     // the repository: git's common directory
  std::string branch;     // that was asked for
};
std::optional<TreeNote> read_note(const BoardPaths& board, const std::string& task_id);
Result<void> write_note(const BoardPaths& board, const std::string& task_id, const TreeNote& note);
void remove_note(const BoardPaths& board, const std::string& task_id);

// One entry of `git worktree list`.
struct ListedTree {
  std::string path;
  std::string branch;  // without refs/heads/; "": detached or bare
  bool bare = false;
  bool locked = false;
  std::string lock_reason;
};
// The main tree first. Error: of git.
Result<std::vector<ListedTree>> list_trees(Git& git, const fs::path& repository);
const ListedTree* find_tree(const std::vector<ListedTree>& trees, const std::string& path);

// The tree's own directory inside the repository. Error: of git, when there is none.
Result<fs::path> admin_directory(Git& git, const fs::path& tree);

// The mark inside the repository: the task and the board. A board is known by a random name that it
// draws with its first tree and keeps beside its notes, so that a copy of it (`boards import`) is
// another board, though its tasks have the same ids.
Result<void> mark_tree(const fs::path& admin, const BoardPaths& board, const std::string& task_id);
enum class Marked { not_at_all, for_us, for_another_task, for_another_board };
Marked mark_of(const fs::path& admin, const BoardPaths& board, const std::string& task_id);

}  // namespace hermes::home
