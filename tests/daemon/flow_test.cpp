// What a worker is given, in which order workers run, and what becomes of what they say.
#include <fmt/core.h>

#include <set>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

// The dispatcher's safety net is 60 s: whatever happens sooner was not waited for.
constexpr Millis k_well_below_interval{20'000};

void check_follows(BoardHand& board, const std::string& parent, const std::string& child) {
  const Run before = board.last_run(parent);
  const Run after = board.last_run(child);
  REQUIRE(before.gone_at);
  CHECK(*before.gone_at <= after.started_at);
  CHECK(after.started_at - *before.gone_at < k_well_below_interval);
}

}  // namespace

TEST_CASE("a chain runs in order, each task as soon as its parent is done", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  std::vector<std::string> chain;
  for (int i = 0; i < 5; ++i) {
    chain.push_back(board.add(fmt::format("echo first; echo 'link {}'; echo", i),
                              chain.empty() ? chain : std::vector{chain.back()}));
  }
  rig.start();
  REQUIRE(board.wait_for(chain.back(), Status::done));
  for (std::size_t i = 0; i < chain.size(); ++i) {
    REQUIRE(board.runs(chain[i]).size() == 1);
    const Run run = board.last_run(chain[i]);
    CHECK(run.outcome == Outcome::completed);
    CHECK(run.exit_code == 0);
    CHECK(run.summary == fmt::format("link {}", i));
    if (i > 0) {
      check_follows(board, chain[i - 1], chain[i]);
    }
  }
}

TEST_CASE("a diamond's end waits for both of its sides", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string top = board.add("exit 0");
  const std::string left = board.add("exit 0", {top});
  const std::string right = board.add(rig.waits_for("right"), {top});
  const std::string end = board.add("exit 0", {left, right});
  rig.start();
  REQUIRE(board.wait_for(left, Status::done));
  REQUIRE(board.wait_for(right, Status::running));
  CHECK(board.task(end).status == Status::todo);
  CHECK(board.runs(end).empty());
  rig.open("right");
  REQUIRE(board.wait_for(end, Status::done));
  check_follows(board, top, left);
  check_follows(board, top, right);
  check_follows(board, right, end);
}

TEST_CASE("a task created while nothing runs is started without waiting for the interval",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  rig.start();
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  const std::string id = board.add("exit 0");
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.last_run(id).started_at - board.task(id).created_at < k_well_below_interval);
}

TEST_CASE("both output streams land in the log, and the last line that says something is kept",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string good = board.add("echo out; echo err >&2; printf '\\n  \\n'");
  const std::string bad = board.create(
      {.title = "bad", .body = "echo trying; echo 'no such host' >&2; exit 7", .failure_limit = 1});
  rig.start();
  REQUIRE(board.wait_for(good, Status::done));
  REQUIRE(board.wait_for(bad, Status::blocked));
  CHECK(board.log(good) == "out\nerr\n\n  \n");
  CHECK(board.last_run(good).summary == "err");
  const Run failed = board.last_run(bad);
  CHECK(failed.outcome == Outcome::failed);
  CHECK(failed.exit_kind == ExitKind::exited);
  CHECK(failed.exit_code == 7);
  CHECK_FALSE(failed.summary);
  CHECK(failed.error == "exit code 7; last output: no such host");
}

