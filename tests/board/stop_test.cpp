// What becomes of a run that is told to stop twice, or that speaks after it was told to.
#include "board/board_fixture.hpp"
#include "kernel/board/assign.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

const ExitFacts k_killed{.kind = ExitKind::signaled, .code = 15};

auto reclaim(BoardFixture& f, const std::string& id) {
  return f.change([&](board::Change& c) { return board::reclaim(c, id, "wrong branch"); });
}
auto reassign(BoardFixture& f, const std::string& id) {
  return f.change([&](board::Change& c) {
    return board::assign(c, id, {.assignee = "other", .reclaim = true});
  });
}
auto archive(BoardFixture& f, const std::string& id) {
  return f.change([&](board::Change& c) { return board::archive(c, id, true); });
}
Run run_of(BoardFixture& f, const Run& run) {
  return f.read([&](db::Reader& tx) { return *board::find_run(tx, run.id); });
}
std::string last_payload(BoardFixture& f, const std::string& id) {
  return f.read([&](db::Reader& tx) { return board::events_of(tx, id); })
      .back()
      .payload.value_or("");
}

}  // namespace

TEST_CASE("a task that is archived after a reclaim or a reassignment is archived") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  SECTION("reclaim") { REQUIRE(reclaim(f, id)); }
  SECTION("reassign") { REQUIRE(reassign(f, id)); }
  REQUIRE(archive(f, id));
  CHECK(run_of(f, run).stop_kind == StopKind::archive);
  CHECK(f.kinds(id).back() == "stopping");
  const auto events = f.last_event();
  REQUIRE(archive(f, id));  // said again
  CHECK(f.last_event() == events);
  f.finish(run, k_killed);
  CHECK(f.status(id) == Status::archived);
  CHECK(last_payload(f, id).find("\"by\":\"alice\"") != std::string::npos);
  CHECK(f.candidates().empty());
}

TEST_CASE("the reason of a second stop is kept, also where the first one stands") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  REQUIRE(reassign(f, id));
  REQUIRE(reclaim(f, id));
  CHECK(run_of(f, run).stop_kind == StopKind::reassign);
  CHECK(f.kinds(id).back() == "stopping");
  CHECK(last_payload(f, id).find("wrong branch") != std::string::npos);
}

TEST_CASE("what would undo an archiving is refused and changes nothing") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  REQUIRE(archive(f, id));
  const auto events = f.last_event();
  const auto is_refused = [&](const auto& result) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::conflict);
    CHECK(result.error().message.find("alice (archive)") != std::string::npos);
  };
  is_refused(reclaim(f, id));
  is_refused(reassign(f, id));
  is_refused(
      f.change([&](board::Change& c) { return board::block(c, id, std::nullopt, std::nullopt); }));
  is_refused(f.change([&](board::Change& c) {
    return board::schedule(c, id, f.now + Millis{1000}, std::nullopt);
  }));
  is_refused(f.change([&](board::Change& c) { return board::complete(c, id, {}, true); }));
  CHECK(f.last_event() == events);
  CHECK(f.task(id).assignee == "shell");
  f.finish(run, k_killed);
  CHECK(f.status(id) == Status::archived);
}

TEST_CASE("a person who reclaims a stale run is the one who has stopped it") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  REQUIRE(f.as({"dispatcher", std::nullopt}, [&](board::Change& c) {
    return board::intend_stop(c, run, StopKind::stale, "no heartbeat");
  }));
  REQUIRE(reclaim(f, id));
  CHECK(last_payload(f, id).find("\"instead_of\":\"stale\"") != std::string::npos);
  f.finish(run, k_killed);
  CHECK(f.task(id).failures == 0);
  CHECK(f.status(id) == Status::ready);
  CHECK(run_of(f, run).error == "reclaimed by alice: wrong branch");
}

TEST_CASE("a task that is to be archived is, also when its worker still gives a verdict") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto child = f.add("child", {id});
  const auto run = f.start(id);
  const auto worker = f.worker(run);
  REQUIRE(archive(f, id));
  SECTION("blocked") {
    REQUIRE(f.as(worker, [&](board::Change& c) {
      return board::block(c, id, BlockKind::needs_input, "killed");
    }));
    f.finish(run, k_killed);
    CHECK(f.status(child) == Status::todo);
  }
  SECTION("done, which its children may use") {
    REQUIRE(f.as(worker, [&](board::Change& c) { return board::complete(c, id, {}, false); }));
    CHECK(f.status(id) == Status::done);
    f.finish(run, k_killed);
    CHECK(f.status(child) == Status::ready);
  }
  SECTION("handed to review") {
    REQUIRE(
        f.as(worker, [&](board::Change& c) { return board::request_review(c, id, std::nullopt); }));
    f.finish(run, k_killed);
  }
  SECTION("archived by a person meanwhile") {
    REQUIRE(f.as(worker, [&](board::Change& c) { return board::complete(c, id, {}, false); }));
    REQUIRE(archive(f, id));
    f.finish(run, k_killed);
  }
  CHECK(f.status(id) == Status::archived);
  CHECK(run_of(f, run).gone_at);
}
