#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

Result<Run> claim(BoardFixture& f, const std::string& id) {
  return f.change([&](board::Change& c) {
    return board::claim(c, id,
                        {HolderKind::external, "alice", f.host, "outside", Millis{60'000}, {}, {}});
  });
}

}  // namespace

TEST_CASE("a claim opens a run with a token and refuses the next one in the words of why") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  CHECK(run.attempt == 1);
  CHECK(run.token.size() == 32);
  const auto second = claim(f, id);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().message.find("it is running") != std::string::npos);
}

TEST_CASE(
    "a claim is refused while a parent is open, while it is held, and while an earlier process is "
    "ending") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto child = f.add("child", {parent});
  CHECK(claim(f, child).error().message.find(parent) != std::string::npos);

  f.exits(f.start(parent), 1);
  CHECK(claim(f, parent).error().message.find("failure 1 in a row") != std::string::npos);
  f.pass(Millis{2000});
  const auto run = f.start(parent);
  CHECK(f.as(f.worker(run), [&](board::Change& c) {
    return board::block(c, parent, BlockKind::needs_input, "?");
  }));
  CHECK(f.change([&](board::Change& c) { return board::unblock(c, parent, std::nullopt, false); }));
  CHECK(f.status(parent) == Status::ready);
  CHECK(claim(f, parent).error().message.find("has not gone yet") != std::string::npos);
  CHECK(f.candidates().empty());
  f.exits(run, 0);
  CHECK(f.candidates() == std::vector{parent});
  CHECK(claim(f, parent));
}

