#include <nlohmann/json.hpp>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

Result<bool> link(BoardFixture& f, const std::string& parent, const std::string& child,
                  LinkCondition condition = LinkCondition::done) {
  return f.change([&](board::Change& c) { return board::link(c, parent, child, condition); });
}

}  // namespace

TEST_CASE("the last parent that is done makes its child ready in the same transaction") {
  BoardFixture f;
  const auto a = f.add("a");
  const auto b = f.add("b");
  const auto child = f.add("child", {a, b});
  f.exits(f.start(a), 0);
  CHECK(f.status(child) == Status::todo);
  f.exits(f.start(b), 0);
  CHECK(f.status(child) == Status::ready);
  CHECK(f.kinds(child) == std::vector<std::string>{"created", "promoted"});
}

TEST_CASE("only done satisfies a done link, over every state of the parent") {
  for (const Status status :
       {Status::triage, Status::blocked, Status::ready, Status::running, Status::archived}) {
    BoardFixture f;
    const auto parent = f.add("parent");
    const auto child = f.add("child", {parent});
    if (status == Status::blocked || status == Status::triage) {
      CHECK(f.change(
          [&](board::Change& c) { return board::block(c, parent, std::nullopt, "wait"); }));
    } else if (status == Status::running) {
      f.start(parent);
    } else if (status == Status::archived) {
      const auto archived =
          f.change([&](board::Change& c) { return board::archive(c, parent, false); });
      REQUIRE(archived);
      CHECK(archived->waiting_children == std::vector{child});
    }
    CHECK(f.status(child) == Status::todo);
  }
}

TEST_CASE("an ended link is satisfied by archiving and by the breaker") {
  BoardFixture f;
  f.limits.failure_limit = 1;
  const auto archived = f.add("archived");
  const auto broken = f.add("broken");
  const auto child_a = f.add("a");
  const auto child_b = f.add("b");
  REQUIRE(link(f, archived, child_a, LinkCondition::ended));
  REQUIRE(link(f, broken, child_b, LinkCondition::ended));
  CHECK(f.status(child_a) == Status::todo);
  CHECK(f.change([&](board::Change& c) { return board::archive(c, archived, false); }));
  CHECK(f.status(child_a) == Status::ready);
  f.exits(f.start(broken), 1);
  CHECK(f.status(broken) == Status::blocked);
  CHECK(f.status(child_b) == Status::ready);
}

TEST_CASE("a satisfied link stays satisfied") {
  BoardFixture f;
  const auto parent = f.add("parent");
  f.exits(f.start(parent), 0);
  const auto child = f.add("child", {parent});
  CHECK(f.status(child) == Status::ready);
  CHECK(f.change([&](board::Change& c) { return board::archive(c, parent, false); }));
  CHECK(f.status(child) == Status::ready);
}

TEST_CASE("linking refuses itself, the unknown, cycles and finished children") {
  BoardFixture f;
  const auto a = f.add("a");
  const auto b = f.add("b", {a});
  const auto c = f.add("c", {b});
  const auto events = f.last_event();
  CHECK(link(f, a, a).error().message.find("itself") != std::string::npos);
  CHECK(link(f, "t_00000001", "t_00000002").error().message.find("t_00000001, t_00000002") !=
        std::string::npos);
  const auto cycle = link(f, c, a);
  REQUIRE_FALSE(cycle);
  CHECK(cycle.error().message.find(a + " -> " + b + " -> " + c) != std::string::npos);
  CHECK(f.last_event() == events);
  f.exits(f.start(a), 0);
  CHECK(link(f, b, a).error().code == ErrorCode::conflict);
}

TEST_CASE("linking a ready child under an open parent demotes it with an event, twice is once") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto child = f.add("child");
  CHECK(link(f, parent, child) == true);
  CHECK(f.status(child) == Status::todo);
  CHECK(link(f, parent, child) == false);
  CHECK(f.kinds(child) == std::vector<std::string>{"created", "linked", "demoted"});
  const auto events = f.read([&](db::Reader& tx) { return board::events_of(tx, child); });
  CHECK(nlohmann::json::parse(events.back().payload.value())["parent"] == parent);  // the reason
}

TEST_CASE("unlinking the last open parent makes the child ready, a missing link is refused") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto child = f.add("child", {parent});
  const auto unlink = [&] {
    return f.change([&](board::Change& c) { return board::unlink(c, parent, child); });
  };
  CHECK(unlink());
  CHECK(f.status(child) == Status::ready);
  CHECK(unlink().error().code == ErrorCode::not_found);
}

TEST_CASE("a task that was done holds nobody who is linked to it after it was archived") {
  BoardFixture f;
  const auto was_done = f.add("parent");
  REQUIRE(f.change([&](board::Change& c) { return board::complete(c, was_done, {}, false); }));
  REQUIRE(f.change([&](board::Change& c) { return board::archive(c, was_done, false); }));
  const auto child = f.add("child");
  REQUIRE(f.change(
      [&](board::Change& c) { return board::link(c, was_done, child, LinkCondition::done); }));
  CHECK(f.status(child) == Status::ready);
  CHECK(f.status(f.add("another child", {was_done})) == Status::ready);
}

TEST_CASE("a running worker may make its own task wait, and it waits after the run") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto child = f.add("child");
  const auto run = f.start(child);
  CHECK(f.as(f.worker(run),
             [&](board::Change& c) { return board::link(c, parent, child, LinkCondition::done); }));
  CHECK(f.status(child) == Status::running);
  CHECK(f.as(f.worker(run), [&](board::Change& c) {
    return board::block(c, child, BlockKind::dependency, "needs it");
  }));
  CHECK(f.status(child) == Status::todo);
}

TEST_CASE(
    "a board of many diamonds is searched for a cycle in no time, because each task is looked at "
    "once") {
  BoardFixture f;
  std::vector<std::string> layer{f.add("top")};
  const std::string top = layer.front();
  for (int depth = 0; depth < 40; ++depth) {  // 2^40 ways from top to bottom
    layer = {f.add("left", layer), f.add("right", layer)};
  }
  const auto refused = link(f, layer.front(), top);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("cycle") != std::string::npos);
}

TEST_CASE("a worker may not unlink other tasks and so release them") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto child = f.add("child", {parent});
  const auto own = f.add("own");
  const auto run = f.start(own);
  const auto refused =
      f.as(f.worker(run), [&](board::Change& c) { return board::unlink(c, parent, child); });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::forbidden);
  CHECK(f.status(child) == Status::todo);
}
