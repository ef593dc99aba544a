// Where a task's working tree is, how it is made, found again and put right.
#include <fmt/core.h>

#include <chrono>
#include <csignal>

#include "home/worktree_rig.hpp"
#include "kernel/home/worktree_note.hpp"
#include "support/wait.hpp"

namespace hermes::home::test {

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a worktree is made beside the repository, on a branch of its own, and taken again",
          "[worktree]") {
  TreeRig rig;
  const bool by_default = GENERATE(true, false);
  if (by_default) {
    rig.set_workdir(rig.repository);
  } else {
    rig.request.path = rig.repository.string();
  }
  const Tree tree = rig.made();
  CHECK(tree.path == (rig.repository / ".worktrees" / "t_12345678").string());
  CHECK(tree.branch == "wt/t_12345678");
  CHECK(tree.ours);
  CHECK(text_at(fs::path(tree.path) / "readme") == "first");
  CHECK(git(tree.path, "status --porcelain").empty());
  // The directory of trees does not show in the repository itself.
  CHECK(git(rig.repository, "status --porcelain --untracked-files=all").empty());

  // What an attempt leaves is there for the next one, changed, committed or not.
  write_at(fs::path(tree.path) / "draft", "kept");
  fs::remove(fs::path(tree.path) / "readme");
  commit_file(tree.path, "work", "of the first attempt");
  commit_file(rig.repository, "later", "on main");
  const Tree again = rig.made();
  CHECK(again.path == tree.path);
  CHECK(again.branch == tree.branch);
  CHECK(text_at(fs::path(tree.path) / "draft") == "kept");
  CHECK_FALSE(fs::exists(fs::path(tree.path) / "readme"));
  CHECK(fs::exists(fs::path(tree.path) / "work"));
  CHECK_FALSE(fs::exists(fs::path(tree.path) / "later"));
  CHECK(tasks_with_trees(rig.board) == std::vector<std::string>{"t_12345678"});
  CHECK(tree_of(rig.board, "t_12345678") == tree.path);
}

TEST_CASE("a tree is found again when the board's default_workdir has changed", "[worktree]") {
  TreeRig rig;
  rig.set_workdir(rig.repository);
  const Tree tree = rig.made();
  make_repository(rig.dir / "another");
  rig.set_workdir(rig.dir / "another");
  CHECK(rig.made().path == tree.path);
  rig.request.task_id = "t_00000002";
  CHECK(has(rig.made().path, "/another/.worktrees/t_00000002"));
}

TEST_CASE("two tasks have two trees, also of one repository and below one another", "[worktree]") {
  TreeRig rig;
  rig.request.path = rig.repository.string();
  const Tree first = rig.made();
  rig.request.task_id = "t_00000002";
  SECTION("anchored at the repository") {}
  SECTION("anchored at the first task's tree, as its default_workdir") {
    rig.set_workdir(first.path);
    rig.request.path.reset();
  }
  const Tree second = rig.made();
  CHECK(second.path == (rig.repository / ".worktrees" / "t_00000002").string());
  CHECK(second.branch == "wt/t_00000002");
}

TEST_CASE("a directory inside a checkout is never worked in itself", "[worktree]") {
  TreeRig rig;
  commit_file(rig.repository, "part/source", "x");
  const bool by_default = GENERATE(true, false);
  const fs::path part = rig.repository / "part";
  if (by_default) {
    rig.set_workdir(part);
  } else {
    rig.request.path = part.string();
  }
  const Tree tree = rig.made();
  CHECK(tree.path == (rig.repository / ".worktrees" / "t_12345678").string());
  CHECK(fs::exists(fs::path(tree.path) / "part" / "source"));
}

