#include <nlohmann/json.hpp>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

Result<board::Moved> complete(BoardFixture& f, const Actor& actor, const std::string& id,
                              bool force = false) {
  return f.as(actor, [&](board::Change& c) {
    return board::complete(c, id, {.summary = "all done", .result = "42", .metadata = "{\"n\":1}"},
                           force);
  });
}
Result<board::Moved> block(BoardFixture& f, const Actor& actor, const std::string& id,
                           std::optional<BlockKind> kind,
                           const std::optional<std::string>& reason = "stuck") {
  return f.as(actor, [&](board::Change& c) { return board::block(c, id, kind, reason); });
}
Result<board::Moved> unblock(BoardFixture& f, const std::string& id, bool reset = false) {
  return f.change([&](board::Change& c) { return board::unblock(c, id, std::nullopt, reset); });
}

}  // namespace

TEST_CASE(
    "a worker completes its own task, its process may end later and the first verdict stands") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  const auto moved = complete(f, f.worker(run), id);
  REQUIRE(moved);
  CHECK(f.status(id) == Status::done);
  CHECK(f.task(id).result == "42");
  auto kept = f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); });
  CHECK(kept.outcome == Outcome::completed);
  CHECK(kept.summary == "all done");
  CHECK_FALSE(kept.gone_at);
  f.pass(Millis{100});
  CHECK(f.exits(run, 7));
  kept = f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); });
  CHECK(kept.outcome == Outcome::completed);
  CHECK(kept.exit_code == 7);
  CHECK(kept.gone_at == f.now);
  CHECK_FALSE(f.exits(run, 7));  // once
}

TEST_CASE("a late completion of a superseded worker is refused and leaves nothing") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto old = f.start(id);
  f.finish(old, {.kind = ExitKind::host_restarted});
  const auto events = f.last_event();
  const auto late = complete(f, f.worker(old), id);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::not_yours);
  f.start(id);
  CHECK(complete(f, f.worker(old), id).error().code == ErrorCode::not_yours);
  CHECK(f.status(id) == Status::running);
  CHECK(f.kinds(id).back() == "spawned");
  CHECK(f.last_event() == events + 2);
}

TEST_CASE("a worker may change only its own task but may create, link and comment anywhere") {
  BoardFixture f;
  const auto own = f.add("own");
  const auto other = f.add("other");
  const auto actor = f.worker(f.start(own));
  CHECK(complete(f, actor, other).error().code == ErrorCode::forbidden);
  CHECK(block(f, actor, other, std::nullopt).error().code == ErrorCode::forbidden);
  CHECK(
      f.as(actor, [&](board::Change& c) { return board::archive(c, other, true); }).error().code ==
      ErrorCode::forbidden);
  CHECK(f.as(actor, [&](board::Change& c) { return board::promote(c, other, std::nullopt, false); })
            .error()
            .code == ErrorCode::forbidden);
  CHECK(f.as(actor,
             [&](board::Change& c) { return board::add_comment(c, other, "shell", "hello"); }));
  CHECK(f.as(actor, [&](board::Change& c) { return board::create(c, {.title = "new"}); }));
}

TEST_CASE("a worker that was replaced may not even create, link and comment") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto other = f.add("other");
  const auto old = f.worker(f.start(id));
  const auto adds = [&](const Actor& actor) {
    const auto code = [](const auto& result) {
      return result ? std::nullopt : std::optional(result.error().code);
    };
    return std::vector{
        code(f.as(actor, [&](board::Change& c) { return board::create(c, {.title = "new"}); })),
        code(f.as(actor, [&](board::Change& c) { return board::add_comment(c, other, "", "x"); })),
        code(f.as(actor, [&](board::Change& c) {
          return board::link(c, other, id, LinkCondition::done);
        }))};
  };
  REQUIRE(block(f, old, id, BlockKind::needs_input));
  REQUIRE(f.change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
  SECTION("its own verdict does not silence it") {
    CHECK(adds(old) == std::vector<std::optional<ErrorCode>>(3));
  }
  SECTION("what a person says in a run of no length replaces nobody") {
    REQUIRE(f.change([&](board::Change& c) { return board::schedule(c, id, {}, "later"); }));
    CHECK(adds(old) == std::vector<std::optional<ErrorCode>>(3));
  }
  SECTION("another run does") {
    f.exits({.id = old.worker->run_id}, 0);
    f.start(id);
    const auto events = f.last_event();
    CHECK(adds(old) == std::vector<std::optional<ErrorCode>>(3, ErrorCode::not_yours));
    CHECK(f.last_event() == events);
  }
  SECTION("a token that is not its run's says nothing either") {
    Actor forged = old;
    forged.worker->token = "0";
    CHECK(adds(forged) == std::vector<std::optional<ErrorCode>>(3, ErrorCode::not_yours));
  }
}

