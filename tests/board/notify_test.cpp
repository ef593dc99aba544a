#include "kernel/board/notify.hpp"

#include "board/board_fixture.hpp"

using namespace hermes;
using namespace hermes::test;

namespace {

struct NotifyFixture : BoardFixture {
  Result<board::Subscribed> subscribe(std::optional<std::string> task,
                                      board::Target target = k_chat,
                                      std::vector<EventKind> kinds = {}) {
    return change([&](board::Change& c) {
      return board::subscribe(
          c, {.task_id = task, .kinds = kinds, .target = target, .user_id = {}, .owner = {}});
    });
  }
  std::vector<std::string> pending() {  // "kind" of each delivery, in their order
    return read([](db::Reader& tx) {
      std::vector<std::string> kinds;
      auto row = tx.query(
          "SELECT e.kind FROM deliveries d JOIN events e ON e.seq = d.event_seq WHERE d.state = "
          "'pending' ORDER BY d.id");
      while (row.next()) {
        kinds.push_back(row.text(0));
      }
      return kinds;
    });
  }
  Result<board::Moved> complete(const std::string& id) {
    return change([&](board::Change& c) { return board::complete(c, id, {}, false); });
  }
  static const board::Target k_chat;
};
const board::Target NotifyFixture::k_chat{"telegram", "123", ""};

using Kinds = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(NotifyFixture, "a late subscriber is not told what happened before") {
  const std::string id = add("t");
  REQUIRE(change([&](board::Change& c) { return board::block(c, id, {}, "why"); }));
  REQUIRE(change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
  const auto made = subscribe(id);
  REQUIRE(made);
  CHECK(made->subscription.cursor == last_event());
  CHECK(pending().empty());
  REQUIRE(complete(id));
  CHECK(pending() == Kinds{"completed"});
}

TEST_CASE_METHOD(NotifyFixture,
                 "deliveries are written in the transaction of their event, or not at all") {
  const std::string id = add("t");
  REQUIRE(subscribe(id));
  const auto refused = change([&](board::Change& c) -> Result<void> {
    TRY(board::complete(c, id, {}, false));
    return fail(ErrorCode::conflict, "no");
  });
  REQUIRE_FALSE(refused);
  CHECK(pending().empty());
  CHECK(status(id) == Status::ready);
}

TEST_CASE_METHOD(NotifyFixture,
                 "every path that ends a run tells, each event once for each subscriber") {
  const std::string id = add("t");
  REQUIRE(subscribe(id));
  REQUIRE(subscribe(std::nullopt));
  REQUIRE(subscribe(id, {"telegram", "123", "7"}));
  REQUIRE(exits(start(id), 1));
  CHECK(pending() == Kinds(3, "failed"));
  pass(Millis{60'000});
  REQUIRE(finish(start(id), {.kind = ExitKind::signaled, .code = 9}));
  CHECK(pending().size() == 6);
  CHECK(pending().back() == "crashed");
  const std::string other = add("other");
  REQUIRE(complete(other));  // the board's subscriber only
  CHECK(pending().size() == 7);
}

TEST_CASE_METHOD(NotifyFixture, "giving up and the loop breaker are told: a person has to decide") {
  limits.failure_limit = 1;
  const std::string id = add("t");
  REQUIRE(subscribe(id));
  REQUIRE(exits(start(id), 1));
  CHECK(pending() == Kinds{"gave_up"});
  const std::string looping = add("loop");
  REQUIRE(subscribe(looping));
  for (int i = 0; i < 2; ++i) {
    const Run run = start(looping);
    REQUIRE(as(worker(run), [&](board::Change& c) {
      return board::block(c, looping, BlockKind::needs_input, "x");
    }));
    REQUIRE(exits(run, 0));
    if (i == 0) {
      REQUIRE(change([&](board::Change& c) { return board::unblock(c, looping, {}, false); }));
    }
  }
  CHECK(pending() == Kinds{"gave_up", "blocked", "block_loop_detected"});
}

TEST_CASE_METHOD(NotifyFixture, "a crash does not end a subscription, done and archived do") {
  const std::string id = add("t");
  REQUIRE(subscribe(id));
  for (int i = 0; i < 2; ++i) {
    REQUIRE(exits(start(id), 1));
    pass(Millis{3'600'000});
  }
  CHECK(pending() == Kinds{"failed", "failed"});
  REQUIRE(complete(id));
  CHECK(pending() == Kinds{"failed", "failed", "completed"});
  const auto subs = read([&](db::Reader& tx) { return board::subscriptions(tx, id); });
  REQUIRE(subs.size() == 1);
  CHECK(subs[0].ended_at == now);
  CHECK(subs[0].pending == 3);
  const std::string archived = add("u");
  REQUIRE(subscribe(archived));
  REQUIRE(change([&](board::Change& c) { return board::archive(c, archived, false); }));
  CHECK(read([&](db::Reader& tx) { return board::subscriptions(tx, archived); })[0].ended_at);
  CHECK(pending().size() == 3);  // archiving is not told
}

TEST_CASE_METHOD(NotifyFixture, "subscribing again adds only what was missing") {
  const std::string id = add("t");
  const auto again = [&](std::optional<std::string> owner) {
    return change([&](board::Change& c) {
      return board::subscribe(
          c, {.task_id = id, .kinds = {}, .target = k_chat, .user_id = {}, .owner = owner});
    });
  };
  const auto first = again(std::nullopt);
  REQUIRE(first);
  CHECK_FALSE(first->existing);
  add("noise");
  CHECK(again("a")->subscription.owner == "a");
  const auto third = again("b");
  CHECK(third->existing);
  CHECK(third->subscription.owner == "a");
  CHECK(third->subscription.cursor == first->subscription.cursor);
  CHECK(read([](db::Reader& tx) { return board::subscriptions(tx, std::nullopt); }).size() == 1);
}

TEST_CASE_METHOD(NotifyFixture, "the kinds that are told can be chosen") {
  const std::string id = add("t");
  REQUIRE(subscribe(id, k_chat, {EventKind::claimed, EventKind::commented}));
  REQUIRE(change([&](board::Change& c) { return board::add_comment(c, id, "alice", "x"); }));
  const Run run = start(id);
  REQUIRE(exits(run, 0));
  CHECK(pending() == Kinds{"commented", "claimed"});
}

TEST_CASE_METHOD(NotifyFixture,
                 "a blank target, an unknown task and a worker for the board are refused") {
  const std::string id = add("t");
  CHECK(subscribe(id, {"", "1", ""}).error().code == ErrorCode::invalid);
  CHECK(subscribe(id, {"telegram", " ", ""}).error().code == ErrorCode::invalid);
  CHECK(subscribe(id, {"tele:gram", "1", ""}).error().code == ErrorCode::invalid);
  CHECK(subscribe("t_00000000").error().code == ErrorCode::not_found);
  const Run run = start(id);
  const auto as_worker = [&](std::optional<std::string> task) {
    return as(worker(run), [&](board::Change& c) {
      return board::subscribe(
          c, {.task_id = task, .kinds = {}, .target = k_chat, .user_id = {}, .owner = {}});
    });
  };
  CHECK(as_worker(std::nullopt).error().code == ErrorCode::forbidden);
  CHECK(as_worker(add("other")).error().code == ErrorCode::forbidden);
  CHECK(as_worker(id));
  exits(run, 0);
  CHECK(as_worker(id).error().code == ErrorCode::not_yours);
}

TEST_CASE_METHOD(NotifyFixture,
                 "unsubscribing drops what is pending, and says when there was nothing") {
  const std::string id = add("t");
  REQUIRE(subscribe(id));
  REQUIRE(exits(start(id), 1));
  const auto leave = [&](const board::Target& target) {
    return change([&](board::Change& c) { return board::unsubscribe(c, id, target); });
  };
  CHECK(leave({"telegram", "124", ""}).error().code == ErrorCode::not_found);
  REQUIRE(leave(k_chat));
  CHECK(pending().empty());
  CHECK_FALSE(leave(k_chat));
}

TEST_CASE_METHOD(NotifyFixture,
                 "an event costs a board without subscribers one look into an index") {
  const auto plan = read([](db::Reader& tx) {
    std::string all;
    auto row = tx.query(
        "EXPLAIN QUERY PLAN SELECT id, kinds, task_id IS NOT NULL FROM notify_subs WHERE "
        "COALESCE(task_id, '') IN ('t_1', '') AND disabled_at IS NULL");
    while (row.next()) {
      all += row.text(3) + "\n";
    }
    return all;
  });
  CHECK(plan.find("USING INDEX notify_subs_key") != std::string::npos);
}

TEST_CASE_METHOD(NotifyFixture, "a subscription goes on when the review of its task is reopened") {
  const std::string id = add("t");
  REQUIRE(subscribe(id));
  REQUIRE(complete(id));
  REQUIRE(change([&](board::Change& c) { return board::reopen_review(c, id, {}); }));
  REQUIRE(complete(id));
  CHECK(pending() == Kinds{"completed", "completed"});
}
