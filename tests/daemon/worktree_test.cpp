// Tasks that work in working trees of git: made by a child process after the claim, while
// everything else goes on.
#include <fmt/core.h>

#include <csignal>

#include "daemon/rig.hpp"
#include "kernel/home/board_settings.hpp"
#include "kernel/home/worktree.hpp"
#include "support/git_repository.hpp"

namespace hermes::daemon::test {

namespace {

using hermes::test::git;
using hermes::test::make_repository;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A rig with a repository that is the board's default_workdir.
struct Orchard {
  Rig rig;
  BoardHand& board = rig.board();
  fs::path repository = rig.path("repository");

  Orchard() {
    make_repository(repository);
    REQUIRE(home::save_board_settings(board.paths(), {.default_workdir = repository.string()}));
  }
  ~Orchard() {  // a maker that outlived its dispatcher must not come too late for our directory
    rig.open("gate");
    wait_until([&] { return makers() == 0; }, k_patience);
  }
  board::NewTask asks(const std::string& script) const {
    return {.title = "in a tree", .body = script, .workspace_kind = WorkspaceKind::worktree};
  }
  fs::path tree(const std::string& id) const { return repository / ".worktrees" / id; }

  // From now on every git waits until the gate is opened, and says in the file `gits` that it does.
  void slow_git() {
    fs::create_directory(rig.path("bin"));
    write_text(rig.path("bin") / "git",
               fmt::format("#!/bin/sh\necho $$ >> '{}'\n{}\nexec /usr/bin/git \"$@\"\n",
                           rig.path("gits").string(), rig.waits_for("gate")));
    fs::permissions(rig.path("bin") / "git", fs::perms::owner_all);
    rig.set("PATH", rig.path("bin").string() + ":/usr/bin:/bin");
  }
  bool wait_for_git(std::size_t count = 1) const {
    return wait_until([&] { return lines_of(rig.path("gits")).size() >= count; }, k_patience);
  }
  // Children of a dispatcher that make trees; they are the same program.
  int makers() const {
    int count = 0;
    for (const pid_t pid : processes_with("HERMES_HOME=" + rig.home().dir.string())) {
      count += has(text_of(fmt::format("/proc/{}/cmdline", pid)), "--make-tree") ? 1 : 0;
    }
    return count;
  }
};

}  // namespace

TEST_CASE("a worktree task works in its own tree, on its own branch, over all its attempts",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  const std::string id = board.create(orchard.asks(
      "pwd; echo $HERMES_KANBAN_WORKSPACE; echo $HERMES_KANBAN_BRANCH; "
      "git symbolic-ref --short HEAD; cat readme; [ -e tried ] && exit 0; touch tried; exit 1"));
  board::NewTask named = orchard.asks("pwd; git symbolic-ref --short HEAD");
  named.workspace_path = orchard.rig.path("my tree").string();
  named.branch = "topic/a";
  const std::string other = board.create(named);
  orchard.rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  REQUIRE(board.wait_for(other, Status::done));
  const std::string where = orchard.tree(id).string();
  const auto runs = board.runs(id);
  REQUIRE(runs.size() == 2);
  for (const Run& run : runs) {
    CHECK(run.workspace_path == where);
    CHECK(run.branch == "wt/" + id);
    CHECK(
        has(board.log(id, run.attempt), fmt::format("{0}\n{0}\nwt/{1}\nwt/{1}\nfirst", where, id)));
  }
  const Run run = board.last_run(other);
  CHECK(run.workspace_path == orchard.rig.path("my tree").string());
  CHECK(run.branch == "topic/a");
  CHECK(board.log(other) == orchard.rig.path("my tree").string() + "\ntopic/a\n");
  // What was asked for stays as it was.
  CHECK_FALSE(board.task(id).workspace_path);
  CHECK_FALSE(board.task(id).branch);
  CHECK(git(orchard.repository, "status --porcelain").empty());
}

TEST_CASE("a slow git delays nobody but its own task", "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  orchard.slow_git();
  const std::string slow = board.create(orchard.asks("exit 0"));
  orchard.rig.start();
  REQUIRE(orchard.wait_for_git());
  REQUIRE(board.wait_for(slow, Status::running));
  for (int i = 0; i < 5; ++i) {
    REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  }
  CHECK(board.task(slow).status == Status::running);
  CHECK_FALSE(board.last_run(slow).spawned_at);
  orchard.rig.open("gate");
  REQUIRE(board.wait_for(slow, Status::done));
  CHECK(board.runs(slow).size() == 1);
}

TEST_CASE("many trees of one repository are made at one time", "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  std::vector<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    ids.push_back(board.create(orchard.asks("pwd; cat readme")));
  }
  orchard.rig.start({"--failure-limit", "1"});
  for (const std::string& id : ids) {
    REQUIRE(board.wait_for(id, Status::done));
    CHECK(board.log(id) == orchard.tree(id).string() + "\nfirst");
  }
}

