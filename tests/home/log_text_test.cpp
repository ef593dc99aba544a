#include <catch2/catch.hpp>

#include <fcntl.h>
#include <linux/falloc.h>

#include <filesystem>
#include <fstream>

#include "kernel/base/fd.hpp"
#include "kernel/home/log_text.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using namespace hermes::home;
using hermes::test::TempDir;

namespace {

constexpr const char* k_task = "t_0123abcd";

struct Ground {
  TempDir dir;
  BoardPaths board{"default", dir.path()};
  Ground() { std::filesystem::create_directory(board.logs()); }

  void older(const std::string& text) const { std::ofstream(board.older_log(k_task, 1)) << text; }
  void current(const std::string& text) const { std::ofstream(board.log(k_task, 1)) << text; }
  std::string read(std::size_t most = 0) const {
    const auto text = read_log(board, k_task, 1, most);
    REQUIRE(text);
    return *text;
  }
  std::string last_line() const { return last_log_line(board, k_task, 1); }
  std::string last_line(const std::string& text) const {
    current(text);
    return last_line();
  }
};

// Not operator+: g++ 12 sees an overflow in it where there is none.
std::string line_of(std::size_t count, const std::string& end) {
  std::string line(count, 'a');
  line.append(end);
  return line;
}

}  // namespace

TEST_CASE("a log is its older generation and the current one") {
  const Ground ground;
  ground.current("three\nfour\n");
  CHECK(ground.read() == "three\nfour\n");
  ground.older("one\ntwo\n");
  CHECK(ground.read() == "one\ntwo\nthree\nfour\n");
  std::filesystem::remove(ground.board.log(k_task, 1));
  CHECK(ground.read() == "one\ntwo\n");
}

TEST_CASE("the end of a log begins with a whole line unless there is only one") {
  const Ground ground;
  ground.older("one\ntwo\n");
  ground.current("three\nfour\n");
  CHECK(ground.read(1000) == "one\ntwo\nthree\nfour\n");
  CHECK(ground.read(5) == "four\n");
  CHECK(ground.read(6) == "four\n");
  CHECK(ground.read(11) == "three\nfour\n");
  CHECK(ground.read(12) == "three\nfour\n");
  CHECK(ground.read(14) == "three\nfour\n");
  CHECK(ground.read(15) == "two\nthree\nfour\n");
  CHECK(ground.read(3) == "ur\n");
  ground.current("no line break, ends in ä");
  CHECK(ground.read(4) == "n ä");
  CHECK(ground.read(1).empty());
}

TEST_CASE("holes of a shortened log are skipped") {
  const Ground ground;
  ground.older("older\n");
  ground.current(line_of(64 * 1024 - 1, "\nafter the hole\n"));
  const Fd file(::open(ground.board.log(k_task, 1).c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(file);
  REQUIRE(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 64 * 1024) == 0);
  CHECK(ground.read() == "older\nafter the hole\n");
  CHECK(ground.read(100) == "older\nafter the hole\n");
  CHECK(ground.last_line() == "after the hole");
}

TEST_CASE("what is not an attempt has no log, and no name leads out of the log directory") {
  const Ground ground;
  std::ofstream(ground.dir / "secret.1.log") << "secret\n";
  CHECK(read_log(ground.board, k_task, 1, 0).error().code == ErrorCode::not_found);
  CHECK(read_log(ground.board, "../secret", 1, 0).error().code == ErrorCode::not_found);
  CHECK(read_log(ground.board, k_task, 0, 0).error().code == ErrorCode::not_found);
  CHECK(last_log_line(ground.board, "../secret", 1).empty());
  std::filesystem::create_symlink(ground.dir / "secret.1.log", ground.board.log(k_task, 1));
  CHECK_FALSE(read_log(ground.board, k_task, 1, 0));
}

TEST_CASE("the last line is the last that shows something") {
  const Ground ground;
  CHECK(ground.last_line().empty());
  CHECK(ground.last_line("").empty());
  CHECK(ground.last_line("\n \n\t\n").empty());
  CHECK(ground.last_line("one\ntwo") == "two");
  CHECK(ground.last_line("one\ntwo\n\n  \n") == "two");
  CHECK(ground.last_line("one\r\ntwo\r\n") == "two");
  CHECK(ground.last_line("10%\r50%\rdone\n") == "done");
  CHECK(ground.last_line("\x1b[31mred\x1b[0m\n") == "\\x1b[31mred\\x1b[0m");
  CHECK(ground.last_line("bad \xff byte\n") == "bad \\xff byte");
}

TEST_CASE("the last line is at most 400 bytes and cuts no character") {
  const Ground ground;
  CHECK(ground.last_line(line_of(500, "\n")) == std::string(400, 'a'));
  CHECK(ground.last_line(line_of(399, "ä\n")) == std::string(399, 'a'));
  std::string long_line;
  for (int i = 0; i < 20'001; ++i) {
    long_line += "ä";
  }
  const std::string line = ground.last_line(long_line);
  CHECK(line.size() == 400);
  CHECK(line.substr(0, 2) == "ä");
}

TEST_CASE("the last line may stand in the older generation") {
  const Ground ground;
  ground.older("kept\n");
  ground.current("\n");
  CHECK(ground.last_line() == "kept");
}
