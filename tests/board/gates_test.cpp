#include "kernel/board/gates.hpp"

#include "board/board_fixture.hpp"

using namespace hermes;
using namespace hermes::test;
using namespace std::chrono_literals;

namespace {

struct GateFixture : BoardFixture {
  std::optional<rules::Gate> gate() {
    return read([](db::Reader& tx) { return board::profile_gate(tx, "shell"); });
  }
  bool paused() {
    const auto found = gate();
    return found && rules::is_paused(*found, now);
  }
  Result<Run> try_start(const std::string& id) {
    return change([&](board::Change& c) {
      return board::claim(
          c, id, {HolderKind::dispatcher, "shell", host, "holder", limits.claim_ttl, {}, {}});
    });
  }
  void fail_alike(int times) {
    for (int i = 0; i < times; ++i) {
      const Run run = start(add("t"));
      REQUIRE(finish(run, {.kind = ExitKind::exited, .code = 3, .last_output = "no key"}));
    }
  }
  std::vector<Event> gate_events() {
    std::vector<Event> found;
    for (
        auto& one :
        read([](db::Reader& tx) {
          return board::events_after(tx, 0, 1000, {.kinds = {"profile_paused", "profile_resumed"}});
        }).events) {
      found.push_back(one.event);
    }
    return found;
  }
};

}  // namespace

TEST_CASE_METHOD(GateFixture, "the third task that fails alike pauses its profile on the board") {
  fail_alike(2);
  CHECK_FALSE(gate());
  fail_alike(1);
  REQUIRE(paused());
  CHECK(*gate()->paused_until == now + 60s);
  CHECK(gate()->reason.find("3 of its tasks failed alike within 60 s") == 0);
  CHECK(gate()->reason.find("exit code 3; last output: no key") != std::string::npos);
  const auto events = gate_events();
  REQUIRE(events.size() == 1);
  CHECK_FALSE(events[0].task_id);
  CHECK(events[0].payload->find("\"profile\":\"shell\"") != std::string::npos);
}

TEST_CASE_METHOD(GateFixture, "failures further apart than the window pause nothing") {
  fail_alike(2);
  pass(61s);
  fail_alike(1);
  CHECK_FALSE(gate());
  limits.fleet_window = 0s;
  fail_alike(9);
  CHECK_FALSE(gate());
}

TEST_CASE_METHOD(GateFixture, "a success between, a person's too, is told apart") {
  fail_alike(2);
  REQUIRE(exits(start(add("t")), 0));
  fail_alike(2);
  CHECK_FALSE(gate());
  // A person who completes a task tells nothing about the profile.
  const std::string by_hand = add("t");
  REQUIRE(change(
      [&](board::Change& c) { return board::complete(c, by_hand, {.summary = "x"}, false); }));
  const Run forced = start(add("t"));
  REQUIRE(change([&](board::Change& c) { return board::complete(c, forced.task_id, {}, true); }));
  fail_alike(1);
  CHECK(paused());
}

TEST_CASE_METHOD(GateFixture, "claims by hand neither pause a profile nor are bound by its pause") {
  for (int i = 0; i < 4; ++i) {
    const Run run = claim_outside(add("t", {}, "alice"), 1s);
    pass(2s);
    REQUIRE(
        change([&](board::Change& c) -> Result<bool> { return board::expire_claim(c, run.id); }));
  }
  CHECK(read([](db::Reader& tx) { return board::shut_gates(tx); }).empty());
  fail_alike(3);
  REQUIRE(paused());
  const std::string id = add("t");
  CHECK_FALSE(try_start(id));
  CHECK(claim_outside(id).profile == "alice");
}

TEST_CASE_METHOD(GateFixture,
                 "a profile that was resumed by a clock that was ahead can be paused again") {
  fail_alike(3);
  REQUIRE(change([](board::Change& c) { return board::resume_profile(c, "shell"); }));
  now = now - std::chrono::hours{1};
  const auto view = read([&](db::Reader& tx) {
    return board::snapshot(tx, slug, now, limits, {{"shell", VerdictMode::by_exit_code}}, host, 1);
  });
  CHECK(view.clock_was_ahead);
  REQUIRE(change([](board::Change& c) -> Result<void> {
    board::rebase_clock(c);
    return {};
  }));
  pass(1s);
  fail_alike(3);
  CHECK(paused());
}