TEST_CASE("a path where there is nothing, or an empty directory, becomes the tree", "[worktree]") {
  TreeRig rig;
  const std::string name = GENERATE("trees/of mine", "line\nbreak", "-dash", "quo'te\"s");
  const bool outside = GENERATE(false, true);
  const fs::path path = (outside ? rig.dir.path() : rig.repository) / name;
  if (outside) {
    rig.set_workdir(rig.repository);
  } else if (name == "-dash") {
    fs::create_directory(path);
  }
  rig.request.path = path.string();
  rig.request.branch = "feature/a";
  const Tree tree = rig.made();
  CHECK(tree.path == fs::canonical(path).string());
  CHECK(tree.branch == "feature/a");
  CHECK(text_at(path / "readme") == "first");
  CHECK(rig.made().path == tree.path);
  CHECK(rig.remove());
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a linked working tree that the task names is taken as it is, and not ours",
          "[worktree]") {
  TreeRig rig;
  const fs::path tree = rig.dir / "by hand";
  git(rig.repository, "worktree add -q -b byhand '" + tree.string() + "'");
  rig.request.path = tree.string();
  SECTION("its branch is told") {
    const Tree taken = rig.made();
    CHECK(taken.path == tree.string());
    CHECK(taken.branch == "byhand");
    CHECK_FALSE(taken.ours);
    CHECK(tasks_with_trees(rig.board).empty());
    CHECK(rig.remove().error().code == ErrorCode::not_found);
  }
  SECTION("a detached HEAD has no branch") {
    git(tree, "checkout -q --detach");
    CHECK_FALSE(rig.made().branch);
  }
  SECTION("locked: it may be used all the same") {
    git(rig.repository, "worktree lock '" + tree.string() + "'");
    CHECK(rig.made().branch == "byhand");
  }
  SECTION("through a link") {
    fs::create_directory_symlink(tree, rig.dir / "link");
    rig.request.path = (rig.dir / "link").string();
    CHECK(rig.made().path == tree.string());
  }
  SECTION("another branch than the one that was asked for") {
    rig.request.branch = "feature";
    CHECK(has(rig.refused(), "is on byhand, not on feature"));
  }
  SECTION("a directory inside it is not worked in: the tree is beside the main one") {
    fs::create_directory(tree / "sub");
    write_at(tree / "sub" / "file", "x");
    rig.request.path = (tree / "sub").string();
    CHECK(rig.made().path == (rig.repository / ".worktrees" / "t_12345678").string());
  }
}

TEST_CASE("a branch that exists is checked out, and one that is in use elsewhere is refused",
          "[worktree]") {
  TreeRig rig;
  rig.request.path = rig.repository.string();
  git(rig.repository, "branch topic");
  commit_file(rig.repository, "later", "x");
  SECTION("it exists") {
    rig.request.branch = "topic";
    const Tree tree = rig.made();
    CHECK(tree.branch == "topic");
    CHECK_FALSE(fs::exists(fs::path(tree.path) / "later"));
  }
  SECTION("it is checked out in the main tree") {
    rig.request.branch = "main";
    CHECK(has(rig.refused(), "main is checked out in " + rig.repository.string()));
  }
  SECTION("no branch can have this name") {
    rig.request.branch = "a..b";
    CHECK(has(rig.refused(), "'a..b' cannot be the name of a branch"));
  }
  CHECK(tasks_with_trees(rig.board).size() == (rig.request.branch == "topic" ? 1 : 0));
}

TEST_CASE("a bare repository's trees are in the board's workspaces", "[worktree]") {
  TreeRig rig;
  git(rig.dir.path(), "clone -q --bare repository bare.git");
  rig.request.path = (rig.dir / "bare.git").string();
  const Tree tree = rig.made();
  CHECK(tree.path == rig.board.workspace("t_12345678").string());
  CHECK(text_at(fs::path(tree.path) / "readme") == "first");
  CHECK(rig.made().path == tree.path);
}

