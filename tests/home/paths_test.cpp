#include <catch2/catch.hpp>

#include "kernel/home/paths.hpp"

using namespace hermes;
using namespace hermes::home;

TEST_CASE("the home is HERMES_HOME, else .hermes in the user's home") {
  CHECK(find_home("", "/home/ann")->dir == "/home/ann/.hermes");
  CHECK(find_home("/srv/board/", "/home/ann")->dir == "/srv/board");
  CHECK(find_home(" /srv/a b/../c ", "")->dir == "/srv/c");
}

TEST_CASE("a relative HERMES_HOME and no home at all are refused") {
  CHECK(find_home("board", "/home/ann").error().code == ErrorCode::usage);
  CHECK(find_home("", "").error().code == ErrorCode::usage);
}

TEST_CASE("board names are trimmed, lower-cased and checked") {
  CHECK(parse_slug(" Proj-A ") == std::string("proj-a"));
  CHECK(parse_slug(std::string(64, 'a')));
  for (const std::string bad : {"", " ", "-a", "_a", "a/b", "..", "a.b", "ä", "a b"}) {
    CAPTURE(bad);
    CHECK(parse_slug(bad).error().code == ErrorCode::usage);
  }
  CHECK_FALSE(parse_slug(std::string(65, 'a')));
}

TEST_CASE("profile names may contain dots but lead nowhere else") {
  CHECK(parse_profile_name("Reviewer.v2") == std::string("reviewer.v2"));
  for (const std::string bad : {"", ".", "..", ".hidden", "a/b", "../x", "none"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_profile_name(bad));
  }
}
