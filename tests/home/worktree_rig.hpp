#pragma once

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "kernel/base/files.hpp"
#include "kernel/home/board_settings.hpp"
#include "kernel/home/worktree.hpp"
#include "support/git_repository.hpp"
#include "support/temp_dir.hpp"

namespace hermes::home::test {

using hermes::test::commit_file;
using hermes::test::git;
using hermes::test::git_succeeds;
using hermes::test::make_repository;

// A board's directory, and a repository beside it.
struct TreeRig {
  hermes::test::TempDir dir;
  BoardPaths board{"default", dir / "board"};
  fs::path repository = fs::path(dir / "repository");
  TreeRequest request{"t_12345678", {}, {}};

  TreeRig() {
    REQUIRE(make_directory(board.dir));
    make_repository(repository);
  }
  void set_workdir(const fs::path& path) const {
    REQUIRE(save_board_settings(board, {.default_workdir = path.string()}));
  }
  Result<Tree> prepare(Millis limit = Millis{60'000}) const {
    Git own(limit);
    return prepare_worktree(board, request, own);
  }
  Tree made() const {
    auto tree = prepare();
    INFO((tree ? "" : one_line(tree.error())));
    REQUIRE(tree);
    return *tree;
  }
  std::string refused() const {
    const auto tree = prepare();
    REQUIRE_FALSE(tree);
    return one_line(tree.error());
  }
  Result<void> remove() const {
    Git own(Millis{60'000});
    return remove_worktree(board, request.task_id, own);
  }
};

inline std::string text_at(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

inline void write_at(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

// A directory whose `git` is this shell script; REAL stands for the real one.
class OtherGit {
 public:
  OtherGit(const fs::path& dir, std::string script) : before_(std::getenv("PATH")) {
    fs::create_directories(dir);
    for (std::size_t at = 0; (at = script.find("REAL", at)) != std::string::npos;) {
      script.replace(at, 4, "/usr/bin/git");
    }
    write_at(dir / "git", "#!/bin/sh\n" + script + "\n");
    fs::permissions(dir / "git", fs::perms::owner_all);
    ::setenv("PATH", (dir.string() + ":" + before_).c_str(), 1);
  }
  ~OtherGit() { ::setenv("PATH", before_.c_str(), 1); }
  OtherGit(const OtherGit&) = delete;
  OtherGit& operator=(const OtherGit&) = delete;

 private:
  std::string before_;
};

}  // namespace hermes::home::test