TEST_CASE("a heartbeat renews lease and liveness together") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.claim_outside(id, Millis{60'000});
  f.pass(Millis{50'000});
  const auto beat = f.change([&](board::Change& c) { return board::heartbeat(c, id, "half way"); });
  REQUIRE(beat);
  CHECK(beat->heartbeat_at == f.now);
  const auto expires = f.read([&](db::Reader& tx) {
    auto row = tx.query("SELECT expires_at FROM leases WHERE epoch = $1", run.id);
    row.next();
    return row.instant(0);
  });
  CHECK(expires == f.now + Millis{60'000});
}

TEST_CASE("a heartbeat of a superseded worker is refused") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto old = f.start(id);
  f.finish(old, {.kind = ExitKind::host_restarted});
  const auto fresh = f.start(id);
  const auto late =
      f.as(f.worker(old), [&](board::Change& c) { return board::heartbeat(c, id, std::nullopt); });
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::not_yours);
  CHECK(f.as(f.worker(fresh),
             [&](board::Change& c) { return board::heartbeat(c, id, std::nullopt); }));
  Actor forged = f.worker(fresh);
  forged.worker->token = "00000000000000000000000000000000";
  CHECK(f.as(forged, [&](board::Change& c) { return board::heartbeat(c, id, std::nullopt); })
            .error()
            .code == ErrorCode::not_yours);
}

TEST_CASE("an external claim past its term is stale and counted") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.claim_outside(id);
  f.pass(std::chrono::seconds{900});
  CHECK(f.change([&](board::Change& c) -> Result<bool> {
    return board::expire_claim(c, run.id);
  }) == true);
  CHECK(f.status(id) == Status::ready);
  CHECK(f.task(id).failures == 1);
  CHECK(f.change([&](board::Change& c) -> Result<bool> {
    return board::expire_claim(c, run.id);
  }) == false);
}

TEST_CASE("a sign of life that came after the look at the board keeps a claim and a worker") {
  BoardFixture f;
  const auto expire = [&](const Run& run) {
    return f
        .change([&](board::Change& c) -> Result<bool> { return board::expire_claim(c, run.id); })
        .value();
  };
  const auto stop = [&](const Run& run) {
    return f
        .change([&](board::Change& c) -> Result<bool> {
          return board::stop_stale(c, run.id, VerdictMode::by_call);
        })
        .value();
  };
  const auto id = f.add("a");
  const auto claimed = f.claim_outside(id, f.limits.stale_timeout);
  const auto working = f.start(f.add("b"));
  f.pass(f.limits.stale_timeout);
  REQUIRE(f.change([&](board::Change& c) { return board::heartbeat(c, id, std::nullopt); }));
  REQUIRE(f.as(f.worker(working), [&](board::Change& c) {
    return board::heartbeat(c, working.task_id, std::nullopt);
  }));
  CHECK_FALSE(expire(claimed));
  CHECK_FALSE(stop(working));
  CHECK(f.status(id) == Status::running);
  f.pass(f.limits.stale_timeout);
  CHECK(expire(claimed));
  CHECK(stop(working));
  CHECK_FALSE(stop(working));
  CHECK(f.read([&](db::Reader& tx) { return *board::find_run(tx, working.id); }).stop_kind ==
        StopKind::stale);
}

TEST_CASE("a run does not inherit the heartbeat of the one before it") {
  BoardFixture f;
  const auto first = f.start(f.add("a"));
  REQUIRE(f.as(f.worker(first),
               [&](board::Change& c) { return board::heartbeat(c, first.task_id, "at work"); }));
  f.pass(f.limits.stale_timeout);
  REQUIRE(f.finish(first, {.kind = ExitKind::host_restarted}, VerdictMode::by_call));
  const auto second = f.start(first.task_id);
  const auto stored = f.read([&](db::Reader& tx) { return *board::find_run(tx, second.id); });
  CHECK_FALSE(stored.heartbeat_at);
  CHECK_FALSE(stored.heartbeat_note);
  f.pass(f.limits.heartbeat_gap);
  CHECK(f.change([&](board::Change& c) -> Result<bool> {
    return board::stop_stale(c, second.id, VerdictMode::by_call);
  }) == false);
}

TEST_CASE("a take-over raises the epoch and fences the dispatcher before it") {
  BoardFixture f;
  const auto take = [&](const std::string& who) {
    return f
        .change([&](board::Change& c) -> Result<std::int64_t> { return board::take_over(c, who); })
        .value();
  };
  const auto first = take("one");
  CHECK(f.change([&](board::Change& c) { return board::check_epoch(c.tx, first); }));
  const auto second = take("two");
  CHECK(second == first + 1);
  CHECK(f.change([&](board::Change& c) { return board::check_epoch(c.tx, first); }).error().code ==
        ErrorCode::not_yours);
}

TEST_CASE("a child does not start in a directory where its parent's process still works") {
  BoardFixture f;
  const auto dir_task = [&](const std::string& title, std::vector<std::string> parents) {
    return f
        .change([&](board::Change& c) {
          return board::create(c, {.title = title,
                                   .assignee = "shell",
                                   .parents = std::move(parents),
                                   .workspace_kind = WorkspaceKind::dir,
                                   .workspace_path = "/srv/x"});
        })
        ->task.id;
  };
  const auto parent = dir_task("parent", {});
  const auto child = dir_task("child", {parent});
  const auto run = f.change([&](board::Change& c) {
    return board::claim(c, parent,
                        {HolderKind::dispatcher, "shell", f.host, "h", Millis{1000}, "/srv/x", {}});
  });
  REQUIRE(run);
  CHECK(f.as(f.worker(*run), [&](board::Change& c) {
    return board::complete(c, parent, {.summary = "ok"}, false);
  }));
  CHECK(f.status(child) == Status::ready);
  CHECK(f.candidates().empty());
  CHECK(claim(f, child).error().message.find("same directory") != std::string::npos);
  f.exits(*run, 0);
  CHECK(f.candidates() == std::vector{child});
}

TEST_CASE("a clock that was ahead holds no task and keeps no claim once it is set back") {
  BoardFixture f;
  const auto ready = f.add("ready");
  const auto held = f.add("held");
  f.exits(f.start(held), 1);
  const auto claimed = f.add("claimed");
  f.claim_outside(claimed, Millis{60'000});
  f.now = f.now - std::chrono::hours{24};
  const auto view = f.read([&](db::Reader& tx) {
    return board::snapshot(tx, f.slug, f.now, f.limits, {{"shell", VerdictMode::by_exit_code}},
                           f.host, 16);
  });
  CHECK(view.clock_was_ahead);
  CHECK(f.candidates().empty());
  CHECK(f.change([](board::Change& c) -> Result<void> {
    board::rebase_clock(c);
    return {};
  }));
  CHECK(f.candidates() == std::vector{ready});
  f.pass(Millis{2000});
  CHECK(f.candidates().size() == 2);
  const auto expires = f.read([&](db::Reader& tx) {
    auto row = tx.query("SELECT expires_at FROM leases WHERE resource = $1", "task:" + claimed);
    row.next();
    return row.instant(0);
  });
  CHECK(expires == f.now + Millis{58'000});
}

TEST_CASE("a claim by hand that ends after the clock was set back ends no earlier than it began") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.claim_outside(id);
  f.now = f.now - std::chrono::hours{1};
  REQUIRE(f.change([&](board::Change& c) { return board::complete(c, id, {}, false); }));
  const auto kept = f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); });
  CHECK(kept.ended_at == run.started_at);
  CHECK(kept.gone_at == run.started_at);
}

TEST_CASE("a clock that was ahead when a run gave its verdict does not keep its process") {
  BoardFixture f;
  const auto run = f.start(f.add("a"));
  REQUIRE(f.as(f.worker(run),
               [&](board::Change& c) { return board::complete(c, run.task_id, {}, false); }));
  f.now = f.now - std::chrono::hours{1};
  REQUIRE(f.change([](board::Change& c) -> Result<void> {
    board::rebase_clock(c);
    return {};
  }));
  const auto kept = f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); });
  CHECK(kept.started_at == f.now);
  CHECK(kept.spawned_at == f.now);
  CHECK(kept.ended_at == f.now);
}