TEST_CASE("a submodule's working tree is one of the submodule's repository", "[worktree]") {
  TreeRig rig;
  make_repository(rig.dir / "lib");
  git(rig.repository, "-c protocol.file.allow=always submodule --quiet add ../lib lib");
  git(rig.repository, "commit -q -m 'with lib'");
  SECTION("of the submodule") {
    rig.request.path = (rig.repository / "lib").string();
    CHECK(rig.made().path == (rig.repository / "lib" / ".worktrees" / "t_12345678").string());
    CHECK(rig.made().ours);
  }
  SECTION("of what has one: it stays empty, nothing is fetched") {
    rig.request.path = rig.repository.string();
    const Tree tree = rig.made();
    CHECK(fs::is_empty(fs::path(tree.path) / "lib"));
    CHECK(rig.made().path == tree.path);
  }
}

TEST_CASE("a worktree that cannot be says why, and what to do", "[worktree]") {
  TreeRig rig;
  SECTION("no path at all") {
    const std::string why = rig.refused();
    CHECK(has(why, "no default_workdir"));
    CHECK(has(why, "worktree:PATH"));
  }
  SECTION("no repository, with files in it") {
    fs::create_directory(rig.dir / "plain");
    write_at(rig.dir / "plain/file", "x");
    rig.request.path = (rig.dir / "plain").string();
    CHECK(has(rig.refused(), "is not in a git repository"));
  }
  SECTION("the repository was removed") {
    rig.request.path = rig.repository.string();
    (void)rig.made();
    fs::remove_all(rig.repository);
    CHECK(has(rig.refused(), "no repository for the worktree"));
  }
  SECTION("the default_workdir is gone") {
    rig.set_workdir(rig.dir / "gone");
    CHECK(has(rig.refused(), "is not a directory"));
  }
  SECTION("a file") {
    rig.request.path = (rig.repository / "readme").string();
    CHECK(has(rig.refused(), "is not a directory"));
  }
  SECTION("a dangling link") {
    fs::create_symlink(rig.dir / "nowhere", rig.dir / "link");
    rig.request.path = (rig.dir / "link").string();
    CHECK(has(rig.refused(), "is not a directory"));
  }
  SECTION("inside .git") {
    rig.request.path = (rig.repository / ".git/refs").string();
    CHECK(has(rig.refused(), "inside the .git directory"));
  }
  SECTION("no commit yet") {
    fs::create_directory(rig.dir / "new");
    git(rig.dir / "new", "init -q");
    rig.request.path = (rig.dir / "new").string();
    CHECK(has(rig.refused(), "has no commit"));
  }
  SECTION("something else is where its tree would be") {
    rig.request.path = rig.repository.string();
    fs::create_directories(rig.repository / ".worktrees/t_12345678");
    write_at(rig.repository / ".worktrees/t_12345678/precious", "x");
    CHECK(has(rig.refused(), "is not empty"));
    CHECK(text_at(rig.repository / ".worktrees/t_12345678/precious") == "x");
  }
  SECTION("somebody else's tree is where its tree would be") {
    rig.request.path = rig.repository.string();
    git(rig.repository, "worktree add -q .worktrees/t_12345678 -b theirs");
    CHECK(has(rig.refused(), "was not made for it"));
  }
  SECTION("a tree there is known and locked, and its directory is away") {
    rig.request.path = rig.repository.string();
    const Tree tree = rig.made();
    git(rig.repository, "worktree lock .worktrees/t_12345678");
    fs::rename(tree.path, rig.dir / "away");
    CHECK(has(rig.refused(), "is locked"));
  }
  SECTION("there is no git") {
    rig.request.path = rig.repository.string();
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", (rig.dir / "empty").c_str(), 1);
    const std::string why = rig.refused();
    ::setenv("PATH", path.c_str(), 1);
    CHECK(has(why, "no git in PATH"));
  }
}

TEST_CASE("a tree that was removed by hand is made again, with the branch and its commits",
          "[worktree]") {
  TreeRig rig;
  rig.request.path = rig.repository.string();
  const Tree tree = rig.made();
  commit_file(tree.path, "work", "x");
  const bool pruned = GENERATE(false, true);
  fs::remove_all(tree.path);
  if (pruned) {
    git(rig.repository, "worktree prune");
  }
  CHECK(rig.made().path == tree.path);
  CHECK(text_at(fs::path(tree.path) / "work") == "x");
}

