#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/home/git.hpp"
#include "kernel/home/paths.hpp"

// Working trees of git for tasks. Everything here starts git and waits for it: for the command
// line and for a child process of the dispatcher, never for its loop, never under a write gate.
//
// A tree that we make is known by two marks, and nothing is repaired or removed without both: a
// note in our own directory (worktree_note.hpp), written before git is asked for anything, and a
// file in the tree's own part of the repository, which names the task.
//
//   no note → making → ready → removed: no note
//
// `making`: no worker has been there. Whoever finds it, after a kill or a power failure, may throw
// away what is half-made, and does. `ready`: what is in the tree is the task's; it is taken as it
// is, and never put right.
namespace hermes::home {

// What a task asks for.
struct TreeRequest {
  std::string task_id;
  std::optional<std::string> path;    // worktree:PATH; none: the board's default_workdir
  std::optional<std::string> branch;  // none: wt/<task id>
};

struct Tree {
  std::string path;                   // absolute, without links
  std::optional<std::string> branch;  // that is checked out there; none: a detached HEAD
  bool ours = false;                  // we have made it for this task
};

// Finds or makes the tree in which the task's worker shall work; called again, it finds the same.
//
//   PATH is the top of a repository, or the default_workdir   → <its main tree>/.worktrees/<task
//   id> PATH is not empty and further down in one                 → likewise, never the shared tree
//   PATH is a linked working tree already                     → that one as it is, not ours
//   PATH is empty or not there, inside a repository           → a new tree at PATH
//   PATH is empty or not there, elsewhere                     → likewise, of default_workdir's
//   a bare repository has no tree to be beside                → <board>/workspaces/<task id>
//
// The branch is made from the HEAD that is found at PATH when it does not exist. Error: invalid,
// with the reason and what to do; what git.hpp says.
Result<Tree> prepare_worktree(const BoardPaths& board, const TreeRequest& request, Git& git);

// Tasks for which we have begun to make a tree that has not been removed.
std::vector<std::string> tasks_with_trees(const BoardPaths& board);

// The path of the tree that we have made for a task. Nothing when there is none.
std::optional<std::string> tree_of(const BoardPaths& board, const std::string& task_id);

// Removes the tree of a task with `git worktree remove`, never by force, and never its branch. The
// caller knows that nobody needs it (board::tree_need). Error: not_found (we have made none);
// conflict, saying why it stays: it has changes, commits that no other branch and no remote has, a
// merge or rebase under way, a lock, submodules, a mount, or is not what we made; what git.hpp
// says.
Result<void> remove_worktree(const BoardPaths& board, const std::string& task_id, Git& git);
// Whether that would remove it; changes nothing. Error: as remove_worktree, but that submodules are
// seen by the removal alone.
Result<void> may_remove_worktree(const BoardPaths& board, const std::string& task_id, Git& git);

}  // namespace hermes::home
