#include <algorithm>
#include <nlohmann/json.hpp>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

board::SwarmRequest request() {
  board::SwarmRequest wanted;
  wanted.goal = "Write the report\nwith figures";
  wanted.workers = {{"shell", "count: the files", {"counting"}}, {"shell", "draw", {}}};
  wanted.verifier = "judge";
  wanted.synthesizer = "writer";
  wanted.created_by = "Alice";
  wanted.idempotency_key = "report";
  return wanted;
}
Result<board::Swarm> make(BoardFixture& f, const board::SwarmRequest& wanted) {
  return f.change([&](board::Change& c) { return board::create_swarm(c, wanted); });
}
std::size_t tasks(BoardFixture& f) {
  return f.read([](db::Reader& tx) { return board::list_tasks(tx, {.archived = true})->size(); });
}

}  // namespace

TEST_CASE("a swarm is a done root, ready workers, a verifier and a synthesizer that wait") {
  BoardFixture f;
  const auto made = make(f, request());
  REQUIRE(made);
  CHECK(f.status(made->root_id) == Status::done);
  CHECK(f.task(made->root_id).assignee == "alice");
  REQUIRE(made->worker_ids.size() == 2);
  const Task first = f.task(made->worker_ids[0]);
  CHECK(first.status == Status::ready);
  CHECK(first.title == "count: the files");
  CHECK(first.skills == "[\"counting\"]");
  CHECK(first.body->find(made->root_id) != std::string::npos);
  CHECK(first.body->find("with figures") != std::string::npos);
  CHECK(f.status(made->verifier_id) == Status::todo);
  CHECK(f.task(made->verifier_id).title == "Verify: Write the report");
  CHECK(f.task(made->verifier_id).skills == "[]");
  CHECK(f.status(made->synthesizer_id) == Status::todo);
  CHECK(f.candidates().size() == 2);
  f.exits(f.start(made->worker_ids[0]), 0);
  CHECK(f.status(made->verifier_id) == Status::todo);
  f.exits(f.start(made->worker_ids[1]), 0);
  CHECK(f.status(made->verifier_id) == Status::ready);
  f.exits(f.start(made->verifier_id), 0);
  CHECK(f.status(made->synthesizer_id) == Status::ready);
}

TEST_CASE("the same key answers the same swarm, whatever was written on its blackboard") {
  BoardFixture f;
  const auto made = make(f, request());
  REQUIRE(made);
  CHECK_FALSE(made->existing);
  REQUIRE(f.change([&](board::Change& c) {
    return board::add_comment(c, made->root_id, "bob",
                              std::string(board::k_blackboard) + "{\"topology\": {}}");
  }));
  const auto events = f.last_event();
  auto again = request();
  again.workers.pop_back();
  const auto found = make(f, again);
  REQUIRE(found);
  CHECK(found->existing);
  CHECK(found->root_id == made->root_id);
  CHECK(found->worker_ids == made->worker_ids);
  CHECK(found->verifier_id == made->verifier_id);
  CHECK(found->synthesizer_id == made->synthesizer_id);
  CHECK(f.last_event() == events);
}

TEST_CASE("a swarm is made as a whole or not at all") {
  BoardFixture f;
  const auto expect = [&](const board::SwarmRequest& wanted, ErrorCode code) {
    const auto events = f.last_event();
    const auto refused = make(f, wanted);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == code);
    CHECK(f.last_event() == events);
    CHECK(tasks(f) == 0);
  };
  auto wanted = request();
  wanted.workers.clear();
  expect(wanted, ErrorCode::usage);
  wanted = request();
  wanted.goal = " ";
  expect(wanted, ErrorCode::invalid);
  wanted = request();
  wanted.verifier = "";
  expect(wanted, ErrorCode::invalid);
  wanted = request();
  wanted.workers[1].title = " ";
  expect(wanted, ErrorCode::invalid);
  wanted = request();  // found out when the rest of it stands already
  wanted.workers[1].title = std::string(5000, 'x');
  expect(wanted, ErrorCode::invalid);
  wanted = request();
  wanted.workers[1].skills = {"a,b"};
  expect(wanted, ErrorCode::invalid);
}

TEST_CASE("a key that belongs to a plain task makes no swarm") {
  BoardFixture f;
  REQUIRE(f.change([&](board::Change& c) {
    return board::create(c, {.title = "plain", .idempotency_key = "report"});
  }));
  const auto refused = make(f, request());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(tasks(f) == 1);
}

TEST_CASE("a worker may make a swarm, as it may create any task") {
  BoardFixture f;
  const auto run = f.start(f.add("own"));
  CHECK(f.as(f.worker(run), [&](board::Change& c) { return board::create_swarm(c, request()); }));
}

TEST_CASE("a comment that only looks like a blackboard makes no swarm of a task") {
  for (const std::string text :
       {R"({"topology":1})", R"({"topology":{}})", R"({"topology":{"worker_ids":[1]}})", "[]", "1",
        R"({"topology":{"worker_ids":["x"],"verifier_id":2,"synthesizer_id":"y"}})", "{"}) {
    CAPTURE(text);
    BoardFixture f;
    const auto id = f.change([&](board::Change& c) {
                       return board::create(c, {.title = "plain", .idempotency_key = "report"});
                     })->task.id;
    REQUIRE(f.change([&](board::Change& c) {
      return board::add_comment(c, id, "shell", std::string(board::k_blackboard) + text);
    }));
    const auto refused = make(f, request());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::conflict);
  }
}

TEST_CASE("what a swarm is asked with is checked before its key, and its goal is told again") {
  BoardFixture f;
  REQUIRE(make(f, request()));
  auto other = request();
  other.goal = "Another one";
  const auto again = make(f, other);
  REQUIRE(again);
  CHECK(again->existing);
  CHECK(again->goal == "Write the report\nwith figures");
  other.workers[0].title = std::string(5000, 'x');
  CHECK(make(f, other).error().code == ErrorCode::invalid);
  other = request();
  other.idempotency_key = " ";
  CHECK(make(f, other).error().code == ErrorCode::usage);
}
