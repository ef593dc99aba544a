// What workers, planners and git get from the dispatcher: what they are given, and nothing else.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>

#include "daemon/rig.hpp"
#include "kernel/home/board_settings.hpp"
#include "support/git_repository.hpp"

namespace hermes::daemon::test {

namespace {

const std::string k_canary = "canary-51c09e7d";

// Names under which services, shells and tools hand on secrets or take orders.
const std::vector<std::string> k_names{"AWS_SECRET_ACCESS_KEY",
                                       "GITHUB_TOKEN",
                                       "OPENAI_API_KEY",
                                       "ANTHROPIC_API_KEY",
                                       "DATABASE_URL",
                                       "PGPASSWORD",
                                       "SSH_AUTH_SOCK",
                                       "SSH_AGENT_PID",
                                       "GPG_AGENT_INFO",
                                       "KRB5CCNAME",
                                       "DBUS_SESSION_BUS_ADDRESS",
                                       "XDG_RUNTIME_DIR",
                                       "DISPLAY",
                                       "SUDO_COMMAND",
                                       "CREDENTIALS_DIRECTORY",
                                       "LD_PRELOAD",
                                       "NOTIFY_SOCKET",
                                       "LISTEN_FDS",
                                       "LISTEN_FDNAMES",
                                       "INVOCATION_ID",
                                       "JOURNAL_STREAM",
                                       "MAINPID",
                                       "GIT_DIR",
                                       "GIT_SSH_COMMAND",
                                       "GIT_CONFIG_PARAMETERS",
                                       "BASH_ENV",
                                       "ENV",
                                       "PYTHONSTARTUP",
                                       "PERL5LIB",
                                       "LC_ALL",
                                       "LOGNAME",
                                       "MAIL",
                                       "HTTPS_PROXY",
                                       "HERMES_PROFILE",
                                       "HERMES_TENANT",
                                       "HERMES_SESSION_ID",
                                       "HERMES_KANBAN_RUN_TOKEN",
                                       "hermes",
                                       "_"};

// A dispatcher started as by a careless shell: an environment full of canaries, open files and a
// socket that carry them, odd signals and an odd umask.
class Careless {
 public:
  explicit Careless(const std::string& config = "") : rig(config) {
    for (const auto& [name, words] : std::map<std::string, std::string>{
             {"environ", R"("/bin/cat", "/proc/self/environ")"},
             {"status", R"("/bin/cat", "/proc/self/status", "/proc/self/limits")"},
             {"files", R"("/bin/ls", "-ln", "/proc/self/fd")"},
             {"self", R"("/bin/cat", "/proc/self/cmdline")"},
             {"shell", R"("/bin/sh", "-c", "umask; pwd; ls -l /proc/$PPID/fd; ulimit -n")"}}) {
      rig.write_profile(name, fmt::format("command = [{}]\nverdict = \"exit-code\"\n", words));
    }
    write_text(rig.path("secret"), k_canary);
  }

  void start(const std::string& path = "/usr/bin:/bin") {
    std::map<std::string, std::string> environment{{"HERMES_HOME", rig.home().dir.string()},
                                                   {"HERMES_SHIM", TEST_SHIM},
                                                   {"HOME", rig.path("").string()},
                                                   {"LANG", "C"},
                                                   {"PATH", path}};
    for (const std::string& name : k_names) {
      environment[name] = k_canary;
    }
    const std::string secret = rig.path("secret").string();
    const std::string pipe = rig.path("pipe").string();
    dispatcher.emplace(
        "/bin/bash",
        std::vector<std::string>{
            "-c",
            fmt::format("umask 0027; trap '' USR1 HUP PIPE CHLD; ulimit -n 777; mkfifo '{1}'; "
                        "unset BASH_ENV ENV; export ENV={2}; "
                        "exec 7<'{0}' 8<>'{1}' 9<>/dev/udp/127.0.0.1/9 200<>'{0}'; exec \"$0\"",
                        secret, pipe, k_canary),
            TEST_DISPATCHER},
        environment, rig.path("out"), rig.path("err"));
  }

  // What the profile's worker printed.
  std::string printed(const std::string& profile) {
    BoardHand& board = rig.board();
    const std::string id = board.create({.title = "look", .assignee = profile});
    REQUIRE(board.wait_for(id, Status::done));
    REQUIRE(board.wait_until_gone(id));
    return board.log(id);
  }

  Rig rig;
  std::optional<Program> dispatcher;  // ends first
};

std::set<std::string> names_of(std::string environment) {
  std::set<std::string> names;
  std::replace(environment.begin(), environment.end(), '\0', '\n');
  std::istringstream lines(environment);
  for (std::string line; std::getline(lines, line);) {
    names.insert(line.substr(0, line.find('=')));
  }
  return names;
}

// The numbers of what `ls -ln /proc/.../fd` lists.
std::set<std::string> numbers_of(const std::string& listing) {
  std::set<std::string> numbers;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    if (const auto arrow = line.find(" -> "); arrow != std::string::npos) {
      const std::string left = line.substr(0, arrow);
      numbers.insert(left.substr(left.rfind(' ') + 1));
    }
  }
  return numbers;
}

}  // namespace

TEST_CASE("a worker has the variables of the allow-list and its own, and no others", "[daemon]") {
  Careless careless;
  careless.start();
  const std::string environment = careless.printed("environ");
  CHECK(environment.find(k_canary) == std::string::npos);
  CHECK(names_of(environment) ==
        std::set<std::string>{"HERMES_HOME", "HERMES_KANBAN_BOARD", "HERMES_KANBAN_RUN_ID",
                              "HERMES_KANBAN_RUN_TOKEN", "HERMES_KANBAN_TASK",
                              "HERMES_KANBAN_WORKSPACE", "HERMES_PROFILE", "HOME", "LANG", "PATH"});
}

