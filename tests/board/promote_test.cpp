#include <nlohmann/json.hpp>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

TEST_CASE_METHOD(BoardFixture, "promote lifts the hold of a task that backs off, and says which") {
  const bool limited = GENERATE(false, true);
  const std::string id = add("t");
  REQUIRE(exits(start(id), limited ? 75 : 1));
  const Instant until = task(id).eligible_at.value();
  REQUIRE(until > now);
  const auto promote = [&](bool dry_run) {
    return change(
        [&](board::Change& c) { return board::promote(c, id, "the disk is back", dry_run); });
  };
  REQUIRE(promote(true));
  CHECK(task(id).eligible_at == until);
  REQUIRE(promote(false));
  CHECK(task(id).eligible_at == now);
  CHECK_FALSE(task(id).hold_reason);
  CHECK(task(id).failures == 0);
  CHECK(task(id).status == Status::ready);
  const auto events = read([&](db::Reader& tx) { return board::events_of(tx, id); });
  CHECK(events.back().kind == "promoted_manual");
  const auto payload = nlohmann::json::parse(*events.back().payload);
  CHECK(payload["lifted"] ==
        nlohmann::json({{"reason", limited ? "rate_limited" : "backoff"}, {"until_ms", until.ms}}));
  CHECK(payload["reason"] == "the disk is back");
  const auto again = promote(false);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::conflict);
  CHECK(again.error().message.find("no back-off or cool-down holds it") != std::string::npos);
  CHECK(start(id).attempt == 2);
}

TEST_CASE_METHOD(BoardFixture, "a review that is held is tried again as a review") {
  const std::string id = add("t");
  const Run run = start(id);
  REQUIRE(as(worker(run), [&](board::Change& c) { return board::request_review(c, id, {}); }));
  REQUIRE(exits(run, 0));
  REQUIRE(exits(start(id), 75));
  REQUIRE(task(id).eligible_at.value() > now);
  REQUIRE(change([&](board::Change& c) { return board::promote(c, id, {}, false); }));
  CHECK(task(id).status == Status::review);
  CHECK(task(id).eligible_at == now);
}

TEST_CASE_METHOD(BoardFixture, "no worker lifts a hold, its own task's neither") {
  const std::string own = add("own");
  const std::string other = add("other");
  REQUIRE(exits(start(other), 1));
  const Run run = start(own);
  const auto promote = [&](const std::string& id) {
    return as(worker(run), [&](board::Change& c) { return board::promote(c, id, {}, false); });
  };
  CHECK(promote(other).error().code == ErrorCode::forbidden);
  REQUIRE(exits(run, 75));
  CHECK(promote(own).error().code == ErrorCode::not_yours);
  CHECK(task(own).hold_reason == HoldReason::rate_limited);
}

TEST_CASE_METHOD(BoardFixture,
                 "neither comments nor the words of a failure keep a task from starting") {
  limits.retry_base = Millis{1};
  limits.retry_max = Millis{1};
  const std::string id = add("t");
  REQUIRE(change([&](board::Change& c) {
    return board::add_comment(c, id, "alice", "see https://github.com/a/b/pull/403");
  }));
  const Run run = start(id);
  REQUIRE(change([&](board::Change& c) -> Result<bool> {
    return board::finish_run(c, run.id,
                             {.kind = ExitKind::exited,
                              .code = 1,
                              .last_output = "author: 429 quota, 403 forbidden, billing"},
                             VerdictMode::by_exit_code);
  }));
  pass(Millis{2});
  CHECK(read([&](db::Reader& tx) {
          return board::claim_holds(tx, *board::find_task(tx, id), now);
        }).empty());
  CHECK(start(id).attempt == 2);
}
