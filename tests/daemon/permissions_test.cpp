// Who may read what we write: its owner alone, whatever the umask.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "daemon/rig.hpp"
#include "kernel/base/files.hpp"
#include "kernel/home/board_settings.hpp"
#include "support/git_repository.hpp"

namespace hermes::daemon::test {

namespace {

// Programs that are started under a umask of the test's choice.
class Masked {
 public:
  Masked(Rig& rig, std::string mask) : rig_(rig), mask_(std::move(mask)) {}

  Program start(const std::string& program, std::vector<std::string> words) const {
    words.insert(words.begin(),
                 {"-c", fmt::format("umask {}; exec \"$0\" \"$@\"", mask_), program});
    return Program("/bin/sh", words,
                   {{"HERMES_HOME", rig_.home().dir.string()},
                    {"HERMES_SHIM", TEST_SHIM},
                    {"HERMES_DISPATCHER", TEST_DISPATCHER},
                    {"XDG_CONFIG_HOME", rig_.path("config").string()},
                    {"PATH", "/usr/bin:/bin"},
                    {"HOME", rig_.path("").string()}},
                   rig_.path("said"), rig_.path("said"));
  }
  void hermes(const std::vector<std::string>& words) const {
    const auto status = start(Rig::hermes(), words).wait(k_patience);
    INFO(text_of(rig_.path("said")));
    CAPTURE(words);
    REQUIRE(status == 0);
  }

 private:
  Rig& rig_;
  std::string mask_;
};

// Paths below `top`, it too, that anybody but the owner may use, or that the owner may not.
std::vector<std::string> not_private(const fs::path& top) {
  std::vector<std::string> found;
  std::vector<fs::path> paths{top};
  for (const auto& entry : fs::recursive_directory_iterator(top)) {
    paths.push_back(entry.path());
  }
  for (const fs::path& path : paths) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0 || S_ISLNK(facts.st_mode)) {
      continue;
    }
    const mode_t due = S_ISDIR(facts.st_mode) ? 0700 : 0600;
    if ((facts.st_mode & 07777) != due) {
      found.push_back(fmt::format("{:o} {}", facts.st_mode & 07777, path.string()));
    }
  }
  return found;
}

// Files and directories of every kind that the programs make.
void use_everything(const Rig& rig, const Masked& as, BoardHand& board) {
  const std::string out = rig.path("out-of-home").string();
  REQUIRE(make_directory(out));
  as.hermes({"init"});
  as.hermes({"profile", "create", "made", "--", "/bin/true"});
  as.hermes({"kanban", "boards", "create", "second", "--name", "Second"});
  as.hermes({"kanban", "boards", "switch", "second"});
  as.hermes({"kanban", "boards", "switch", "default"});
  as.hermes({"kanban", "boards", "rename", "second", "Another"});
  const std::string kept = board.create({.title = "kept", .assignee = "nobody"});
  as.hermes({"kanban", "attach", kept, rig.path("said").string()});
  // Its log grows an older generation, its workspace and its artifact stay.
  const std::string worked =
      board.create({.title = "works",
                    .body = "umask 077; echo x > made; yes | head -c 300000; sleep 0.1; " +
                            Rig::hermes() + " kanban complete $HERMES_KANBAN_TASK --artifact made",
                    .assignee = "sh"});
  const std::string tree = board.create({.title = "in a tree",
                                         .body = "exit 0",
                                         .assignee = "sh",
                                         .workspace_kind = WorkspaceKind::worktree});
  const std::string stays = board.add(rig.waits_for("go"));
  const std::string told =
      board.create({.title = "told", .body = rig.waits_for("go"), .assignee = "told"});
  Program dispatcher = as.start(TEST_DISPATCHER, {"--verbose"});
  for (const std::string& id : {worked, tree}) {
    REQUIRE(board.wait_for(id, Status::done));
    REQUIRE(board.wait_until_gone(id));
  }
  REQUIRE(fs::exists(board.paths().older_log(worked, 1)));
  REQUIRE(fs::exists(board.paths().attachments_of(worked) / "made"));
  REQUIRE(fs::exists(board.paths().worktrees() / tree));
  REQUIRE(board.wait_until_works(stays));
  REQUIRE(board.wait_until_works(told));
  REQUIRE(fs::exists(rig.home().context_file("default", board.last_run(told).id)));
  CHECK_THAT(not_private(fs::canonical(rig.home().run())),
             Catch::Equals(std::vector<std::string>{}));
  as.hermes({"kanban", "backup", out + "/backup"});
  as.hermes({"kanban", "boards", "export", "default", out + "/export"});
  as.hermes({"kanban", "boards", "import", out + "/export", "third"});
  rig.open("go");
  REQUIRE(board.wait_for(stays, Status::done));
  REQUIRE(board.wait_for(told, Status::done));
  dispatcher.signal(SIGTERM);
  REQUIRE(dispatcher.wait() == 0);
  board.close();
  as.hermes({"kanban", "restore", out + "/backup", "--force"});
  as.hermes({"kanban", "boards", "rm", "second"});
  as.hermes({"kanban", "repair"});
  as.hermes({"dispatcher", "start"});
  REQUIRE(wait_until([&] { return fs::exists(rig.home().dir / "dispatcher.log"); }, k_patience));
  as.hermes({"dispatcher", "stop"});
  CHECK_THAT(not_private(out), Catch::Equals(std::vector<std::string>{}));
}

}  // namespace

TEST_CASE("every file and directory of a home is its owner's alone, under any umask", "[daemon]") {
  const std::string mask = GENERATE("0000", "0777", "0022");
  CAPTURE(mask);
  Rig rig("[log]\nrotate_bytes = 65536\n");
  // All but the directory itself, which is the test's.
  fs::permissions(rig.home().dir, fs::perms::owner_all);
  for (const auto& entry : fs::recursive_directory_iterator(rig.home().dir)) {
    if (entry.is_regular_file()) {
      fs::permissions(entry.path(), fs::perms::owner_read | fs::perms::owner_write);
    }
  }
  rig.write_profile("told",
                    "command = [\"/bin/sh\", \"-c\", \"{body}\", \"{context_file}\"]\n"
                    "verdict = \"exit-code\"\n");
  fs::permissions(rig.home().profile("told"), fs::perms::owner_read | fs::perms::owner_write);
  BoardHand& board = rig.board();
  hermes::test::make_repository(rig.path("repository"));
  REQUIRE(home::save_board_settings(board.paths(),
                                    {.default_workdir = rig.path("repository").string()}));
  const Masked as(rig, mask);
  use_everything(rig, as, board);
  CHECK_THAT(not_private(rig.home().dir), Catch::Equals(std::vector<std::string>{}));
}

}  // namespace hermes::daemon::test