TEST_CASE_METHOD(GateFixture, "after its pause a profile is tried with one task at a time") {
  fail_alike(3);
  const std::string first = add("t");
  const std::string second = add("t");
  CHECK(try_start(first).error().message.find("is paused for another 60 s") != std::string::npos);
  pass(60s);
  const auto probe = try_start(first);
  REQUIRE(probe);
  CHECK(gate()->probe_run == probe->id);
  CHECK(try_start(second).error().message.find("being tried with one task") != std::string::npos);

  SECTION("a probe that fails, in whatever way, doubles the pause") {
    REQUIRE(finish(*probe, {.kind = ExitKind::signaled, .code = 9}));
    REQUIRE(paused());
    CHECK(*gate()->paused_until == now + 120s);
    CHECK_FALSE(gate()->probe_run);
    CHECK(gate()->reason.find("tried again, and " + first + " failed with") == 0);
    CHECK(gate_events().size() == 2);
  }
  SECTION("a probe that works ends it") {
    REQUIRE(exits(*probe, 0));
    CHECK_FALSE(gate());
    REQUIRE(gate_events().size() == 2);
    CHECK(gate_events()[1].kind == "profile_resumed");
    CHECK(try_start(second));
  }
  SECTION("a verdict that the worker gives itself ends it too") {
    REQUIRE(
        as(worker(*probe), [&](board::Change& c) { return board::complete(c, first, {}, false); }));
    CHECK_FALSE(gate());
    REQUIRE(exits(*probe, 1));  // the first verdict stands
    CHECK_FALSE(gate());
  }
  SECTION("a probe that is stopped leaves the next one to try") {
    REQUIRE(change([&](board::Change& c) { return board::reclaim(c, first, {}); }));
    REQUIRE(finish(*probe, {.kind = ExitKind::signaled, .code = 15}));
    CHECK_FALSE(paused());
    CHECK(try_start(second));
    CHECK(paused());
  }
  SECTION("a probe whose workspace could not be made tells nothing, when the task named it") {
    REQUIRE(database->write([&](db::Writer& tx) -> Result<void> {
      tx.execute(
          "UPDATE tasks SET workspace_kind = 'dir', workspace_path = '/nowhere' WHERE id = $1",
          first);
      return {};
    }));
    REQUIRE(finish(*probe,
                   {.kind = ExitKind::workspace_failed, .detail = "/nowhere: no such directory"}));
    CHECK_FALSE(paused());
    CHECK(try_start(second));
  }
}

TEST_CASE_METHOD(GateFixture,
                 "a person resumes a profile, and what failed before is not counted again") {
  fail_alike(3);
  REQUIRE(change([](board::Change& c) { return board::resume_profile(c, "shell"); }) == true);
  CHECK_FALSE(paused());
  CHECK(change([](board::Change& c) { return board::resume_profile(c, "shell"); }) == false);
  pass(1s);
  fail_alike(2);
  CHECK_FALSE(paused());
  fail_alike(1);
  CHECK(paused());
  CHECK(gate()->pause == 60s);  // not doubled
  const auto events = gate_events();
  REQUIRE(events.size() == 3);
  CHECK(events[1].kind == "profile_resumed");
  CHECK(events[1].payload->find("\"by\":\"alice\"") != std::string::npos);
}

TEST_CASE_METHOD(GateFixture, "a worker cannot resume a profile") {
  fail_alike(2);
  const Run run = start(add("t"));
  fail_alike(1);
  const auto refused =
      as(worker(run), [](board::Change& c) { return board::resume_profile(c, "shell"); });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::forbidden);
  CHECK(paused());
}

TEST_CASE_METHOD(GateFixture, "a clock that was ahead does not prolong a pause") {
  fail_alike(3);
  pass(-24h);
  const auto view = read([&](db::Reader& tx) {
    return board::snapshot(tx, slug, now, limits, {{"shell", VerdictMode::by_exit_code}}, host, 16);
  });
  CHECK(view.clock_was_ahead);
  REQUIRE(change([](board::Change& c) -> Result<bool> {
    board::rebase_clock(c);
    return true;
  }));
  CHECK(*gate()->paused_until == now + 60s);
}

TEST_CASE_METHOD(GateFixture, "the look back costs the same however many runs there were") {
  const auto plan = read([](db::Reader& tx) {
    std::string all;
    auto row = tx.query(
        "EXPLAIN QUERY PLAN SELECT r.id FROM runs r WHERE r.profile = 'x' AND r.ended_at > 1 AND "
        "r.ended_at <= 2 AND r.holder_kind <> 'external' ORDER BY r.ended_at DESC, r.id DESC LIMIT "
        "9");
    while (row.next()) {
      all += row.text(3) + "\n";
    }
    return all;
  });
  CHECK(plan.find("USING INDEX runs_profile") != std::string::npos);
  CHECK(plan.find("TEMP B-TREE") == std::string::npos);
}
