#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "kernel/base/files.hpp"
#include "kernel/home/registry.hpp"
#include "support/race.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using namespace hermes::home;
using Catch::Matchers::Contains;
using hermes::test::TempDir;

namespace {

struct Ground {
  TempDir dir;
  Home home{dir / "home"};

  void board(const std::string& slug) const {
    REQUIRE(create_board(home, slug, Instant{1000}) == true);
  }
  Result<BoardPaths> choose(const std::optional<std::string>& flag,
                            const std::optional<std::string>& environment) const {
    return choose_board(home, {flag, environment});
  }
};

mode_t mode_of(const fs::path& path) {
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 0777;
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

}  // namespace

TEST_CASE("a new board is whole, private and can be opened") {
  const Ground ground;
  ground.board("default");
  const BoardPaths board = ground.home.board("default");
  for (const auto& directory : {ground.home.dir, ground.home.boards(), ground.home.profiles(),
                                board.dir, board.logs(), board.workspaces()}) {
    CAPTURE(directory);
    CHECK(mode_of(directory) == 0700);
  }
  CHECK(mode_of(board.settings()) == 0600);
  CHECK_FALSE(fs::exists(ground.home.run()));
  CHECK(db::Database::open(files_of(board), db::Database::Access::write, Instant{2000}));
  CHECK(names_in(ground.home.boards()) == std::vector<std::string>{"default"});
}

TEST_CASE("creating a board again changes nothing") {
  const Ground ground;
  ground.board("default");
  std::ofstream(ground.home.board("default").settings()) << "name = \"mine\"\n";
  CHECK(create_board(ground.home, "default", Instant{3000}) == false);
  CHECK(read_file(ground.home.board("default").settings(), 100) ==
        std::string("name = \"mine\"\n"));
}

TEST_CASE(
    "a board that has lost its gate gets it back, one that has lost its database does not get an "
    "empty one") {
  const Ground ground;
  ground.board("default");
  const BoardPaths board = ground.home.board("default");
  fs::remove(board.lock());
  CHECK(create_board(ground.home, "default", Instant{3000}) == false);
  CHECK(fs::exists(board.lock()));
  fs::remove(board.database());
  CHECK(create_board(ground.home, "default", Instant{3000}) == false);
  CHECK_FALSE(fs::exists(board.database()));
  CHECK(ground.choose({}, {}));  // still there, so that opening it can say what is wrong
}

TEST_CASE("what is in the way of a new board is not touched") {
  const Ground ground;
  fs::create_directories(ground.home.boards() / "full");
  std::ofstream(ground.home.boards() / "full" / "notes") << "x";
  const auto refused = create_board(ground.home, "full", Instant{1});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Contains("is not a board"));
  CHECK(names_in(ground.home.boards()) == std::vector<std::string>{"full"});
  std::ofstream(ground.home.boards() / "file") << "x";
  CHECK_FALSE(create_board(ground.home, "file", Instant{1}));
  fs::create_directories(ground.home.boards() / "empty");
  ground.board("empty");
  CHECK(create_board(ground.home, "../escape", Instant{1}).error().code == ErrorCode::usage);
}

TEST_CASE("of many who create the same board at once exactly one does, and all find it whole") {
  const Ground ground;
  REQUIRE(create_home(ground.home));
  const auto statuses = hermes::test::race(8, [&] {
    const auto made = create_board(ground.home, "default", Instant{1});
    const bool opens = made && db::Database::open(files_of(ground.home.board("default")),
                                                  db::Database::Access::write, Instant{2});
    return !opens ? 2 : *made ? 1 : 0;
  });
  CHECK(std::ranges::count(statuses, 1) == 1);
  CHECK(std::ranges::count(statuses, 0) == 7);
  CHECK(names_in(ground.home.boards()) == std::vector<std::string>{"default"});
}

TEST_CASE("a link to a board is its place or a second name, never a second board") {
  const Ground ground;
  ground.board("default");
  ground.board("moved");
  fs::rename(ground.home.board("moved").dir, ground.home.dir / "elsewhere");
  fs::create_directory_symlink(ground.home.dir / "elsewhere", ground.home.board("moved").dir);
  fs::create_directory_symlink("default", ground.home.boards() / "alias");
  CHECK(list_boards(ground.home) == std::vector<std::string>{"default", "moved"});
}

TEST_CASE("boards are listed with the default first, leftovers are not boards") {
  const Ground ground;
  CHECK(list_boards(ground.home).empty());
  ground.board("zoo");
  ground.board("alpha");
  ground.board("default");
  fs::create_directories(ground.home.boards() / "no-board");
  fs::copy(ground.home.board("zoo").dir, ground.home.boards() / ".new-zoo-abc");
  fs::create_directories(ground.home.boards() / "_archived");
  CHECK(list_boards(ground.home) == std::vector<std::string>{"default", "alpha", "zoo"});
}

TEST_CASE("a board is chosen by flag, then environment, then current, then default") {
  const Ground ground;
  for (const std::string slug : {"default", "one", "two", "three"}) {
    ground.board(slug);
  }
  CHECK(ground.choose({}, {})->slug == "default");
  std::ofstream(ground.home.current()) << "three\n";
  CHECK(ground.choose({}, {})->slug == "three");
  CHECK(ground.choose({}, "")->slug == "three");
  CHECK(ground.choose({}, "two")->slug == "two");
  CHECK(ground.choose("default", {})->slug == "default");  // said, not left out
  CHECK(ground.choose({}, "default")->slug == "default");
  CHECK(ground.choose(" ONE ", "two")->slug == "one");
}

TEST_CASE("a choice that names no board is an error, never another board") {
  const Ground ground;
  CHECK_THAT(ground.choose({}, {}).error().hint, Contains("hermes init"));
  CHECK_FALSE(fs::exists(ground.home.dir));
  ground.board("default");
  const auto absent = ground.choose("typo", {});
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::not_found);
  CHECK(absent.error().message == "no board 'typo' (from the board argument)");
  CHECK_THAT(absent.error().hint, Contains("the boards are default"));
  CHECK(ground.choose({}, "typo").error().code == ErrorCode::not_found);
  CHECK(ground.choose("", {}).error().code == ErrorCode::usage);
  CHECK(ground.choose({}, "../x").error().code == ErrorCode::usage);
  std::ofstream(ground.home.current()) << "gone\n";
  CHECK(ground.choose({}, {}).error().code == ErrorCode::not_found);
  std::ofstream(ground.home.current()) << "";
  CHECK(ground.choose({}, {}).error().code == ErrorCode::usage);
  CHECK(list_boards(ground.home) == std::vector<std::string>{"default"});
}