TEST_CASE("a comment under a forged run id is not taken for the run's") {
  BoardFixture f;
  const auto mine = f.add("mine");
  const auto run = f.start(mine);
  const auto other = f.start(f.add("other"));
  Actor forged = f.worker(run);
  forged.worker->run_id = other.id;
  const auto said =
      f.as(forged, [&](board::Change& c) { return board::add_comment(c, mine, "shell", "hello"); });
  CHECK(said.error().code == ErrorCode::not_yours);
  CHECK(f.comments(mine).empty());
}

TEST_CASE(
    "why the last dispatcher ended is kept, and a killed one is told by its unvacated lease") {
  BoardFixture f;
  const auto take = [&](const std::string& who) {
    return f
        .change([&](board::Change& c) -> Result<std::int64_t> { return board::take_over(c, who); })
        .value();
  };
  const auto reason = [&] {
    return f.read([](db::Reader& tx) { return board::last_dispatcher_end(tx); });
  };
  const auto first = take("one");
  CHECK_FALSE(reason());
  CHECK(f.change([&](board::Change& c) -> Result<void> {
    board::vacate(c, first, "signal 15");
    return {};
  }));
  CHECK(reason()->reason == "signal 15");
  take("two");
  take("three");
  CHECK(reason()->reason.find("killed") != std::string::npos);
  CHECK(reason()->reason.find("two") != std::string::npos);
}

TEST_CASE("who claims a task has a name that can be kept") {
  BoardFixture f;
  const auto id = f.add("a");
  for (const std::string& name : {std::string(100'000, 'x'), std::string("a\x1b[2Jb")}) {
    const auto refused = f.change([&](board::Change& c) {
      return board::claim(c, id, {HolderKind::external, name, f.host, "h", Millis{1000}, {}, {}});
    });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid);
  }
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE("a worker's name is the profile of its run, whatever it calls itself") {
  BoardFixture f;
  const auto run = f.start(f.add("a"));
  Actor actor = f.worker(run);
  actor.name = "boss";
  const auto name = [&](const Actor& who, const std::string& board) {
    return f.read([&](db::Reader& tx) { return board::identified(tx, who, board).name; });
  };
  CHECK(name(actor, f.slug) == "shell");
  CHECK(name(actor, "another") == "boss");
  actor.worker->token = "00000000000000000000000000000000";
  CHECK(name(actor, f.slug) == "boss");
  CHECK(name(f.person, f.slug) == "alice");
}