TEST_CASE("a worker cannot claim, and cannot unlink its task once its run has ended") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto id = f.add("a");
  const auto run = f.claim_outside(id);
  const auto actor = f.worker(run);
  REQUIRE(f.change([&](board::Change& c) { return board::reclaim(c, id, {}); }));
  REQUIRE(
      f.change([&](board::Change& c) { return board::link(c, parent, id, LinkCondition::ended); }));
  CHECK(f.as(actor, [&](board::Change& c) { return board::unlink(c, parent, id); }).error().code ==
        ErrorCode::not_yours);
  REQUIRE(f.change([&](board::Change& c) { return board::unlink(c, parent, id); }));
  const auto claimed = f.as(actor, [&](board::Change& c) {
    return board::claim(c, id, {HolderKind::external, "shell", f.host, "h", Millis{1000}, {}, {}});
  });
  CHECK(claimed.error().code == ErrorCode::forbidden);
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE("a person needs --force to complete over a worker, which is then told to stop at once") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  CHECK(complete(f, f.person, id).error().hint.find("with force") != std::string::npos);
  const auto forced = complete(f, f.person, id, true);
  REQUIRE(forced);
  CHECK(forced->stopping);
  const auto kept = f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); });
  CHECK(kept.stop_kind == StopKind::force);
  CHECK(f.status(id) == Status::done);
}

TEST_CASE(
    "a task nobody claimed keeps its handoff in a run of no length, without a handoff there is no "
    "run") {
  BoardFixture f;
  const auto with = f.add("with");
  const auto without = f.add("without");
  CHECK(complete(f, f.person, with));
  CHECK(f.read([&](db::Reader& tx) { return board::runs_of(tx, with); }).size() == 1);
  CHECK(f.change([&](board::Change& c) { return board::complete(c, without, {}, false); }));
  CHECK(f.read([&](db::Reader& tx) { return board::runs_of(tx, without); }).empty());
  CHECK(complete(f, f.person, with).error().code == ErrorCode::conflict);
}

TEST_CASE("a completion that names tasks its worker has not made is refused, and nothing changes") {
  BoardFixture f;
  const auto id = f.add("own");
  const auto foreign = f.add("a person's");
  const auto run = f.start(id);
  const Actor worker = f.worker(run);
  const auto made =
      f.as(worker, [&](board::Change& c) { return board::create(c, {.title = "new"}); });
  const auto child = f.add("a child", {id});
  REQUIRE(made);
  const auto naming = [&](const std::vector<std::string>& ids) {
    return f.as(worker, [&](board::Change& c) {
      return board::complete(c, id, {.summary = "made some", .created = ids}, false);
    });
  };
  const auto events = f.last_event();
  for (const std::string& wrong : {std::string("t_00000000"), foreign, id, std::string("none")}) {
    const auto refused = naming({made->task.id, wrong});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid);
    CHECK(refused.error().message.find("has not made " + wrong) != std::string::npos);
    CHECK(refused.error().hint.find("complete it again") != std::string::npos);
  }
  CHECK(naming(std::vector<std::string>(101, child)).error().code == ErrorCode::invalid);
  CHECK(f.status(id) == Status::running);
  CHECK(f.last_event() == events);
  REQUIRE(naming({made->task.id, child}));
  CHECK(f.status(id) == Status::done);
  const auto kept = f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); });
  CHECK(nlohmann::json::parse(kept.metadata.value_or("{}"))["created_cards"] ==
        nlohmann::json({made->task.id, child}));
}

TEST_CASE("a blank summary is no summary and metadata must be an object") {
  BoardFixture f;
  const auto id = f.add("a");
  CHECK_FALSE(f.change(
      [&](board::Change& c) { return board::complete(c, id, {.metadata = "[1]"}, false); }));
  CHECK_FALSE(
      f.change([&](board::Change& c) { return board::complete(c, id, {.metadata = "{"}, false); }));
  CHECK(f.change(
      [&](board::Change& c) { return board::complete(c, id, {.summary = "  \n"}, false); }));
}

TEST_CASE(
    "the loop breaker sends a worker's second block of one kind, or its fourth of any, to triage") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto blocked_as = [&](BlockKind kind) {
    const auto run = f.start(id);
    REQUIRE(block(f, f.worker(run), id, kind));
    f.exits(run, 0);
    return f.status(id);
  };
  SECTION("the same kind twice") {
    CHECK(blocked_as(BlockKind::needs_input) == Status::blocked);
    REQUIRE(unblock(f, id));
    CHECK(blocked_as(BlockKind::needs_input) == Status::triage);
    CHECK(f.change([&](board::Change& c) { return board::promote(c, id, "go", false); }));
    CHECK(f.task(id).block_total == 0);
  }
  SECTION("alternating kinds") {
    CHECK(blocked_as(BlockKind::needs_input) == Status::blocked);
    REQUIRE(unblock(f, id));
    CHECK(blocked_as(BlockKind::capability) == Status::blocked);
    REQUIRE(unblock(f, id));
    CHECK(blocked_as(BlockKind::needs_input) == Status::blocked);
    REQUIRE(unblock(f, id));
    CHECK(blocked_as(BlockKind::capability) == Status::triage);
  }
  SECTION("unblock --reset forgets") {
    CHECK(blocked_as(BlockKind::needs_input) == Status::blocked);
    REQUIRE(unblock(f, id, true));
    CHECK(blocked_as(BlockKind::needs_input) == Status::blocked);
  }
  SECTION("a person's blocks are not counted") {
    for (int i = 0; i < 5; ++i) {
      REQUIRE(block(f, f.person, id, BlockKind::needs_input));
      CHECK(f.status(id) == Status::blocked);
      REQUIRE(unblock(f, id));
    }
  }
}

