#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/process.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using hermes::test::TempDir;

TEST_CASE("a file is replaced whole and keeps its mode") {
  const TempDir dir;
  REQUIRE(write_file_atomically(dir / "x", "one"));
  REQUIRE(write_file_atomically(dir / "x", "two"));
  CHECK(read_file(dir / "x", 100) == "two");
  struct stat facts {};
  REQUIRE(::stat((dir / "x").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  CHECK_FALSE(read_file(dir / "x", 2));
  CHECK(read_file(dir / "none", 2).error().code == ErrorCode::not_found);
}

TEST_CASE("a temporary name tells what it is to take the place of, and no other name does") {
  const std::string drawn = temporary_beside("t_1.log").string();
  CHECK(drawn != temporary_beside("t_1.log").string());
  CHECK(name_beside_temporary(drawn) == "t_1.log");
  for (const char* other : {"", ".tmp", "t_1.log", "t_1.log.tmp", "a.0123456789abcdeg.tmp",
                            ".0123456789abcdef.tmp", "a0123456789abcdef0.tmp"}) {
    CHECK(name_beside_temporary(other) == other);
  }
}

TEST_CASE("directories are made private, with their parents, and an existing one is fine") {
  const TempDir dir;
  REQUIRE(make_directory(dir.path() / "a" / "b"));
  REQUIRE(make_directory(dir.path() / "a" / "b"));
  struct stat facts {};
  REQUIRE(::stat((dir.path() / "a").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0700);
  REQUIRE(write_file_atomically(dir / "file", ""));
  CHECK_FALSE(make_directory(dir / "file"));
}

TEST_CASE("nothing is waited for in the place of a file, but what a person names may be a FIFO") {
  const TempDir dir;
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  const Fd other(::open((dir / "fifo").c_str(), O_RDWR | O_CLOEXEC));  // so that opening waits not
  REQUIRE(::write(other.get(), "text", 4) == 4);
  const auto refused = read_file(dir / "fifo", 4);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("not a regular file") != std::string::npos);
  CHECK_FALSE(read_file("/dev/null", 100));
  CHECK(read_input_file("/dev/null", 100) == "");
}

TEST_CASE("what lies beside a file under any other name is left alone") {
  const TempDir dir;
  const std::filesystem::path old =
      (dir / "x").string() + "." + std::to_string(::getpid()) + ".tmp";
  std::ofstream(old) << "of somebody else";
  REQUIRE(write_file_atomically(dir / "x", "one"));
  CHECK(create_file(dir / "y", "one") == true);
  CHECK(create_file(dir / "y", "two") == false);
  CHECK(read_file(old, 100) == "of somebody else");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 3);
}

TEST_CASE("the holder of a lock is named by its PID") {
  const TempDir dir;
  REQUIRE(write_file_atomically(dir / "lock", ""));
  CHECK_FALSE(flock_holder(dir / "lock"));
  const Fd held(::open((dir / "lock").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  CHECK(flock_holder(dir / "lock") == ::getpid());
}

TEST_CASE("a process is its PID and its start time") {
  const auto start = process_start(::getpid());
  REQUIRE(start);
  CHECK(is_alive(::getpid(), *start));
  CHECK_FALSE(is_alive(::getpid(), *start + 1));
  CHECK_FALSE(process_start(0x3fffffff));
}