TEST_CASE("a dispatcher killed while git runs leaves a task that is aborted and tried again",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  orchard.slow_git();
  const std::string id = board.create(orchard.asks("cat readme"));
  orchard.rig.start();
  REQUIRE(orchard.wait_for_git());
  orchard.rig.kill_dispatcher();
  CHECK(board.task(id).status == Status::running);
  orchard.rig.start();
  REQUIRE(orchard.wait_for_git(2));
  CHECK(orchard.makers() == 2);  // one of each dispatcher
  orchard.rig.open("gate");
  REQUIRE(board.wait_for(id, Status::done));
  const auto runs = board.runs(id);
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].outcome == Outcome::aborted);
  CHECK(runs[0].exit_kind == ExitKind::never_started);
  CHECK(runs[1].outcome == Outcome::completed);
  CHECK(board.task(id).failures == 0);
  CHECK(git(orchard.tree(id), "status --porcelain").empty());
}

TEST_CASE(
    "a tree that cannot be made is a spawn failure with its reason, and the task is not stuck",
    "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  board::NewTask lost = orchard.asks("exit 0");
  lost.workspace_path = orchard.rig.path("plain").string();
  fs::create_directory(orchard.rig.path("plain"));
  write_text(orchard.rig.path("plain") / "file", "x");
  const std::string id = board.create(lost);
  orchard.rig.start();
  REQUIRE(wait_until([&] { return board.task(id).failures == 1; }, k_patience));
  const Run run = board.runs(id).front();
  CHECK(run.outcome == Outcome::spawn_failed);
  CHECK(run.exit_kind == ExitKind::workspace_failed);
  CHECK(run.gone_at);
  CHECK(has(*run.error, "is not in a git repository"));
  CHECK_FALSE(has(*run.error, "/bin/sh"));
  CHECK(board.task(id).status == Status::ready);
  fs::remove(orchard.rig.path("plain") / "file");  // empty: a tree can be made there
  REQUIRE(board.wait_for(id, Status::done));
}

TEST_CASE("the maker of a tree that is killed is a spawn failure, and the tree is made after it",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  orchard.slow_git();
  const std::string id = board.create(orchard.asks("cat readme"));
  orchard.rig.start();
  REQUIRE(orchard.wait_for_git());
  for (const pid_t pid : processes_with("HERMES_HOME=" + orchard.rig.home().dir.string())) {
    if (has(text_of(fmt::format("/proc/{}/cmdline", pid)), "--make-tree")) {
      ::kill(pid, SIGKILL);
    }
  }
  REQUIRE(wait_until([&] { return board.task(id).failures == 1; }, k_patience));
  CHECK(has(*board.runs(id).front().error, "was not finished"));
  orchard.rig.open("gate");
  REQUIRE(board.wait_for(id, Status::done));
}

TEST_CASE("a task that is taken back while git runs is let go at once, and git is stopped",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  orchard.slow_git();
  const std::string id = board.create(orchard.asks("exit 0"));
  orchard.rig.start({"--max", "1"});
  REQUIRE(orchard.wait_for_git());
  const bool archives = GENERATE(false, true);
  const auto words = archives ? std::vector<std::string>{"kanban", "archive", "--force", id}
                              : std::vector<std::string>{"kanban", "reclaim", id};
  const Ran taken = orchard.rig.run_hermes(words);
  INFO(taken.out << taken.err);
  CHECK(taken.status == 0);
  REQUIRE(wait_until([&] { return board.runs(id).front().gone_at.has_value(); }, k_patience));
  const Run first = board.runs(id).front();
  CHECK(first.outcome == Outcome::reclaimed);
  CHECK(first.gone_at);
  CHECK_FALSE(fs::exists(orchard.tree(id)));
  if (!archives) {
    orchard.rig.open("gate");
    REQUIRE(board.wait_for(id, Status::done));
  }
}

