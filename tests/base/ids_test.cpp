#include <catch2/catch.hpp>

#include "kernel/base/ids.hpp"

using namespace hermes;

TEST_CASE("a task id is t_ and eight hexadecimal digits") {
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    CHECK(is_task_id(new_task_id(random)));
  }
  CHECK_FALSE(is_task_id("t_1234567"));
  CHECK_FALSE(is_task_id("t_123456789"));
  CHECK_FALSE(is_task_id("t_1234567G"));
  CHECK_FALSE(is_task_id("../t_12345678"));
  CHECK_FALSE(is_task_id("t_../../x"));
}

TEST_CASE("only hexadecimal digits may stand for the beginning of an id") {
  CHECK(is_task_id_prefix("t_12"));
  CHECK(is_task_id_prefix("12ab"));
  CHECK(is_task_id_prefix("t_"));
  CHECK_FALSE(is_task_id_prefix(""));
  CHECK_FALSE(is_task_id_prefix("../etc"));
  CHECK_FALSE(is_task_id_prefix("t_12%"));
}

TEST_CASE("a run token has 128 bits") {
  SeededRandom random(7);
  const auto token = new_run_token(random);
  CHECK(token.size() == 32);
  CHECK(token != new_run_token(random));
}

TEST_CASE("a token is the same when every digit is, and an empty one is nobody's") {
  const std::string token = "0123456789abcdef0123456789abcdef";
  CHECK(is_same_token(token, token));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = static_cast<char>(other[i] ^ 1);
    CHECK_FALSE(is_same_token(token, other));
  }
  CHECK_FALSE(is_same_token(token, token + "0"));
  CHECK_FALSE(is_same_token(token, token.substr(1)));
  CHECK_FALSE(is_same_token(token, ""));
  CHECK_FALSE(is_same_token("", ""));
}

TEST_CASE("FNV-1a gives the published test vectors") {
  CHECK(fnv1a("") == 0xcbf29ce484222325ULL);
  CHECK(fnv1a("a") == 0xaf63dc4c8601ec8cULL);
  CHECK(fnv1a("foobar") == 0x85944171f73967e8ULL);
}
