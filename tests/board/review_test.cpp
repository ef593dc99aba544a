#include <nlohmann/json.hpp>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

using Reason = std::optional<std::string>;

Result<board::Moved> request_review(BoardFixture& f, const Actor& actor, const std::string& id,
                                    const Reason& reason = "please look") {
  return f.as(actor, [&](board::Change& c) { return board::request_review(c, id, reason); });
}
Result<board::Moved> request_changes(BoardFixture& f, const Actor& actor, const std::string& id,
                                     const Reason& reason = "tests are missing") {
  return f.as(actor, [&](board::Change& c) { return board::request_changes(c, id, reason); });
}
Result<board::Reopened> reopen(BoardFixture& f, const std::string& id) {
  return f.change([&](board::Change& c) { return board::reopen_review(c, id, "a doubt"); });
}
Result<board::Moved> complete(BoardFixture& f, const Actor& actor, const std::string& id) {
  return f.as(actor,
              [&](board::Change& c) { return board::complete(c, id, {.summary = "good"}, false); });
}
// A task whose worker has asked for a review and is gone.
std::string in_review(BoardFixture& f, std::vector<std::string> parents = {}) {
  const auto id = f.add("a", std::move(parents));
  const auto run = f.start(id);
  REQUIRE(request_review(f, f.worker(run), id));
  REQUIRE(f.exits(run, 0));
  return id;
}
std::vector<std::string> to_start(BoardFixture& f) {
  const auto view = f.read([&](db::Reader& tx) {
    return board::snapshot(
        tx, f.slug, f.now, f.limits,
        {{"shell", VerdictMode::by_exit_code}, {"judge", VerdictMode::by_exit_code}}, f.host, 16);
  });
  std::vector<std::string> found;
  for (const auto& candidate : view.candidates) {
    found.push_back(candidate.profile + " " + candidate.task_id);
  }
  return found;
}

}  // namespace

TEST_CASE("a worker hands its work to the reviewer, whose completion is the approval") {
  BoardFixture f;
  f.limits.reviewer = "judge";
  const auto child_of = f.add("before");
  const auto id = f.add("a");
  const auto child = f.add("child", {id});
  const auto run = f.start(id);
  const auto handed = request_review(f, f.worker(run), id);
  REQUIRE(handed);
  CHECK_FALSE(handed->stopping);
  CHECK(f.status(id) == Status::review);
  CHECK(f.task(id).lane == Lane::review);
  CHECK(f.task(id).assignee == "shell");
  CHECK(f.read([&](db::Reader& tx) { return board::find_run(tx, run.id)->outcome; }) ==
        Outcome::review);
  CHECK(f.comments(id) == std::vector<std::string>{"REVIEW REQUESTED: please look"});
  CHECK(to_start(f) == std::vector{"shell " + child_of});  // its first process is not gone yet
  f.exits(run, 0);
  CHECK(f.status(id) == Status::review);
  CHECK(to_start(f) == std::vector{"shell " + child_of, "judge " + id});
  const auto review = f.start(id);
  CHECK(f.task(id).lane == Lane::review);
  const auto text = f.read(
      [&](db::Reader& tx) { return board::context_text(tx, id, f.now, f.limits, "/a").value(); });
  CHECK(text.find("waits for a review") != std::string::npos);
  CHECK(text.find("please look") != std::string::npos);
  CHECK(f.status(child) == Status::todo);
  REQUIRE(complete(f, f.worker(review), id));
  CHECK(f.status(id) == Status::done);
  CHECK(f.status(child) == Status::ready);
  CHECK(f.kinds(id) == std::vector<std::string>{"created", "claimed", "spawned", "review_requested",
                                                "commented", "claimed", "spawned", "completed"});
}

TEST_CASE("without a reviewer a person reviews, never the worker itself, and why says so") {
  BoardFixture f;
  const auto id = in_review(f);
  CHECK(to_start(f).empty());
  CHECK(board::worker_profile(f.task(id), f.limits).empty());
  rules::FleetFacts facts;
  facts.in_review = true;
  facts.cap = 1;
  const auto holds = rules::fleet_holds("", facts, f.now);
  REQUIRE(holds.size() == 1);
  CHECK(holds[0].kind == rules::HoldKind::no_reviewer);
  CHECK(holds[0].text.find("person") != std::string::npos);
  REQUIRE(complete(f, f.person, id));
  CHECK(f.status(id) == Status::done);
}

TEST_CASE("a reviewer sends the work back, and the next worker is told why") {
  BoardFixture f;
  f.limits.reviewer = "judge";
  const auto id = in_review(f);
  const auto review = f.start(id);
  const auto back = request_changes(f, f.worker(review), id);
  REQUIRE(back);
  CHECK(f.task(id).lane == Lane::work);
  CHECK(f.status(id) == Status::ready);
  f.exits(review, 0);
  CHECK(to_start(f) == std::vector{"shell " + id});
  const auto text = f.read(
      [&](db::Reader& tx) { return board::context_text(tx, id, f.now, f.limits, "/a").value(); });
  CHECK(text.find("CHANGES REQUESTED: tests are missing") != std::string::npos);
  CHECK(text.find("waits for a review") == std::string::npos);
}