TEST_CASE("two tasks never work in one tree at one time, also when both name it",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  const fs::path tree = orchard.rig.path("shared");
  git(orchard.repository, "worktree add -q -b shared '" + tree.string() + "'");
  board::NewTask first = orchard.asks(orchard.rig.waits_for("gate"));
  first.workspace_path = tree.string();
  const std::string one = board.create(first);
  orchard.rig.start();
  REQUIRE(board.wait_until_works(one));
  board::NewTask second = orchard.asks("exit 0");
  second.workspace_path = tree.string();
  const std::string other = board.create(second);
  const std::string claimed_by_hand = board.create(second);
  CHECK(has(orchard.rig.run_hermes({"kanban", "why", other}).out,
            one + " works in its working tree now"));
  const Ran refused = orchard.rig.run_hermes({"kanban", "claim", claimed_by_hand});
  CHECK(refused.status == 1);
  CHECK(has(refused.err, one + " works in its working tree now"));
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));  // it has passed the others over
  CHECK(board.runs(other).empty());
  orchard.rig.open("gate");
  for (const std::string& id : {one, other, claimed_by_hand}) {
    REQUIRE(board.wait_for(id, Status::done));
    CHECK(board.task(id).failures == 0);
  }
}

TEST_CASE("a tree that turns out to be in use holds its task uncounted until it is free",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  const fs::path tree = orchard.rig.path("shared");
  git(orchard.repository, "worktree add -q -b shared '" + tree.string() + "'");
  fs::create_directory_symlink(tree, orchard.rig.path("by another name"));
  board::NewTask first = orchard.asks(orchard.rig.waits_for("gate"));
  first.workspace_path = tree.string();
  const std::string one = board.create(first);
  orchard.rig.start();
  REQUIRE(board.wait_until_works(one));
  board::NewTask second = orchard.asks("exit 0");
  second.workspace_path = orchard.rig.path("by another name").string();
  const std::string other = board.create(second);
  REQUIRE(wait_until(
      [&] { return !board.runs(other).empty() && board.runs(other).front().gone_at.has_value(); },
      k_patience));
  const Run run = board.runs(other).front();
  CHECK(run.outcome == Outcome::aborted);
  CHECK(has(*run.error, one + " works in the working tree"));
  CHECK(has(orchard.rig.run_hermes({"kanban", "why", other}).out,
            one + " works in its working tree now"));
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  CHECK(board.runs(other).size() == 1);
  orchard.rig.open("gate");
  REQUIRE(board.wait_for(other, Status::done));
  CHECK(board.task(other).failures == 0);
  CHECK(board.runs(other).size() == 2);
}

TEST_CASE("a tree in which another board's task works is looked at again after a time",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  REQUIRE(home::create_board(orchard.rig.home(), "spare", wall_clock_now()));
  BoardHand& spare = orchard.rig.board("spare");
  const fs::path tree = orchard.rig.path("shared");
  git(orchard.repository, "worktree add -q -b shared '" + tree.string() + "'");
  board::NewTask first = orchard.asks(orchard.rig.waits_for("gate"));
  first.workspace_path = tree.string();
  const std::string one = board.create(first);
  orchard.rig.start();
  REQUIRE(board.wait_until_works(one));
  board::NewTask second = orchard.asks("exit 0");
  second.workspace_path = tree.string();
  const std::string other = spare.create(second);
  REQUIRE(
      wait_until([&] { return spare.task(other).hold_reason == HoldReason::setup; }, k_patience));
  CHECK(spare.task(other).failures == 0);
  CHECK(has(orchard.rig.run_hermes({"kanban", "--board", "spare", "why", other}).out,
            one + " works in the working tree"));
  orchard.rig.open("gate");
  REQUIRE(board.wait_for(one, Status::done));
  REQUIRE(orchard.rig.run_hermes({"kanban", "--board", "spare", "promote", other}).status == 0);
  REQUIRE(spare.wait_for(other, Status::done));
}

TEST_CASE("a single pass waits for the trees of what it has claimed", "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  const std::string id = board.create(orchard.asks("exit 0"));
  const Ran pass = orchard.rig.run_dispatcher({"--once"});
  CHECK(pass.status == 0);
  CHECK(board.last_run(id).spawned_at);
  CHECK(orchard.rig.wait_until_alone());
  REQUIRE(orchard.rig.run_dispatcher({"--once"}).status == 0);
  CHECK(board.task(id).status == Status::done);
}

