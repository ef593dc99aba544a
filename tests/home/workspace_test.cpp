#include <catch2/catch.hpp>

#include <filesystem>

#include "kernel/base/files.hpp"
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