TEST_CASE("a dependency block without an open link is refused and leaves no comment") {
  BoardFixture f;
  const auto id = f.add("a");
  CHECK(block(f, f.person, id, BlockKind::dependency)
            .error()
            .message.find("none of its links is open") != std::string::npos);
  CHECK(f.read([&](db::Reader& tx) { return board::comments_of(tx, id); }).empty());
}

TEST_CASE(
    "promote names every open link and refuses, with none it releases and records who and why") {
  BoardFixture f;
  const auto a = f.add("a");
  const auto b = f.add("b");
  const auto child = f.add("child", {a, b});
  const auto promote = [&] {
    return f.change([&](board::Change& c) { return board::promote(c, child, "now", false); });
  };
  const auto refused = promote();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find(a) != std::string::npos);
  CHECK(refused.error().message.find(b) != std::string::npos);
  f.exits(f.start(a), 0);
  f.exits(f.start(b), 0);
  REQUIRE(block(f, f.person, child, std::nullopt));
  CHECK(promote());
  CHECK(f.kinds(child).back() == "promoted_manual");
}

TEST_CASE("reclaim commits an intent, the end of the process releases the task uncounted") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  const auto moved =
      f.change([&](board::Change& c) { return board::reclaim(c, id, "wrong model"); });
  REQUIRE(moved);
  CHECK(moved->stopping);
  CHECK(f.status(id) == Status::running);
  f.finish(run, {.kind = ExitKind::signaled, .code = 15});
  CHECK(f.status(id) == Status::ready);
  CHECK(f.task(id).failures == 0);
  CHECK(f.kinds(id).back() == "reclaimed");
  CHECK(f.change([&](board::Change& c) { return board::reclaim(c, id, std::nullopt); })
            .error()
            .code == ErrorCode::conflict);
}

TEST_CASE("a verdict that comes between the intent and the end wins") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  REQUIRE(f.change([&](board::Change& c) { return board::reclaim(c, id, std::nullopt); }));
  REQUIRE(complete(f, f.worker(run), id));
  f.finish(run, {.kind = ExitKind::signaled, .code = 15});
  CHECK(f.status(id) == Status::done);
}

TEST_CASE("archiving a running task needs force and happens when its process is gone") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  CHECK(f.change([&](board::Change& c) { return board::archive(c, id, false); })
            .error()
            .hint.find("--force") != std::string::npos);
  CHECK(f.change([&](board::Change& c) { return board::archive(c, id, true); })->moved.stopping);
  CHECK(f.status(id) == Status::running);
  f.finish(run, {.kind = ExitKind::signaled, .code = 15});
  CHECK(f.status(id) == Status::archived);
}

TEST_CASE("a worker cannot reclaim or archive its own task, which would start it again for ever") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto actor = f.worker(f.start(id));
  CHECK(f.as(actor, [&](board::Change& c) { return board::reclaim(c, id, std::nullopt); })
            .error()
            .code == ErrorCode::forbidden);
  CHECK(f.as(actor, [&](board::Change& c) { return board::archive(c, id, true); }).error().code ==
        ErrorCode::forbidden);
}

TEST_CASE("a reclaimed run says by whom and why") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  REQUIRE(f.change([&](board::Change& c) { return board::reclaim(c, id, "wrong branch"); }));
  f.finish(run, {.kind = ExitKind::signaled, .code = 15, .last_output = "built"});
  CHECK(f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); }).error ==
        "reclaimed by alice: wrong branch");
}

TEST_CASE("the longest reason there may be is taken, and kept whole") {
  BoardFixture f;
  const auto id = f.add("a");
  const std::string reason(k_text_bytes, 'x');
  REQUIRE(f.change([&](board::Change& c) { return board::block(c, id, {}, reason); }));
  CHECK(f.task(id).block_reason == reason);
  CHECK(f.comments(id).front().size() == k_text_bytes);
  CHECK(f.change([&](board::Change& c) { return board::unblock(c, id, reason + "x", false); })
            .error()
            .message.find("reason") != std::string::npos);
}

TEST_CASE("a person's block keeps the kind it was given, and no older one") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  REQUIRE(f.as(f.worker(run), [&](board::Change& c) {
    return board::block(c, id, BlockKind::needs_input, "which?");
  }));
  f.exits(run, 0);
  const auto by_person = [&](std::optional<BlockKind> kind) {
    REQUIRE(f.change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
    REQUIRE(f.change([&](board::Change& c) { return board::block(c, id, kind, {}); }));
    return f.task(id).block_kind;
  };
  CHECK(by_person(BlockKind::capability) == BlockKind::capability);
  CHECK_FALSE(by_person(std::nullopt));
}
