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

TEST_CASE("500 random moves keep every invariant after each step") {
  std::size_t removed = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    BoardFixture f;
    f.limits.failure_limit = 2;
    f.limits.verdict_grace = Millis{0};
    SeededRandom dice(seed);
    std::vector<std::string> ids;
    std::vector<Run> runs;
    const auto pick = [&](const auto& from) { return from[dice.next() % from.size()]; };
    for (int step = 0; step < 500 && ids.size() < 60; ++step) {
      f.pass(Millis{static_cast<std::int64_t>(dice.next() % 4000)});
      if (ids.empty() || dice.next() % 6 == 0) {
        ids.push_back(f.add("t", ids.empty() || dice.next() % 2 == 0 ? std::vector<std::string>{}
                                                                     : std::vector{pick(ids)}));
        continue;
      }
      const std::string id = pick(ids);
      const auto claim = [&](HolderKind kind) {
        const auto run = f.change([&](board::Change& c) {
          return board::claim(c, id, {kind, "shell", f.host, "h", Millis{1000}, {}, {}});
        });
        if (run) {
          runs.push_back(*run);
        }
      };
      switch (dice.next() % 22) {
        case 0:
        case 1:
          claim(HolderKind::dispatcher);
          break;
        case 2:
          claim(HolderKind::external);
          break;
        case 3:
          (void)f.change(
              [&](board::Change& c) { return board::complete(c, id, {}, dice.next() % 2 == 0); });
          break;
        case 4:
          (void)f.change(
              [&](board::Change& c) { return board::block(c, id, BlockKind::needs_input, "x"); });
          break;
        case 5:
          (void)f.change([&](board::Change& c) { return board::unblock(c, id, {}, false); });
          break;
        case 6:
          (void)f.change([&](board::Change& c) { return board::promote(c, id, {}, false); });
          break;
        case 7:
          (void)f.change([&](board::Change& c) { return board::reclaim(c, id, {}); });
          break;
        case 8:
          (void)f.change([&](board::Change& c) {
            return board::link(c, pick(ids), id, LinkCondition::ended);
          });
          break;
        case 9:
          (void)f.change([&](board::Change& c) { return board::unlink(c, pick(ids), id); });
          break;
        case 10:
          if (dice.next() % 4 == 0) {
            (void)f.change([&](board::Change& c) { return board::archive(c, id, true); });
          }
          break;
        case 11: {
          const auto wake_at =
              dice.next() % 2 == 0
                  ? std::optional(f.now + Millis{static_cast<std::int64_t>(dice.next() % 3000)})
                  : std::nullopt;
          (void)f.change([&](board::Change& c) { return board::schedule(c, id, wake_at, "wait"); });
          break;
        }
        case 12:
          for (const std::string& due : f.due()) {
            (void)f.change(
                [&](board::Change& c) -> Result<bool> { return board::wake_task(c, due); });
          }
          break;
        case 13:
          (void)f.change([&](board::Change& c) { return board::request_review(c, id, "look"); });
          break;
        case 14:
          (void)f.change([&](board::Change& c) { return board::request_changes(c, id, "again"); });
          break;
        case 15:
          (void)f.change([&](board::Change& c) { return board::reopen_review(c, id, "doubt"); });
          break;
        case 16:
          (void)f.change([&](board::Change& c) {
            return board::edit(c, id, {.title = "u", .body = {}, .priority = 3, .result = {}});
          });
          (void)f.change([&](board::Change& c) {
            return board::set_model(c, id, {.model = "m", .provider = ""});
          });
          break;
        case 17:
          if (f.change([&](board::Change& c) { return board::remove_task(c, id); })) {
            std::erase(ids, id);
            std::erase_if(runs, [&](const Run& run) { return run.task_id == id; });
            ++removed;
          }
          break;
        case 18:
          if (dice.next() % 8 == 0) {
            const auto swarm = f.change([&](board::Change& c) {
              return board::create_swarm(c, {.goal = "g",
                                             .workers = {{"shell", "w", {}}},
                                             .verifier = "shell",
                                             .synthesizer = "shell"});
            });
            REQUIRE(swarm);
            ids.insert(ids.end(), {swarm->root_id, swarm->worker_ids[0], swarm->verifier_id});
          }
          break;
        default:
          if (!runs.empty()) {
            const Run run = pick(runs);
            if (run.holder_kind == HolderKind::external) {
              (void)f.change(
                  [&](board::Change& c) -> Result<bool> { return board::expire_claim(c, run.id); });
            } else if (dice.next() % 3 == 0) {
              const auto verdict = dice.next() % 4;
              (void)f.as(f.worker(run), [&](board::Change& c) -> Result<board::Moved> {
                return verdict == 0   ? board::schedule(c, run.task_id, {}, {})
                       : verdict == 1 ? board::request_review(c, run.task_id, "s")
                       : verdict == 2 ? board::request_changes(c, run.task_id, "s")
                                      : board::complete(c, run.task_id, {.summary = "s"}, false);
              });
            } else {
              f.exits(run, static_cast<int>(dice.next() % 3),
                      dice.next() % 2 == 0 ? VerdictMode::by_call : VerdictMode::by_exit_code);
            }
          }
      }
    }
    CHECK(ids.size() + removed > 20);
  }
}
