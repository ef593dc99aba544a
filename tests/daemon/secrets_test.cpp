// What must not be seen: the dispatcher's secrets in a worker, and a run's token anywhere.
#include <fmt/core.h>

#include <algorithm>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

bool holds(const fs::path& file, const std::string& text) {
  return text_of(file).find(text) != std::string::npos;
}

// Below the home, the write-ahead log and the run directory in memory too.
std::vector<std::string> files_with(const fs::path& directory, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && holds(entry.path(), text)) {
      found.push_back(entry.path().filename());
    }
  }
  return found;
}

std::vector<std::string> command_lines() {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code gone;
    if (fs::exists(entry.path() / "cmdline", gone)) {
      found.push_back(text_of(entry.path() / "cmdline"));
    }
  }
  return found;
}

}  // namespace

TEST_CASE("a secret of the dispatcher reaches no worker, no log and no board", "[daemon]") {
  const std::string canary = "canary-7f3a9c51";
  Rig rig;
  rig.set("API_TOKEN", canary);
  rig.set("HERMES_KANBAN_RUN_TOKEN", canary + "-of-another-run");
  rig.set("LC_ALL", canary);
  BoardHand& board = rig.board();
  // What a worker and its children can see of it, and a shell that prints all it has.
  const std::string id = board.add("env; sh -c env; tr '\\0' '\\n' < /proc/$PPID/environ; exit 3");
  const std::string lost = board.create({.title = "a", .assignee = "lost", .failure_limit = 1});
  rig.write_profile("lost", "command = [\"/no/such/program\"]\n");
  rig.start({"--verbose", "--failure-limit", "1"});
  REQUIRE(board.wait_for(id, Status::blocked));
  REQUIRE(board.wait_for(lost, Status::blocked));
  CHECK(board.log(id).find("HERMES_KANBAN_TASK=" + id) != std::string::npos);
  CHECK(board.log(id).find(canary) == std::string::npos);
  CHECK(rig.run_hermes({"kanban", "show", id, "--json"}).out.find(canary) == std::string::npos);
  CHECK(files_with(rig.home().dir, canary).empty());
  CHECK(files_with(rig.home().run(), canary).empty());
  CHECK(rig.said().find(canary) == std::string::npos);
}

TEST_CASE("the token of a run is in no command line, no log, no event and no answer", "[daemon]") {
  Rig rig("[retry]\nbase = 0\nmax = 0\n");
  BoardHand& board = rig.board();
  const std::string id = board.add("echo a worker; " + rig.waits_for("go") + "; exit 5");
  rig.start({"--verbose", "--failure-limit", "2"});
  REQUIRE(board.wait_until_works(id));
  const std::string token = board.last_run(id).token;
  REQUIRE(token.size() == 32);
  CHECK(std::ranges::none_of(command_lines(), [&](const std::string& line) {
    return line.find(token) != std::string::npos;
  }));
  rig.open("go");
  REQUIRE(board.wait_for(id, Status::blocked));
  CHECK(board.log(id) == "a worker\n");
  CHECK(rig.said().find(token) == std::string::npos);
  for (const Event& event : board.read([&](db::Reader& tx) { return board::events_of(tx, id); })) {
    CHECK(event.payload.value_or("").find(token) == std::string::npos);
  }
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"kanban", "show", id, "--json"},
        {"kanban", "show", id},
        {"kanban", "runs", id, "--json"},
        {"kanban", "context", id},
        {"kanban", "why", id, "--json"},
        {"kanban", "log", id},
        {"kanban", "list", "--json"},
        {"kanban", "doctor", "--json"}}) {
    const Ran ran = rig.run_hermes(words);
    CAPTURE(words);
    CHECK(ran.status == 0);
    CHECK(ran.out.find(token) == std::string::npos);
  }
  // The board knows it, and only its owner reads the board.
  for (const std::string& name : files_with(rig.home().dir, token)) {
    CHECK(name.starts_with("board.db"));
  }
}