TEST_CASE("a half-made tree is put right, at whatever step git or we were killed", "[worktree]") {
  TreeRig rig;
  for (int i = 0; i < 20; ++i) {
    commit_file(rig.repository, fmt::format("file{}", i), "x");
  }
  rig.request.path = rig.repository.string();
  const fs::path tree = rig.repository / ".worktrees" / "t_12345678";
  // Each git in turn is killed before it has done anything, or after it has done all.
  const bool after = GENERATE(false, true);
  bool killed = true;
  int step = 1;
  for (; killed; ++step) {
    REQUIRE(step < 60);
    INFO("killed " << (after ? "after" : "before") << " git number " << step);
    const fs::path counter = rig.dir / "counter";
    fs::remove(counter);
    {
      const OtherGit other(
          rig.dir / "bin",
          fmt::format("n=$(($(cat '{0}' 2>/dev/null || echo 0) + 1)); echo $n > '{0}'\n"
                      "[ $n -ne {1} ] || {{ {2} kill -9 $$; }}\nexec REAL \"$@\"",
                      counter.string(), step, after ? "REAL \"$@\" >/dev/null 2>&1;" : ""));
      const auto tried = rig.prepare();
      killed = !tried;
    }
    const Tree made = rig.made();
    CHECK(made.path == tree.string());
    CHECK(git(tree, "status --porcelain").empty());
    CHECK(git(tree, "symbolic-ref --short HEAD") == "wt/t_12345678");
    CHECK(git(rig.repository, "worktree list").find("t_12345678") != std::string::npos);
    CHECK(rig.remove());
    CHECK_FALSE(fs::exists(tree));
    git(rig.repository, "branch -q -D wt/t_12345678");
  }
  CHECK(step > 8);
}

TEST_CASE("a tree whose making was cut off inside git is put right", "[worktree]") {
  TreeRig rig;
  for (int i = 0; i < 5; ++i) {
    commit_file(rig.repository, fmt::format("file{}", i), "x");
  }
  rig.request.path = rig.repository.string();
  const Tree tree = rig.made();
  const fs::path admin = rig.repository / ".git/worktrees/t_12345678";
  auto note = *read_note(rig.board, "t_12345678");
  note.ready = false;
  REQUIRE(write_note(rig.board, "t_12345678", note));
  SECTION("in the middle of the checkout") {
    fs::remove(fs::path(tree.path) / "file3");
    fs::remove(admin / "index");
    write_at(admin / "index.lock", "");
    write_at(fs::path(tree.path) / "file4", "");
  }
  SECTION("before the mark, while git still held its own lock") {
    fs::remove(admin / "hermes-task");
    write_at(admin / "locked", "initializing");
    for (int i = 0; i < 5; ++i) {
      fs::remove(fs::path(tree.path) / fmt::format("file{}", i));
    }
    fs::remove(fs::path(tree.path) / "readme");
  }
  SECTION("before the directory was there") {
    fs::remove(admin / "hermes-task");
    write_at(admin / "locked", "initializing");
    fs::remove_all(tree.path);
  }
  CHECK(rig.made().path == tree.path);
  CHECK(git(tree.path, "status --porcelain").empty());
  CHECK_FALSE(fs::exists(admin / "locked"));
  CHECK(text_at(fs::path(tree.path) / "file4") == "x");
}

TEST_CASE("what somebody has put into an unmarked tree is never thrown away", "[worktree]") {
  TreeRig rig;
  rig.request.path = rig.repository.string();
  const Tree tree = rig.made();
  auto note = *read_note(rig.board, "t_12345678");
  note.ready = false;
  REQUIRE(write_note(rig.board, "t_12345678", note));
  fs::remove(rig.repository / ".git/worktrees/t_12345678/hermes-task");
  write_at(fs::path(tree.path) / "readme", "changed");
  CHECK(has(rig.refused(), "was not made for it"));
  CHECK(text_at(fs::path(tree.path) / "readme") == "changed");
}