TEST_CASE("a worker has three descriptors, and neither its parent nor its arguments a canary",
          "[daemon]") {
  Careless careless;
  careless.start();
  const std::string files = careless.printed("files");
  INFO(files);
  CHECK(numbers_of(files) == std::set<std::string>{"0", "1", "2", "3"});  // 3: what ls reads
  CHECK(files.find("/secret") == std::string::npos);
  CHECK(files.find("socket:") == std::string::npos);
  std::string self = careless.printed("self");
  std::replace(self.begin(), self.end(), '\0', ' ');
  CHECK(self == "/bin/cat /proc/self/cmdline ");
  const std::string shell = careless.printed("shell");
  INFO(shell);
  CHECK(shell.find("/secret") == std::string::npos);
  CHECK(shell.find("socket:") == std::string::npos);
  CHECK(shell.find(careless.rig.path("pipe").string()) == std::string::npos);
  CHECK(shell.starts_with("0027\n" + careless.rig.board().paths().workspaces().string() + "/t_"));
  CHECK(shell.ends_with("\n777\n"));  // limits and umask are the dispatcher's, as documented
}

TEST_CASE("a worker has no signal blocked or ignored, whatever the dispatcher was started with",
          "[daemon]") {
  Careless careless;
  careless.start();
  const std::string status = careless.printed("status");
  INFO(status);
  for (const std::string name : {"SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"}) {
    CHECK(status.find(name + ":\t0000000000000000\n") != std::string::npos);
  }
  CHECK(status.find("Umask:\t0027\n") != std::string::npos);
}

TEST_CASE("a planner has neither the dispatcher's variables nor its descriptors", "[daemon]") {
  Careless careless;
  const Rig& rig = careless.rig;
  write_text(
      rig.path("planner"),
      fmt::format(
          "#!/bin/sh\ncat /proc/$$/environ > '{0}'; ls -ln /proc/$$/fd > '{1}'\n"
          // Without a child: while it starts one the shell itself blocks every signal.
          "while IFS= read -r line; do case $line in Sig*) echo \"$line\";; esac; done"
          " < /proc/$$/status > '{2}'\necho '{{\"title\": \"planned\", \"body\": \"b\"}}'\n",
          rig.path("seen").string(), rig.path("files").string(), rig.path("signals").string()));
  fs::permissions(rig.path("planner"), fs::perms::owner_all);
  rig.write_config(fmt::format("[planner]\ncommand = [\"{}\"]\nauto = \"specify\"\n",
                               rig.path("planner").string()));
  careless.start();
  BoardHand& board = careless.rig.board();
  const std::string id = board.create({.title = "rough", .triage = true});
  REQUIRE(wait_until([&] { return board.task(id).title == "planned"; }, k_patience));
  const std::string environment = text_of(rig.path("seen"));
  CHECK(environment.find(k_canary) == std::string::npos);
  // Which home and board it is asked about; no run, and so no right of a worker.
  CHECK(names_of(environment) ==
        std::set<std::string>{"HERMES_HOME", "HERMES_KANBAN_BOARD", "HOME", "LANG", "PATH"});
  const std::string files = text_of(rig.path("files"));
  INFO(files);
  CHECK(files.find("/secret") == std::string::npos);
  CHECK(files.find("socket:") == std::string::npos);
  for (const std::string& number : numbers_of(files)) {
    // From 10 on: what dash keeps for itself, its script and the output that it has turned away.
    CHECK(std::set<std::string>{"0", "1", "2", "10", "11"}.contains(number));
  }
  CHECK(text_of(rig.path("signals")).find("SigBlk:\t0000000000000000\n") != std::string::npos);
}

TEST_CASE("git has neither the dispatcher's secrets nor its descriptors", "[daemon]") {
  Careless careless;
  const Rig& rig = careless.rig;
  BoardHand& board = careless.rig.board();
  hermes::test::make_repository(rig.path("repository"));
  REQUIRE(home::save_board_settings(board.paths(),
                                    {.default_workdir = rig.path("repository").string()}));
  fs::create_directory(rig.path("bin"));
  write_text(rig.path("bin") / "git",
             fmt::format("#!/bin/sh\ncat /proc/$$/environ >> '{0}'; ls -ln /proc/$$/fd >> '{1}'\n"
                         "exec /usr/bin/git \"$@\"\n",
                         rig.path("seen").string(), rig.path("files").string()));
  fs::permissions(rig.path("bin") / "git", fs::perms::owner_all);
  careless.start(rig.path("bin").string() + ":/usr/bin:/bin");
  const std::string id =
      board.create({.title = "a", .assignee = "self", .workspace_kind = WorkspaceKind::worktree});
  REQUIRE(board.wait_for(id, Status::done));
  const std::string environment = text_of(rig.path("seen"));
  REQUIRE(environment.find("GIT_TERMINAL_PROMPT=0") != std::string::npos);
  // LOGNAME and XDG_CONFIG_HOME are for git: they say whose settings it reads.
  const std::set<std::string> known{"GIT_ALLOW_PROTOCOL",
                                    "GIT_ASKPASS",
                                    "GIT_OPTIONAL_LOCKS",
                                    "GIT_TERMINAL_PROMPT",
                                    "HERMES_HOME",
                                    "HOME",
                                    "LC_ALL",
                                    "LOGNAME",
                                    "PATH"};
  for (const std::string& name : names_of(environment)) {
    CAPTURE(name);
    CHECK((name.empty() || known.contains(name)));
  }
  const std::string files = text_of(rig.path("files"));
  INFO(files);
  CHECK(files.find("/secret") == std::string::npos);
  CHECK(files.find("socket:") == std::string::npos);
}

}  // namespace hermes::daemon::test
