#include "kernel/board/assign.hpp"

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

Result<board::Moved> assign(BoardFixture& f, const std::string& id, const std::string& to,
                            bool reclaim = false) {
  return f.change([&](board::Change& c) {
    return board::assign(c, id, {.assignee = to, .reclaim = reclaim, .reason = std::nullopt});
  });
}

}  // namespace

TEST_CASE("another assignee starts afresh, the same one changes nothing") {
  BoardFixture f;
  const auto id = f.add("a");
  f.exits(f.start(id), 1);
  REQUIRE(f.task(id).failures == 1);
  REQUIRE(f.task(id).held_until);
  const auto events = f.last_event();
  REQUIRE(assign(f, id, "shell"));
  CHECK(f.last_event() == events);
  CHECK(f.task(id).failures == 1);
  REQUIRE(assign(f, id, "writer"));
  CHECK(f.task(id).failures == 0);
  CHECK_FALSE(f.task(id).held_until);
  CHECK(f.task(id).eligible_at <= f.now);  // at once
  CHECK(f.kinds(id).back() == "assigned");
}

TEST_CASE("a task in any state but running can be assigned, and stays in it") {
  BoardFixture f;
  const auto parent = f.add("p");
  const auto todo = f.add("c", {parent});
  REQUIRE(assign(f, todo, ""));
  CHECK(f.status(todo) == Status::todo);
  CHECK(f.task(todo).assignee.empty());
  REQUIRE(f.change([&](board::Change& c) { return board::complete(c, parent, {}, false); }));
  REQUIRE(assign(f, parent, "ann"));
  CHECK(f.status(parent) == Status::done);
}

TEST_CASE("a worker that loses its task to another profile is stopped first") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  const auto refused = assign(f, id, "writer");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(f.task(id).assignee == "shell");
  const auto moved = assign(f, id, "writer", true);
  REQUIRE(moved);
  CHECK(moved->stopping);
  CHECK(f.status(id) == Status::running);  // until its process is gone
  CHECK(f.finish(run, {.kind = ExitKind::signaled, .code = 15}));
  CHECK(f.status(id) == Status::ready);
  CHECK(f.task(id).assignee == "writer");
  CHECK(f.task(id).failures == 0);
}

TEST_CASE("a worker cannot give its task to somebody else") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  const auto refused = f.as(f.worker(run), [&](board::Change& c) {
    return board::assign(c, id, {.assignee = "x", .reclaim = true, .reason = std::nullopt});
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::forbidden);
  CHECK(f.status(id) == Status::running);
}