TEST_CASE("a git that takes too long, or is told to stop, is ended with all it has started",
          "[worktree]") {
  TreeRig rig;
  rig.request.path = rig.repository.string();
  const fs::path pids = rig.dir / "pids";
  const OtherGit other(rig.dir / "bin",
                       fmt::format("sleep 600 & echo $! >> '{}'; wait", pids.string()));
  const auto began = std::chrono::steady_clock::now();
  const bool cancels = GENERATE(false, true);
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  if (cancels) {
    write_end.reset();  // readable: the end of the file
  }
  Git slow(Millis{cancels ? 60'000 : 300}, read_end.get());
  const auto tree = prepare_worktree(rig.board, rig.request, slow);
  REQUIRE_FALSE(tree);
  CHECK(tree.error().code == (cancels ? ErrorCode::conflict : ErrorCode::busy));
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds{20});
  std::ifstream lines(pids);
  for (pid_t pid = 0; lines >> pid;) {
    CHECK(hermes::test::wait_until([&] {
      const std::string status = text_at(fmt::format("/proc/{}/stat", pid));
      return status.empty() || has(status, ") Z ");
    }));
  }
}

TEST_CASE("what a git leaves behind keeps no lock, and who keeps one is named", "[worktree]") {
  const TreeRig rig;
  const auto left_behind = [&](const std::string& how) {
    Git own(Millis{60'000});
    REQUIRE(own.lock(rig.repository));
    const auto said =
        own.value(rig.repository, {"-c",
                                   "alias.x=!p=$(" + how +
                                       " sh -c 'sleep 1000 >/dev/null 2>&1 </dev/null & echo "
                                       "$!'); echo $p",
                                   "x"});
    REQUIRE(said);
    return std::stoi(*said);
  };
  const pid_t with_it = left_behind("");
  Git next(Millis{10'000});
  CHECK(next.lock(rig.repository));
  next.unlock();
  CHECK(hermes::test::wait_until([&] {
    const std::string status = text_at(fmt::format("/proc/{}/stat", with_it));
    return status.empty() || has(status, ") Z ");
  }));

  const pid_t away = left_behind("setsid");
  Git late(Millis{300});
  const auto refused = late.lock(rig.repository);
  ::kill(away, SIGKILL);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("(PID " + std::to_string(away) + ")") != std::string::npos);
}

TEST_CASE("git gets no prompt, no variable of ours, no network, and runs no hook", "[worktree]") {
  TreeRig rig;
  rig.request.path = rig.repository.string();
  const fs::path hook = rig.repository / ".git/hooks/post-checkout";
  fs::create_directories(hook.parent_path());
  write_at(hook, fmt::format("#!/bin/sh\ntouch '{}'\n", (rig.dir / "hook ran").string()));
  fs::permissions(hook, fs::perms::owner_all);
  ::setenv("GIT_DIR", "/nonexistent", 1);
  ::setenv("SOME_SECRET", "x", 1);
  {
    const OtherGit other(rig.dir / "bin",
                         fmt::format("env > '{}'; exec REAL \"$@\"", (rig.dir / "env").string()));
    (void)rig.made();
  }
  ::unsetenv("GIT_DIR");
  ::unsetenv("SOME_SECRET");
  CHECK_FALSE(fs::exists(rig.dir / "hook ran"));
  const std::string seen = text_at(rig.dir / "env");
  CHECK(has(seen, "GIT_TERMINAL_PROMPT=0"));
  CHECK(has(seen, "GIT_ALLOW_PROTOCOL=none"));
  CHECK_FALSE(has(seen, "GIT_DIR"));
  CHECK_FALSE(has(seen, "SOME_SECRET"));
  Git own(Millis{60'000});
  const auto fetched = own.run(rig.repository, {"ls-remote", "file://" + rig.repository.string()});
  CHECK(has(fetched.error().message, "not allowed"));
}

}  // namespace hermes::home::test
