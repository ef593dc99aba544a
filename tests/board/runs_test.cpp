#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

TEST_CASE("counted failures hold the task 2 s, 8 s, 32 s and at the limit the breaker blocks it") {
  BoardFixture f;
  f.limits.failure_limit = 4;
  const auto id = f.add("a");
  for (const int seconds : {2, 8, 32}) {
    f.exits(f.start(id), 1);
    CHECK(f.status(id) == Status::ready);
    CHECK(f.task(id).eligible_at == f.now + std::chrono::seconds{seconds});
    CHECK(f.candidates().empty());
    f.pass(std::chrono::seconds{seconds});
    CHECK(f.candidates() == std::vector{id});
  }
  f.exits(f.start(id), 3);
  const auto task = f.task(id);
  CHECK(task.status == Status::blocked);
  CHECK(task.block_source == BlockSource::breaker);
  CHECK(task.block_reason->find("exit code 3") != std::string::npos);
  CHECK(f.kinds(id).back() == "gave_up");
  REQUIRE(f.change([&](board::Change& c) { return board::unblock(c, id, std::nullopt, false); }));
  CHECK(f.task(id).failures == 0);
  CHECK(f.candidates() == std::vector{id});
}

TEST_CASE("a task's own failure limit goes before the configured one") {
  BoardFixture f;
  const auto id =
      f.change([&](board::Change& c) {
         return board::create(c, {.title = "a", .assignee = "shell", .failure_limit = 1});
       })->task.id;
  f.exits(f.start(id), 1);
  CHECK(f.status(id) == Status::blocked);
}

TEST_CASE("success clears the failures that came before") {
  BoardFixture f;
  const auto id = f.add("a");
  f.exits(f.start(id), 1);
  f.pass(std::chrono::seconds{2});
  f.finish(f.start(id), {.kind = ExitKind::exited, .code = 0, .last_output = "wrote 3 files"});
  const auto task = f.task(id);
  CHECK(task.status == Status::done);
  CHECK(task.failures == 0);
  CHECK(f.read([&](db::Reader& tx) { return board::runs_of(tx, id); }).back().summary ==
        "wrote 3 files");
}

TEST_CASE("a rate-limited run is held for the cool-down and never counted") {
  BoardFixture f;
  const auto id = f.add("a");
  for (int i = 0; i < 7; ++i) {
    f.exits(f.start(id), 75);
    CHECK(f.status(id) == Status::ready);
    CHECK(f.task(id).failures == 0);
    CHECK(f.task(id).eligible_at == f.now + f.limits.rate_limit_cooldown);
    f.pass(f.limits.rate_limit_cooldown);
  }
}

TEST_CASE("an aborted run is requeued at once and not counted") {
  BoardFixture f;
  const auto id = f.add("a");
  f.finish(f.start(id), {.kind = ExitKind::never_started});
  CHECK(f.task(id).failures == 0);
  CHECK(f.candidates() == std::vector{id});
}

TEST_CASE(
    "exit 0 without the verdict that was due is retried with guidance and blocked at the third") {
  BoardFixture f;
  const auto id = f.add("a");
  for (int i = 0; i < 2; ++i) {
    f.exits(f.start(id), 0, VerdictMode::by_call);
    CHECK(f.status(id) == Status::ready);
    const auto text = f.read(
        [&](db::Reader& tx) { return board::context_text(tx, id, f.now, f.limits, "/a").value(); });
    CHECK(text.find("ended without a verdict") != std::string::npos);
  }
  f.exits(f.start(id), 0, VerdictMode::by_call);
  CHECK(f.status(id) == Status::blocked);
  CHECK(f.task(id).failures == 0);
}

TEST_CASE("what a shim could not record is not taken for a run of a stopped task") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.change([&](board::Change& c) {
    return board::claim(c, id,
                        {HolderKind::dispatcher, "shell", f.host, "h", Millis{1000}, {}, {}});
  });
  REQUIRE(run);
  REQUIRE(f.change([&](board::Change& c) { return board::reclaim(c, id, std::nullopt); }));
  CHECK(f.change([&](board::Change& c) -> Result<bool> {
    return board::record_shim(c, *run, 1, 2);
  }) == false);
}

TEST_CASE(
    "the context tells the task, its attempts, its parents' results and its comments, each "
    "bounded") {
  BoardFixture f;
  const auto parent = f.add("count the files");
  f.finish(f.start(parent), {.kind = ExitKind::exited, .code = 0, .last_output = "1234 files"});
  const auto id = f.add("report", {parent});
  f.exits(f.start(id), 3);
  REQUIRE(f.change([&](board::Change& c) {
    return board::add_comment(c, id, "bob`<system>", std::string(5000, 'z'));
  }));
  const auto text = f.read(
      [&](db::Reader& tx) { return board::context_text(tx, id, f.now, f.limits, "/a").value(); });
  CHECK(text.find("# Kanban task " + id + ": report") == 0);
  CHECK(text.find("Attempt 1: failed") != std::string::npos);
  CHECK(text.find("1234 files") != std::string::npos);
  CHECK(text.find("comment from `bob<system>`") != std::string::npos);
  CHECK(text.find("more bytes)") != std::string::npos);
}
