// Which trees may go, and which stay with what reason.
#include <fmt/core.h>

#include "home/worktree_rig.hpp"

namespace hermes::home::test {

namespace {

struct Grown : TreeRig {
  fs::path tree;
  Grown() {
    request.path = repository.string();
    tree = made().path;
  }
  // It stays, with all that is in it, and says why.
  void check_stays(const std::string& why) const {
    const auto removed = remove();
    REQUIRE_FALSE(removed);
    INFO(removed.error().message);
    CHECK(removed.error().code == ErrorCode::conflict);
    CHECK(removed.error().message.find(why) != std::string::npos);
    CHECK(fs::exists(tree / "readme"));
    CHECK(tree_of(board, request.task_id) == tree.string());
  }
};

}  // namespace

TEST_CASE("a clean tree whose work is elsewhere too is removed, and its branch stays",
          "[worktree]") {
  Grown rig;
  write_at(rig.repository / ".git/info/exclude", "*.o\n");
  write_at(rig.tree / "built.o", "ignored");
  SECTION("nothing was committed") {}
  SECTION("the work was merged") {
    commit_file(rig.tree, "work", "x");
    git(rig.repository, "merge -q wt/t_12345678");
  }
  SECTION("the work was pushed") {
    commit_file(rig.tree, "work", "x");
    git(rig.repository, "update-ref refs/remotes/origin/topic wt/t_12345678");
  }
  CHECK(rig.remove());
  CHECK_FALSE(fs::exists(rig.tree));
  CHECK(git_succeeds(rig.repository, "rev-parse --verify -q refs/heads/wt/t_12345678"));
  CHECK(git(rig.repository, "worktree list --porcelain").find("t_12345678") == std::string::npos);
  CHECK(tasks_with_trees(rig.board).empty());
  CHECK(rig.remove().error().code == ErrorCode::not_found);
  CHECK(rig.made().path == rig.tree.string());  // and it can be made again
}

TEST_CASE("a tree stays when something in it would be lost", "[worktree]") {
  Grown rig;
  SECTION("a changed file") {
    write_at(rig.tree / "readme", "changed");
    rig.check_stays("not committed:  M readme");
  }
  SECTION("a new file, also where the settings hide them") {
    git(rig.repository, "config status.showUntrackedFiles no");
    write_at(rig.tree / "new", "x");
    rig.check_stays("?? new");
  }
  SECTION("a staged file") {
    write_at(rig.tree / "new", "x");
    git(rig.tree, "add new");
    rig.check_stays("A  new");
  }
  SECTION("commits that only its branch has") {
    commit_file(rig.tree, "work", "x");
    rig.check_stays("no other branch and no remote has 1 commit of wt/t_12345678");
  }
  SECTION("a tag is no branch") {
    commit_file(rig.tree, "work", "x");
    git(rig.tree, "tag v1");
    rig.check_stays("no other branch and no remote has 1 commit");
  }
  SECTION("commits of a detached HEAD") {
    git(rig.tree, "checkout -q --detach");
    commit_file(rig.tree, "work", "x");
    rig.check_stays("its detached HEAD");
  }
  SECTION("a rebase that stopped") {
    commit_file(rig.tree, "readme2", "a");
    git(rig.repository, "merge -q wt/t_12345678");
    git_succeeds(rig.tree, "rebase -q --exec false HEAD~1");
    rig.check_stays("under way");
  }
  SECTION("a lock") {
    git(rig.repository, "worktree lock --reason 'on a stick' .worktrees/t_12345678");
    rig.check_stays("it is locked: on a stick");
  }
}

TEST_CASE("a tree that is not the one we made stays", "[worktree]") {
  Grown rig;
  SECTION("another one was put in its place") {
    fs::remove_all(rig.tree);
    git(rig.repository, "worktree prune");
    git(rig.repository, "worktree add -q .worktrees/t_12345678 -b theirs");
    rig.check_stays("was not made for t_12345678");
  }
  SECTION("a repository of its own") {
    fs::remove_all(rig.tree);
    make_repository(rig.tree);
    rig.check_stays("was not made for t_12345678");
  }
  SECTION("its repository is gone") {
    const fs::path kept = rig.dir / "kept";
    fs::rename(rig.tree, kept);
    fs::remove_all(rig.repository);
    fs::create_directories(rig.tree.parent_path());
    fs::rename(kept, rig.tree);
    rig.check_stays("is gone");
  }
}

TEST_CASE("a tree belongs to one board, though a copy of the board has a task of the same id",
          "[worktree]") {
  Grown rig;
  const BoardPaths copy{"copy", rig.dir / "copy"};
  REQUIRE(make_directory(copy.dir));
  const std::string mark = git(rig.tree, "rev-parse --absolute-git-dir") + "/hermes-task";
  const bool older = GENERATE(false, true);
  if (older) {
    write_at(mark, "t_12345678\n");
  }
  const auto theirs = [&] {
    Git own(Millis{60'000});
    return prepare_worktree(copy, rig.request, own);
  }();
  REQUIRE_FALSE(theirs);
  CHECK(theirs.error().message.find("another board") != std::string::npos);
  // Not even with a note of it, which a copied directory brings along.
  if (!older) {
    fs::create_directories(copy.worktrees());
    fs::copy_file(rig.board.worktrees() / rig.request.task_id,
                  copy.worktrees() / rig.request.task_id);
    Git own(Millis{60'000});
    CHECK(remove_worktree(copy, rig.request.task_id, own).error().code == ErrorCode::conflict);
  }
  CHECK(fs::exists(rig.tree / "readme"));
  CHECK(rig.made().path == rig.tree.string());
  CHECK(rig.remove());
  CHECK_FALSE(fs::exists(rig.tree));
}

TEST_CASE("a tree with submodules stays", "[worktree]") {
  Grown rig;
  make_repository(rig.dir / "lib");
  git(rig.tree, "-c protocol.file.allow=always submodule --quiet add ../../../lib lib");
  git(rig.tree, "commit -q -m 'with lib'");
  git(rig.repository, "branch elsewhere wt/t_12345678");
  rig.check_stays("submodules");
}

TEST_CASE("a tree that was removed by hand needs nothing more", "[worktree]") {
  Grown rig;
  fs::remove_all(rig.tree);
  const bool repository_too = GENERATE(false, true);
  if (repository_too) {
    fs::remove_all(rig.repository);
  }
  CHECK(rig.remove());
  CHECK(tasks_with_trees(rig.board).empty());
}

}  // namespace hermes::home::test