TEST_CASE("a person sends work back from review, and stops a reviewer that is at it") {
  BoardFixture f;
  const auto waiting = in_review(f);
  REQUIRE(request_changes(f, f.person, waiting));
  CHECK(f.status(waiting) == Status::ready);
  CHECK(f.task(waiting).lane == Lane::work);
  const auto judged = in_review(f);
  const auto run = f.start(judged);
  const auto moved = request_changes(f, f.person, judged);
  REQUIRE(moved);
  CHECK(moved->stopping);
  CHECK(f.status(judged) == Status::ready);
  CHECK(f.candidates() == std::vector{waiting});
  f.finish(run, {.kind = ExitKind::signaled, .code = 15});
  CHECK(f.status(judged) == Status::ready);
}

TEST_CASE("a review that fails is tried again as a review") {
  BoardFixture f;
  f.limits.reviewer = "judge";
  f.limits.failure_limit = 2;
  const auto id = in_review(f);
  f.exits(f.start(id), 1);
  CHECK(f.status(id) == Status::review);
  CHECK(f.task(id).failures == 1);
  f.pass(std::chrono::hours{1});
  f.exits(f.start(id), 1);
  CHECK(f.status(id) == Status::blocked);
  REQUIRE(f.change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
  CHECK(f.status(id) == Status::review);
  CHECK(f.task(id).assignee == "shell");
}

TEST_CASE("a task of nobody stays nobody's when the reviewer takes it") {
  BoardFixture f;
  const auto id = f.add("a", {}, "");
  const auto own = f.claim_outside(id);
  REQUIRE(request_review(f, f.person, id));
  f.start(id);
  CHECK(f.task(id).assignee.empty());
}

TEST_CASE("what is asked for in the wrong lane or state is refused and leaves nothing") {
  BoardFixture f;
  const auto ready = f.add("ready");
  const auto working = f.add("working");
  const auto worker = f.worker(f.start(working));
  const auto reviewing = in_review(f);
  const auto judge = f.worker(f.start(reviewing));
  const auto events = f.last_event();
  CHECK(request_review(f, f.person, ready).error().message ==
        "cannot request-review " + ready + ": it is ready");
  CHECK(request_changes(f, f.person, ready).error().message ==
        "cannot request-changes " + ready + ": it is ready");
  CHECK(request_changes(f, worker, working).error().message.find("lane work") != std::string::npos);
  CHECK(request_review(f, judge, reviewing).error().message.find("lane review") !=
        std::string::npos);
  CHECK(request_review(f, worker, reviewing).error().code == ErrorCode::forbidden);
  CHECK(request_changes(f, worker, reviewing).error().code == ErrorCode::forbidden);
  CHECK(reopen(f, ready).error().message == "cannot reopen-review " + ready + ": it is ready");
  CHECK(f.last_event() == events);
  CHECK(f.comments(ready).empty());
  CHECK(f.comments(working).empty());
}

TEST_CASE("a superseded worker asks for no review") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto old = f.start(id);
  f.finish(old, {.kind = ExitKind::host_restarted});
  f.start(id);
  const auto events = f.last_event();
  CHECK(request_review(f, f.worker(old), id).error().code == ErrorCode::not_yours);
  CHECK(request_changes(f, f.worker(old), id).error().code == ErrorCode::not_yours);
  CHECK(f.last_event() == events);
}

TEST_CASE("a reopened parent makes its children wait again, except what has been started on it") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto other = f.add("other");
  const auto ready = f.add("ready", {parent});
  const auto running = f.add("running", {parent});
  const auto done = f.add("done", {parent});
  const auto waits = f.add("waits", {parent, other});
  const auto asleep = f.add("asleep", {parent});
  f.exits(f.start(parent), 0);
  const auto run = f.start(running);
  f.exits(f.start(done), 0);
  REQUIRE(f.change([&](board::Change& c) { return board::schedule(c, asleep, {}, {}); }));
  const auto reopened = reopen(f, parent);
  REQUIRE(reopened);
  CHECK(f.status(parent) == Status::review);
  CHECK_FALSE(f.task(parent).completed_at);
  auto expected = std::vector{asleep, ready, waits};
  std::sort(expected.begin(), expected.end());
  CHECK(reopened->waiting_again == expected);
  CHECK(f.status(ready) == Status::todo);
  CHECK(f.kinds(ready).back() == "demoted");
  CHECK(f.status(running) == Status::running);
  CHECK(f.status(done) == Status::done);
  CHECK(f.status(asleep) == Status::scheduled);
  f.exits(f.start(other), 0);
  CHECK(f.status(waits) == Status::todo);  // its parent is in review
  REQUIRE(f.change([&](board::Change& c) { return board::unblock(c, asleep, {}, false); }));
  CHECK(f.status(asleep) == Status::todo);
  f.exits(run, 1);
  CHECK(f.status(running) == Status::ready);  // it goes on with what it was started with
  REQUIRE(complete(f, f.person, parent));
  CHECK(f.status(ready) == Status::ready);
  CHECK(f.status(waits) == Status::ready);
  CHECK(f.status(asleep) == Status::ready);
}

TEST_CASE("reopening is for people") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  REQUIRE(complete(f, f.worker(run), id));
  const auto events = f.last_event();
  CHECK_FALSE(
      f.as(f.worker(run), [&](board::Change& c) { return board::reopen_review(c, id, {}); }));
  CHECK(f.last_event() == events);
}