TEST_CASE("no file but the board, no answer and no arguments of a process hold a run's token",
          "[daemon]") {
  Rig rig("[retry]\nbase = 0\nmax = 0\n");
  rig.write_profile("told",
                    "command = [\"/bin/sh\", \"-c\", \"{body}\", \"{context_file}\"]\n"
                    "verdict = \"exit-code\"\n");
  BoardHand& board = rig.board();
  const std::string id = board.create({.title = "a",
                                       .body = "echo x | " + Rig::hermes() +
                                               " kanban attach $HERMES_KANBAN_TASK - --name n; "
                                               "[ $HERMES_KANBAN_RUN_ID = 1 ] && exit 5; " +
                                               rig.waits_for("go"),
                                       .assignee = "told"});
  rig.start({"--verbose"});
  REQUIRE(wait_until([&] { return board.runs(id).size() == 2; }, k_patience));
  REQUIRE(board.wait_until_works(id));
  std::vector<std::string> tokens;
  for (const Run& run : board.runs(id)) {
    REQUIRE(run.token.size() == 32);
    tokens.push_back(run.token);
  }
  const auto check_none_in = [&](const std::string& what, const std::string& text) {
    for (const std::string& token : tokens) {
      INFO(what);
      CHECK(text.find(token) == std::string::npos);
    }
  };
  for (const std::string& line : command_lines()) {
    check_none_in(line, line);
  }
  const std::string out = rig.path("export").string();
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"kanban", "list"},
                                             {"kanban", "show", id},
                                             {"kanban", "runs", id},
                                             {"kanban", "why", id},
                                             {"kanban", "context", id},
                                             {"kanban", "log", id},
                                             {"kanban", "inspect", id},
                                             {"kanban", "inspect", id, "--argv"},
                                             {"kanban", "diagnostics"},
                                             {"kanban", "stats"},
                                             {"kanban", "assignees"},
                                             {"kanban", "attachments", id},
                                             {"kanban", "notify-list"},
                                             {"kanban", "doctor"},
                                             {"kanban", "boards", "list"},
                                             {"kanban", "boards", "show"},
                                             {"kanban", "gc", "--dry-run"},
                                             {"kanban", "dispatch", "--dry-run"},
                                             {"dispatcher", "status"},
                                             {"doctor"},
                                             {"profile", "list"},
                                             {"profile", "show", "told"},
                                             {"config", "show"},
                                             {"kanban", "boards", "export", "default", out},
                                             {"kanban", "complete", id},
                                             {"kanban", "claim", id}}) {
    for (const bool json : {false, true}) {
      auto asked = words;
      if (json) {
        asked.emplace_back("--json");
      }
      const Ran ran = rig.run_hermes(asked);
      check_none_in(words.front() + " " + words.back(), ran.out + ran.err);
    }
  }
  rig.open("go");
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(rig.stop() == 0);
  check_none_in("the dispatcher's messages", rig.said());
  for (const std::string& token : tokens) {
    for (const std::string& name : files_with(rig.home().dir, token)) {
      CHECK(name.starts_with("board.db"));
    }
    CHECK(files_with(fs::canonical(rig.home().run()), token).empty());
    CHECK_FALSE(holds(out, token));
  }
  CHECK(fs::file_size(out) > 0);
}

TEST_CASE("a worker that was started by a worker's environment is a run of its own", "[daemon]") {
  Rig rig;
  // As if somebody had started the dispatcher from inside a worker.
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"HERMES_KANBAN_BOARD", "other"},
           {"HERMES_KANBAN_TASK", "t_00000000"},
           {"HERMES_KANBAN_RUN_ID", "4711"},
           {"HERMES_KANBAN_RUN_TOKEN", "0123456789abcdef0123456789abcdef"},
           {"HERMES_KANBAN_WORKSPACE", "/elsewhere"},
           {"HERMES_KANBAN_BRANCH", "theirs"},
           {"HERMES_TENANT", "theirs"},
           {"HERMES_PROFILE", "theirs"},
           {"HERMES_KANBAN_GOAL_MODE", "1"},
           {"HERMES_KANBAN_UNHEARD_OF", "theirs"}}) {
    rig.set(name, value);
  }
  rig.board("other");
  BoardHand& board = rig.board();
  const std::string id = board.add("env | grep ^HERMES | sort");
  rig.start();
  REQUIRE(board.wait_for(id, Status::done));
  const Run run = board.last_run(id);
  CHECK(board.log(id) ==
        fmt::format("HERMES_HOME={}\nHERMES_KANBAN_BOARD=default\nHERMES_KANBAN_RUN_ID={}\n"
                    "HERMES_KANBAN_RUN_TOKEN={}\nHERMES_KANBAN_TASK={}\n"
                    "HERMES_KANBAN_WORKSPACE={}\nHERMES_PROFILE=sh\n",
                    rig.home().dir.string(), run.id, run.token, id,
                    board.paths().workspace(id).string()));
}

}  // namespace hermes::daemon::test
