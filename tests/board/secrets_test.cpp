#include "board/board_fixture.hpp"
#include "kernel/board/edit.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

const std::string k_key = std::string("gh") + "p_a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6";

std::string everything(BoardFixture& f) {
  std::string all;
  f.read([&](db::Reader& tx) {
    for (const std::string sql :
         {"SELECT title || COALESCE(body, '') || COALESCE(result, '') || COALESCE(block_reason, "
          "'') || "
          "COALESCE(last_failure, '') FROM tasks",
          "SELECT COALESCE(summary, '') || COALESCE(metadata, '') || COALESCE(error, '') || "
          "COALESCE(heartbeat_note, '') FROM runs",
          "SELECT body FROM comments", "SELECT COALESCE(payload, '') FROM events"}) {
      auto row = tx.query(sql);
      while (row.next()) {
        all += row.text(0) + "\n";
      }
    }
    return 0;
  });
  return all;
}

}  // namespace

TEST_CASE("what has the form of a secret is masked before it is stored, whoever says it") {
  BoardFixture f;
  const auto id = f.add("use " + k_key);
  const auto run = f.start(id);
  REQUIRE(f.as(f.worker(run),
               [&](board::Change& c) { return board::heartbeat(c, id, "with " + k_key); }));
  REQUIRE(f.change(
      [&](board::Change& c) { return board::add_comment(c, id, "ann", "the key is " + k_key); }));
  REQUIRE(f.as(f.worker(run), [&](board::Change& c) {
    return board::complete(
        c, id,
        {.summary = "used " + k_key,
         .result = "PASSWORD=" + k_key,
         .metadata = R"({"password": "hunter2", "list": [")" + k_key + R"(", "plain"], "n": 3})"},
        false);
  }));
  const auto blocked = f.add("b");
  REQUIRE(f.change(
      [&](board::Change& c) { return board::block(c, blocked, std::nullopt, "needs " + k_key); }));
  const auto failed = f.add("c");
  const auto attempt = f.start(failed);
  REQUIRE(f.finish(attempt, {.kind = ExitKind::exited, .code = 1, .last_output = "bad " + k_key}));
  const std::string all = everything(f);
  INFO(all);
  CHECK(all.find(k_key) == std::string::npos);
  CHECK(all.find("hunter2") == std::string::npos);
  CHECK(all.find("\"plain\"") != std::string::npos);
  CHECK(all.find("\"n\":3") != std::string::npos);
  CHECK(all.find("needs ghp_***") != std::string::npos);
}

TEST_CASE("a number under the name of a secret is refused, because it cannot be masked") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto events = f.last_event();
  const auto refused = f.change([&](board::Change& c) {
    return board::complete(c, id, {.metadata = R"({"db": {"api_key": 12345}})"}, false);
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("api_key") != std::string::npos);
  CHECK(f.last_event() == events);
}

TEST_CASE("a body is masked too, but stays the program that it may be") {
  BoardFixture f;
  const auto id =
      f.change([&](board::Change& c) {
         return board::create(c, {.title = "a", .body = "TOKEN=$(cat t)\nuse " + k_key + "\n"});
       })->task.id;
  CHECK(f.task(id).body == "TOKEN=$(cat t)\nuse ghp_***e5F6\n");
  REQUIRE(f.change([&](board::Change& c) {
    return board::edit(c, id, {.body = "and https://ann:hunter22@host"});
  }));
  CHECK(f.task(id).body == "and https://ann:***@host");
}
