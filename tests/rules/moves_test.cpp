#include <catch2/catch.hpp>

#include <algorithm>

#include "kernel/rules/moves.hpp"
#include "rules/every.hpp"

using namespace hermes;
using namespace hermes::rules;
using hermes::test::every;

namespace {

struct Row {
  Move move;
  std::string word;
  std::vector<Status> from;
  std::string legal;  // as the refusal says it
};

const std::vector<Row>& table() {
  using enum Status;
  static const std::vector<Row> k_rows{
      {Move::claim, "claim", {ready, review}, "ready, review"},
      {Move::heartbeat, "heartbeat", {running}, "running"},
      {Move::complete,
       "complete",
       {running, ready, blocked, review},
       "running, ready, blocked, review"},
      {Move::block, "block", {running, ready, todo, review}, "running, ready, todo, review"},
      {Move::unblock, "unblock", {blocked, scheduled}, "blocked, scheduled"},
      {Move::promote,
       "promote",
       {triage, todo, ready, blocked, review},
       "triage, todo, ready, blocked, review"},
      {Move::specify, "specify", {triage}, "triage"},
      {Move::decompose, "decompose", {triage}, "triage"},
      {Move::schedule,
       "schedule",
       {todo, ready, running, blocked, scheduled},
       "todo, ready, running, blocked, scheduled"},
      {Move::wake, "wake", {scheduled}, "scheduled"},
      {Move::request_review, "request-review", {running}, "running"},
      {Move::request_changes, "request-changes", {review, running}, "review, running"},
      {Move::reopen_review, "reopen-review", {done}, "done"},
      {Move::reclaim, "reclaim", {running}, "running"},
      {Move::edit,
       "edit",
       {triage, todo, scheduled, ready, running, blocked, review, done, archived},
       "triage, todo, scheduled, ready, running, blocked, review, done, archived"},
      {Move::archive,
       "archive",
       {triage, todo, scheduled, ready, running, blocked, review, done},
       "triage, todo, scheduled, ready, running, blocked, review, done"},
      {Move::remove, "delete", {archived}, "archived"},
  };
  return k_rows;
}

bool legal(const Row& row, Status from) {
  return std::find(row.from.begin(), row.from.end(), from) != row.from.end();
}

Actor worker_on(const std::string& board, const std::string& task_id) {
  return {"shell", WorkerIdentity{board, task_id, 7, "00112233445566778899aabbccddeeff"}};
}

}  // namespace

TEST_CASE("every move works from the statuses of the table and from no other") {
  REQUIRE(every<Status>().size() == 9);
  for (const Row& row : table()) {
    for (const Status from : every<Status>()) {
      INFO(row.word << " from " << to_word(from));
      CHECK(may_move(row.move, from) == legal(row, from));
    }
  }
}

TEST_CASE("a refused move names the task, its status and the statuses it works from") {
  for (const Row& row : table()) {
    for (const Status from : every<Status>()) {
      if (legal(row, from)) {
        continue;
      }
      INFO(row.word << " from " << to_word(from));
      const Error refusal = refuse_move(row.move, "t_0000beef", from);
      CHECK(refusal.code == ErrorCode::conflict);
      CHECK(refusal.message ==
            "cannot " + row.word + " t_0000beef: it is " + std::string(to_word(from)));
      CHECK(refusal.hint ==
            row.word + " works from " + row.legal + "; see `hermes kanban show t_0000beef`");
    }
  }
}

TEST_CASE("only what waits is promoted, and only blocked and scheduled tasks are unblocked") {
  for (const Status from : every<Status>()) {
    INFO(to_word(from));
    const bool back_to_the_queue = may_move(Move::promote, from) || may_move(Move::unblock, from);
    CHECK(back_to_the_queue ==
          (from != Status::running && from != Status::done && from != Status::archived));
  }
}

TEST_CASE(
    "nothing leads out of archived but its deletion, and a done task is archived or reviewed "
    "again") {
  for (const Row& row : table()) {
    INFO(row.word);
    if (row.move == Move::edit) {  // it leads nowhere
      continue;
    }
    CHECK(may_move(row.move, Status::archived) == (row.move == Move::remove));
    CHECK(may_move(row.move, Status::done) ==
          (row.move == Move::archive || row.move == Move::reopen_review));
  }
}

TEST_CASE("every move has its row in the table") {
  CHECK(table().size() == static_cast<std::size_t>(Move::remove) + 1);
}

TEST_CASE(
    "back to the queue means todo under an open link, else review in lane review, else ready") {
  CHECK(requeue_target(Lane::work, false) == Status::ready);
  CHECK(requeue_target(Lane::review, false) == Status::review);
  CHECK(requeue_target(Lane::work, true) == Status::todo);
  CHECK(requeue_target(Lane::review, true) == Status::todo);
}

TEST_CASE("a person may change every task, a worker only its own") {
  CHECK(may_change({"alice", std::nullopt}, "main", "t_00000001"));
  CHECK(may_change(worker_on("main", "t_00000001"), "main", "t_00000001"));
  const auto other = may_change(worker_on("main", "t_00000001"), "main", "t_00000002");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::forbidden);
  CHECK(other.error().message ==
        "a worker may change only its own task (t_00000001 on board main), not t_00000002 on board "
        "main");
  CHECK(other.error().hint.find("create, link and comment anywhere") != std::string::npos);
}

TEST_CASE("whatever a worker says that it is can be shown") {
  const auto other =
      may_change(worker_on("\x1b[31m", std::string(100'000, 'x')), "main", "t_00000002");
  REQUIRE_FALSE(other);
  CHECK(other.error().message.size() < 1000);
  CHECK(other.error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("the same id on another board is not the worker's own task") {
  const auto other = may_change(worker_on("main", "t_00000001"), "spare", "t_00000001");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::forbidden);
  CHECK(other.error().message ==
        "a worker may change only its own task (t_00000001 on board main), not t_00000001 on board "
        "spare");
}
