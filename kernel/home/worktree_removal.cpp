#include <fmt/core.h>

#include <array>
#include <system_error>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/mounts.hpp"
#include "kernel/home/worktree.hpp"
#include "kernel/home/worktree_note.hpp"

namespace hermes::home {

namespace {

// What git leaves in a tree's own directory while something is under way in the tree.
constexpr std::array k_under_way{"MERGE_HEAD",   "CHERRY_PICK_HEAD", "REVERT_HEAD",
                                 "rebase-merge", "rebase-apply",     "BISECT_LOG"};

std::unexpected<Error> stays(const fs::path& tree, const std::string& why) {
  return fail(ErrorCode::conflict,
              fmt::format("the working tree {} stays: {}", printable(tree.string()), why),
              "`git worktree remove` removes it when it is not needed any more");
}

Result<void> check_clean(Git& git, const fs::path& tree, const fs::path& admin) {
  for (const char* name : k_under_way) {
    if (is_there(admin / name)) {
      return stays(tree, fmt::format("a merge, rebase or the like is under way ({})", name));
    }
  }
  TRY_ASSIGN(const std::string changes,
             git.run(tree, {"status", "--porcelain", "-z", "--untracked-files=all",
                            "--ignore-submodules=none"}));
  if (!changes.empty()) {
    return stays(tree, "it has changes that are not committed: " +
                           printable(clip(changes.substr(0, changes.find('\0')), 200)));
  }
  return {};
}

// The branch is never deleted; but nobody looks for the work of an archived task on its branch.
Result<void> check_published(Git& git, const fs::path& tree) {
  TRY_ASSIGN(const Git::Answer head, git.ask(tree, {"symbolic-ref", "--quiet", "--short", "HEAD"}));
  const std::string branch(trim(head.out));
  std::vector<std::string> arguments{"rev-list", "--count", "HEAD", "--not"};
  if (head.status == 0) {
    arguments.push_back("--exclude=" + branch);
  }
  arguments.insert(arguments.end(), {"--branches", "--remotes"});
  TRY_ASSIGN(const std::string count, git.value(tree, arguments));
  if (count != "0") {
    return stays(tree, fmt::format("no other branch and no remote has {} commit{} of {}", count,
                                   count == "1" ? "" : "s",
                                   head.status == 0 ? printable(branch) : "its detached HEAD"));
  }
  return {};
}

Result<void> check_tree(Git& git, const BoardPaths& board, const fs::path& tree,
                        const fs::path& common, const std::string& task_id,
                        const ListedTree* listed) {
  const auto admin = admin_directory(git, tree);
  if (!admin && admin.error().code != ErrorCode::invalid) {
    return std::unexpected(admin.error());
  }
  if (listed == nullptr || !admin || mark_of(*admin, board, task_id) != Marked::for_us ||
      admin->parent_path() != common / "worktrees") {
    return stays(tree, "what is there now was not made for " + task_id);
  }
  if (listed->locked) {
    return stays(tree,
                 "it is locked" +
                     (listed->lock_reason.empty() ? "" : ": " + printable(listed->lock_reason)));
  }
  TRY_ASSIGN(const bool mounted, has_mount(tree));
  if (mounted) {
    return stays(tree, "something is mounted in it");
  }
  TRY(check_clean(git, tree, *admin));
  return check_published(git, tree);
}

Result<TreeNote> note_of(const BoardPaths& board, const std::string& task_id) {
  if (auto note = read_note(board, task_id)) {
    return *std::move(note);
  }
  return fail(ErrorCode::not_found, fmt::format("no working tree was made for {}", task_id));
}

// Whether there is a tree to remove, and not only its note; then the repository is locked. Error:
// why it stays.
Result<bool> examine(const BoardPaths& board, const TreeNote& note, const std::string& task_id,
                     Git& git) {
  const fs::path tree = note.path;
  const fs::path common = note.common;
  if (!is_there(common)) {
    if (!is_there(tree)) {
      return false;
    }
    return stays(tree, fmt::format("its repository {} is gone", printable(note.common)));
  }
  TRY(git.lock(common));
  TRY_ASSIGN(const auto trees, list_trees(git, common));
  if (!is_there(tree)) {  // somebody has removed it; what git still knows of it is left to `git
    return false;         // worktree prune`
  }
  TRY(check_tree(git, board, tree, common, task_id, find_tree(trees, note.path)));
  return true;
}

}  // namespace

Result<void> may_remove_worktree(const BoardPaths& board, const std::string& task_id, Git& git) {
  TRY_ASSIGN(const TreeNote note, note_of(board, task_id));
  TRY(examine(board, note, task_id, git));
  git.unlock();
  return {};
}

Result<void> remove_worktree(const BoardPaths& board, const std::string& task_id, Git& git) {
  TRY_ASSIGN(const TreeNote note, note_of(board, task_id));
  TRY_ASSIGN(const bool there, examine(board, note, task_id, git));
  if (there) {
    const std::vector<std::string> command{"worktree", "remove", "--", note.path};
    TRY_ASSIGN(const Git::Answer removed, git.ask(note.common, command));
    if (removed.status != 0) {  // submodules, and whatever else git knows better
      return stays(note.path, git_error(note.common, command, removed).message);
    }
  }
  git.unlock();
  remove_note(board, task_id);
  return {};
}

}  // namespace hermes::home