TEST_CASE("a worker's environment is the allow-list, what its profile names, and its run",
          "[daemon]") {
  Rig rig;
  rig.write_profile("env",
                    "command = [\"/usr/bin/env\", \"-0\"]\nverdict = \"exit-code\"\n"
                    "env_pass = [\"PASSED\", \"NOT_SET\"]\n[env]\nFIXED = \"value = 1\"\n");
  rig.set("SECRET", "do not tell");
  rig.set("PASSED", "two\nlines");
  rig.set("LANG", "C.UTF-8");
  rig.set("LD_LIBRARY_PATH", "/nowhere");
  rig.set("HERMES_KANBAN_TASK", "t_00000000");  // a dispatcher started inside a worker
  BoardHand& board = rig.board();
  const std::string id = board.create({.title = "env", .assignee = "env", .tenant = "acme"});
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  std::map<std::string, std::string> seen;
  std::istringstream log(board.log(id));
  for (std::string entry; std::getline(log, entry, '\0');) {
    const auto equals = entry.find('=');
    seen[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  const Run run = board.last_run(id);
  const std::map<std::string, std::string> wanted{
      {"PATH", "/usr/bin:/bin"},
      {"HOME", rig.path("").parent_path().string()},
      {"LANG", "C.UTF-8"},
      {"PASSED", "two\nlines"},
      {"FIXED", "value = 1"},
      {"HERMES_HOME", rig.home().dir.string()},
      {"HERMES_KANBAN_BOARD", "default"},
      {"HERMES_KANBAN_TASK", id},
      {"HERMES_KANBAN_RUN_ID", std::to_string(run.id)},
      {"HERMES_KANBAN_RUN_TOKEN", run.token},
      {"HERMES_KANBAN_WORKSPACE", board.paths().workspace(id).string()},
      {"HERMES_PROFILE", "env"},
      {"HERMES_TENANT", "acme"}};
  CHECK(seen == wanted);
}

TEST_CASE("a worker inherits no descriptor, no ignored signal and no terminal", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  // The listing's own descriptor of /proc/self/fd is the fourth.
  const std::string id = board.add(
      "readlink /proc/self/fd/0; ls /proc/self/fd | wc -l; grep -E 'Sig(Ign|Blk)' "
      "/proc/self/status | cut -f2");
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.log(id) == "/dev/null\n4\n0000000000000000\n0000000000000000\n");
}

TEST_CASE("a scratch workspace is the worker's own, a directory is worked in as it is",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const fs::path shared = rig.path("shared dir");
  fs::create_directory(shared);
  const std::string script = "pwd; echo \"$HERMES_KANBAN_WORKSPACE\"; echo made > file";
  const std::string scratch = board.add(script);
  const std::string dir = board.create({.title = "in a directory",
                                        .body = script,
                                        .workspace_kind = WorkspaceKind::dir,
                                        .workspace_path = shared.string()});
  rig.start();
  REQUIRE(board.wait_for(scratch, Status::done));
  REQUIRE(board.wait_for(dir, Status::done));
  const fs::path own = board.paths().workspace(scratch);
  CHECK(board.log(scratch) == fmt::format("{0}\n{0}\n", own.string()));
  CHECK(text_of(own / "file") == "made\n");
  CHECK(fs::status(own).permissions() == fs::perms::owner_all);
  CHECK(board.log(dir) == fmt::format("{0}\n{0}\n", shared.string()));
  CHECK(text_of(shared / "file") == "made\n");
  CHECK(board.last_run(dir).workspace_path == shared.string());
}

TEST_CASE("a hostile title and body reach the command as they are, and no shell reads them",
          "[daemon]") {
  Rig rig;
  rig.write_profile("args",
                    "command = [\"/usr/bin/printf\", \"<%s>\", \"{title}\", \"{body}\", "
                    "\"{task_id}@{board}\", \"{workspace}\", \"x{title}y\", \"{unknown}\"]\n"
                    "verdict = \"exit-code\"\n");
  const std::string trap = rig.path("injected").string();
  const auto title = GENERATE_COPY(
      fmt::format("$(touch '{}')", trap), fmt::format("`touch {}`", trap),
      fmt::format("'; touch {}; '", trap), fmt::format("\"; touch {} #", trap),
      std::string("two\nlines\tand {body} \\n %s %d"), std::string("--flag={workspace}"),
      std::string("Zürich 東京 \xF0\x9F\x9A\x80 ${HOME} * ?"));
  const std::string body = "{title}\n" + title + "\n$(exit 3)";
  BoardHand& board = rig.board();
  const std::string id = board.create({.title = title, .body = body, .assignee = "args"});
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.log(id) == fmt::format("<{0}><{1}><{2}@default><{3}><x{0}y><{{unknown}}>", title,
                                     body, id, board.paths().workspace(id).string()));
  CHECK_FALSE(fs::exists(trap));
}

TEST_CASE("{context_file} names a text with the task and its parents' results, gone afterwards",
          "[daemon]") {
  Rig rig;
  rig.write_profile("reader",
                    "command = [\"/bin/sh\", \"-c\", \"cat \\\"$1\\\"; stat -c '%a' \\\"$1\\\"\", "
                    "\"sh\", \"{context_file}\"]\nverdict = \"exit-code\"\n");
  BoardHand& board = rig.board();
  const std::string parent = board.add("echo 'the parent says 42'");
  const std::string id = board.create({.title = "read '$(this)'",
                                       .body = "with \"care\"",
                                       .assignee = "reader",
                                       .parents = {parent}});
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  const std::string text = board.log(id);
  CHECK(text.find("read '$(this)'") != std::string::npos);
  CHECK(text.find("with \"care\"") != std::string::npos);
  CHECK(text.find("the parent says 42") != std::string::npos);
  CHECK(text.ends_with("600\n"));
  const std::int64_t run = board.last_run(id).id;
  CHECK(wait_until([&] {
    return !fs::exists(rig.home().context_file("default", run)) &&
           !fs::exists(rig.home().record("default", run));
  }));
}

TEST_CASE("what a finished worker left running is gone before its children start", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string parent = board.add("setsid sleep 600 & echo $! > pid; sleep 600 & exit 0");
  const std::string child = board.add("exit 0", {parent});
  rig.start();
  REQUIRE(board.wait_for(child, Status::done));
  const auto left = std::stol(text_of(board.paths().workspace(parent) / "pid"));
  CHECK_FALSE(lives(static_cast<pid_t>(left)));
  CHECK(rig.wait_until_alone());
}

}  // namespace hermes::daemon::test
