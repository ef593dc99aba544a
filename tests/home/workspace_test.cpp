#include <catch2/catch.hpp>

#include <sys/xattr.h>

#include <filesystem>

#include "kernel/base/files.hpp"
#include "kernel/home/mounts.hpp"
#include "kernel/home/removal.hpp"
#include "kernel/home/workspace.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using hermes::test::TempDir;

namespace {

struct Ground {
  TempDir dir;
  home::BoardPaths board{"default", dir.path()};
  Task task;
  Ground() {
    task.id = "t_12345678";
    REQUIRE(make_directory(board.workspaces()));
  }
};

}  // namespace

TEST_CASE("a scratch workspace is made once, marked, and removed only with its mark") {
  Ground ground;
  const auto made = home::prepare_workspace(ground.board, ground.task);
  REQUIRE(made);
  REQUIRE(write_file_atomically(std::filesystem::path(*made) / "output", "kept"));
  CHECK(home::prepare_workspace(ground.board, ground.task) == *made);
  CHECK(std::filesystem::exists(std::filesystem::path(*made) / "output"));
  CHECK(home::remove_scratch(ground.board, ground.task.id));
  CHECK_FALSE(std::filesystem::exists(*made));
  CHECK_FALSE(home::remove_scratch(ground.board, ground.task.id));
}

TEST_CASE(
    "what we did not make is never deleted: no mark, a link in its place, a name that leads out") {
  Ground ground;
  const TempDir elsewhere;
  REQUIRE(write_file_atomically(elsewhere / "precious", "x"));
  REQUIRE(write_file_atomically(elsewhere / ".hermes-workspace", "x"));
  const auto path = ground.board.workspace(ground.task.id);
  SECTION("no mark") {
    REQUIRE(make_directory(path));
    REQUIRE(write_file_atomically(path / "precious", "x"));
    CHECK_FALSE(home::remove_scratch(ground.board, ground.task.id));
    CHECK(std::filesystem::exists(path / "precious"));
  }
  SECTION("a link to somewhere else, even to a marked directory") {
    std::filesystem::create_directory_symlink(elsewhere.path(), path);
    CHECK_FALSE(home::remove_scratch(ground.board, ground.task.id));
    CHECK_FALSE(home::prepare_workspace(ground.board, ground.task));
  }
  SECTION("not a task id") {
    CHECK_FALSE(home::remove_scratch(ground.board, "../" + ground.task.id));
  }
  CHECK(std::filesystem::exists(elsewhere / "precious"));
}

TEST_CASE("a working tree, or whatever has a file of our marker's name, is no scratch directory") {
  Ground ground;
  const auto path = ground.board.workspace(ground.task.id);
  const auto stays = [&] {
    CHECK_FALSE(home::is_our_scratch(ground.board, ground.task.id));
    CHECK_FALSE(home::remove_scratch(ground.board, ground.task.id));
    CHECK(std::filesystem::exists(path / "work"));
  };
  const auto put = [&](const char* name, const std::string& text) {
    REQUIRE(write_file_atomically(path / name, text));
  };
  SECTION("not made by us") {
    REQUIRE(make_directory(path));
    put("work", "not committed");
    put(".hermes-workspace", "");
    stays();
    put(".hermes-workspace", "t_87654321");
    stays();
    if (::lsetxattr(path.c_str(), "user.probe", "x", 1, 0) == 0) {
      put(".hermes-workspace", ground.task.id);
      stays();
    }
  }
  SECTION("made by us, and a working tree now") {
    REQUIRE(home::prepare_workspace(ground.board, ground.task));
    put("work", "not committed");
    SECTION("by its link") {
      put(".git", "gitdir: /somewhere/.git/worktrees/x\n");
      stays();
    }
    SECTION("by its note") {
      REQUIRE(make_directory(ground.board.worktrees()));
      REQUIRE(write_file_atomically(ground.board.worktrees() / ground.task.id, ""));
      stays();
    }
  }
}

TEST_CASE("a workspace that cannot be made says why") {
  Ground ground;
  ground.task.workspace_kind = WorkspaceKind::dir;
  ground.task.workspace_path = "/no/such/place";
  CHECK(home::prepare_workspace(ground.board, ground.task).error().message.find("/no/such/place") !=
        std::string::npos);
  ground.task.workspace_kind = WorkspaceKind::worktree;
  CHECK(home::prepare_workspace(ground.board, ground.task).error().message.find("worktree") !=
        std::string::npos);
}

TEST_CASE("what is not there has no mounts, and removing it is removing nothing") {
  const TempDir dir;
  const auto asked = home::has_mount(dir / "none");
  REQUIRE_FALSE(asked);
  CHECK(asked.error().message.find((dir / "none").string()) != std::string::npos);
  CHECK(home::has_mount(dir.path()) == false);
  CHECK(home::has_mount("/") == true);
  const auto removed = home::remove_tree(dir / "none");
  REQUIRE(removed);
  CHECK(removed->files == 0);
}