TEST_CASE("a claim by hand makes the tree first, and leaves no claim when it cannot",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  const std::string id = board.create(orchard.asks("-"));
  SECTION("it can") {
    const Ran claimed = orchard.rig.run_hermes({"kanban", "claim", id});
    INFO(claimed.err);
    CHECK(claimed.status == 0);
    CHECK(has(claimed.out, orchard.tree(id).string()));
    CHECK(board.last_run(id).workspace_path == orchard.tree(id).string());
    CHECK(board.last_run(id).branch == "wt/" + id);
    CHECK(text_of(orchard.tree(id) / "readme") == "first");
  }
  SECTION("it cannot") {
    fs::remove_all(orchard.repository);
    const Ran claimed = orchard.rig.run_hermes({"kanban", "claim", id});
    CHECK(claimed.status == 1);
    CHECK(has(claimed.err, "default_workdir"));
    CHECK(board.task(id).status == Status::ready);
    CHECK(board.runs(id).empty());
  }
}

TEST_CASE("archiving removes a task's tree when nothing is lost by it, and says when it stays",
          "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  const std::string clean = board.create(orchard.asks("exit 0"));
  const std::string dirty = board.create(orchard.asks("echo draft > draft"));
  orchard.rig.start();
  for (const std::string& id : {clean, dirty}) {
    REQUIRE(board.wait_for(id, Status::done));
    REQUIRE(board.wait_until_gone(id));
  }
  const Ran archived = orchard.rig.run_hermes({"kanban", "archive", clean, dirty});
  CHECK(archived.status == 0);
  CHECK_FALSE(fs::exists(orchard.tree(clean)));
  CHECK(hermes::test::git_succeeds(orchard.repository,
                                   "rev-parse --verify -q refs/heads/wt/" + clean));
  CHECK(text_of(orchard.tree(dirty) / "draft") == "draft\n");
  CHECK(has(archived.err, orchard.tree(dirty).string() + " stays"));
  CHECK(home::tasks_with_trees(board.paths()) == std::vector<std::string>{dirty});

  // Cleaning says the same, until there is nothing in the way.
  const std::string alive = board.create(orchard.asks("exit 0"));
  REQUIRE(board.wait_for(alive, Status::done));
  const auto dry_run = [&] { return orchard.rig.run_hermes({"kanban", "gc", "--dry-run"}).out; };
  CHECK(has(dry_run(), orchard.tree(dirty).string() + " stays: it has changes"));
  CHECK(has(dry_run(), orchard.tree(alive).string() + " stays: " + alive + " is done"));
  const Ran kept = orchard.rig.run_hermes({"kanban", "gc"});
  CHECK(has(kept.err, orchard.tree(dirty).string() + " stays"));
  fs::remove(orchard.tree(dirty) / "draft");
  CHECK(has(dry_run(), "the working tree " + orchard.tree(dirty).string() + " would go"));
  CHECK(fs::exists(orchard.tree(dirty)));
  const Ran cleaned = orchard.rig.run_hermes({"kanban", "gc"});
  CHECK(has(cleaned.out, "1 working tree removed"));
  CHECK_FALSE(fs::exists(orchard.tree(dirty)));
}

TEST_CASE("deleting a task removes its tree by the same rules", "[daemon][worktree]") {
  Orchard orchard;
  BoardHand& board = orchard.board;
  const std::string clean = board.create(orchard.asks("touch draft"));
  const std::string dirty = board.create(orchard.asks("touch draft"));
  orchard.rig.start();
  for (const std::string& id : {clean, dirty}) {
    REQUIRE(board.wait_for(id, Status::done));
    REQUIRE(board.wait_until_gone(id));
    REQUIRE(orchard.rig.run_hermes({"kanban", "archive", id}).status == 0);
    REQUIRE(fs::exists(orchard.tree(id)));
  }
  fs::remove(orchard.tree(clean) / "draft");
  const Ran deleted = orchard.rig.run_hermes({"kanban", "archive", "--rm", clean, dirty});
  INFO(deleted.err);
  CHECK(deleted.status == 0);
  CHECK_FALSE(fs::exists(orchard.tree(clean)));
  CHECK(fs::exists(orchard.tree(dirty) / "draft"));
  CHECK(has(deleted.err, orchard.tree(dirty).string() + " stays: it has changes"));
  fs::remove(orchard.tree(dirty) / "draft");
  CHECK(has(orchard.rig.run_hermes({"kanban", "gc"}).out, "1 working tree removed"));
}

}  // namespace hermes::daemon::test
