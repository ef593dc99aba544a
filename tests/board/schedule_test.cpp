#include <nlohmann/json.hpp>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;
using namespace std::chrono_literals;

namespace {

Result<board::Moved> schedule(BoardFixture& f, const Actor& actor, const std::string& id,
                              std::optional<Instant> wake_at = {},
                              const std::optional<std::string>& reason = {}) {
  return f.as(actor, [&](board::Change& c) { return board::schedule(c, id, wake_at, reason); });
}
bool wake(BoardFixture& f, const std::string& id) {
  return f.change([&](board::Change& c) -> Result<bool> { return board::wake_task(c, id); })
      .value();
}

}  // namespace

TEST_CASE("a scheduled task is woken when its time has come, not before, and is ready again") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto moved = schedule(f, f.person, id, f.now + 2h, "  after lunch ");
  REQUIRE(moved);
  CHECK(moved->task.status == Status::scheduled);
  CHECK(f.task(id).wake_at == f.now + 2h);
  CHECK(f.comments(id) == std::vector<std::string>{"SCHEDULED: after lunch"});
  CHECK(f.candidates().empty());
  f.pass(2h - 1ms);
  CHECK(f.due().empty());
  CHECK_FALSE(wake(f, id));
  f.pass(1ms);
  CHECK(f.due() == std::vector{id});
  CHECK(wake(f, id));
  CHECK_FALSE(wake(f, id));
  CHECK(f.status(id) == Status::ready);
  CHECK_FALSE(f.task(id).wake_at);
  CHECK(f.candidates() == std::vector{id});
  CHECK(f.kinds(id) == std::vector<std::string>{"created", "scheduled", "commented", "woken"});
}

TEST_CASE("a time that has passed wakes the task at once") {
  BoardFixture f;
  const auto id = f.add("a");
  REQUIRE(schedule(f, f.person, id, f.now - 1h));
  CHECK(f.due() == std::vector{id});
  CHECK(wake(f, id));
}

TEST_CASE("without a time it waits until it is unblocked") {
  BoardFixture f;
  const auto id = f.add("a");
  REQUIRE(schedule(f, f.person, id));
  f.pass(24h * 365);
  CHECK(f.due().empty());
  CHECK_FALSE(wake(f, id));
  CHECK(f.change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE(
    "a woken task with an open link waits in todo, and its link is satisfied while it sleeps") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto child = f.add("child", {parent});
  REQUIRE(schedule(f, f.person, child, f.now + 1s));
  f.pass(1s);
  CHECK(wake(f, child));
  CHECK(f.status(child) == Status::todo);
  REQUIRE(schedule(f, f.person, child, f.now + 1s));
  f.exits(f.start(parent), 0);
  CHECK(f.status(child) == Status::scheduled);
  f.pass(1s);
  CHECK(wake(f, child));
  CHECK(f.status(child) == Status::ready);
}

TEST_CASE("scheduling a running task tells its worker to stop and keeps the task aside") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  const auto moved = schedule(f, f.person, id, f.now + 1s, "later");
  REQUIRE(moved);
  CHECK(moved->stopping);
  auto kept = f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); });
  CHECK(kept.stop_kind == StopKind::schedule);
  CHECK(kept.outcome == Outcome::scheduled);
  CHECK(kept.summary == "later");
  f.pass(1s);
  CHECK(wake(f, id));
  CHECK(f.candidates().empty());  // the process is not gone yet
  f.finish(run, {.kind = ExitKind::signaled, .code = 15});
  CHECK(f.status(id) == Status::ready);
  CHECK(f.task(id).failures == 0);
  CHECK(f.candidates() == std::vector{id});
}

TEST_CASE("a worker may put its own task aside, a superseded one may not") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  const auto moved = schedule(f, f.worker(run), id, f.now + 1h, "the report comes at noon");
  REQUIRE(moved);
  CHECK_FALSE(moved->stopping);
  CHECK(f.status(id) == Status::scheduled);
  const auto events = f.last_event();
  CHECK(schedule(f, f.worker(run), id).error().code == ErrorCode::not_yours);
  const auto other = f.add("b");
  CHECK(schedule(f, f.worker(run), other).error().code == ErrorCode::forbidden);
  CHECK(f.last_event() == events + 1);  // of the creation
}

TEST_CASE("a task that the breaker has blocked starts afresh when a person schedules it") {
  BoardFixture f;
  f.limits.failure_limit = 1;
  const auto id = f.add("a");
  f.exits(f.start(id), 1);
  REQUIRE(f.status(id) == Status::blocked);
  REQUIRE(schedule(f, f.person, id, f.now + 1s));
  CHECK(f.task(id).failures == 0);
  f.pass(1s);
  CHECK(wake(f, id));
  CHECK(f.candidates() == std::vector{id});
}

TEST_CASE("a scheduled task is given another time, or none") {
  BoardFixture f;
  const auto id = f.add("a");
  REQUIRE(schedule(f, f.person, id, f.now + 1h));
  REQUIRE(schedule(f, f.person, id, f.now + 2h, "not yet"));
  CHECK(f.status(id) == Status::scheduled);
  CHECK(f.task(id).wake_at == f.now + 2h);
  f.pass(1h);
  CHECK(f.due().empty());
  REQUIRE(schedule(f, f.person, id));
  CHECK_FALSE(f.task(id).wake_at);
  REQUIRE(f.change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE("a refused schedule names the state, changes nothing and leaves no comment") {
  for (const Status status : {Status::triage, Status::review, Status::done, Status::archived}) {
    CAPTURE(to_word(status));
    BoardFixture f;
    const auto id =
        f.change([&](board::Change& c) -> Result<std::string> {
           TRY_ASSIGN(auto made, board::create(c, {.title = "a",
                                                   .assignee = "shell",
                                                   .triage = status == Status::triage}));
           return made.task.id;
         }).value();
    if (status == Status::review) {
      const auto run = f.start(id);
      REQUIRE(
          f.as(f.worker(run), [&](board::Change& c) { return board::request_review(c, id, {}); }));
    } else if (status != Status::triage) {
      REQUIRE(f.change([&](board::Change& c) { return board::complete(c, id, {}, false); }));
    }
    if (status == Status::archived) {
      REQUIRE(f.change([&](board::Change& c) { return board::archive(c, id, false); }));
    }
    REQUIRE(f.status(id) == status);
    const auto events = f.last_event();
    const auto refused = schedule(f, f.person, id, f.now + 1h, "too late");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message ==
          "cannot schedule " + id + ": it is " + std::string(to_word(status)));
    CHECK(f.last_event() == events);
    CHECK(f.comments(id).empty());
  }
}

TEST_CASE("a task may be created scheduled, and its history says so") {
  BoardFixture f;
  const auto made = f.change([&](board::Change& c) {
    return board::create(
        c, {.title = "a", .assignee = "shell", .scheduled = true, .wake_at = f.now + 5s});
  });
  REQUIRE(made);
  CHECK(made->task.status == Status::scheduled);
  CHECK(made->task.wake_at == f.now + 5s);
  f.pass(5s);
  CHECK(wake(f, made->task.id));
  const auto both = f.change([&](board::Change& c) {
    return board::create(c, {.title = "a", .triage = true, .scheduled = true});
  });
  REQUIRE_FALSE(both);
  CHECK(both.error().code == ErrorCode::usage);
}
