#include <nlohmann/json.hpp>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

Result<Task> remove(BoardFixture& f, const std::string& id) {
  return f.change([&](board::Change& c) { return board::remove_task(c, id); });
}
void archive(BoardFixture& f, const std::string& id) {
  REQUIRE(f.change([&](board::Change& c) { return board::archive(c, id, false); }));
}
std::int64_t rows_of(BoardFixture& f, const std::string& id) {
  return f.read([&](db::Reader& tx) {
    auto row = tx.query(
        "SELECT (SELECT count(*) FROM tasks WHERE id = $1) + (SELECT count(*) FROM links WHERE "
        "parent_id = $1 OR child_id = $1) + (SELECT count(*) FROM comments WHERE task_id = $1) + "
        "(SELECT count(*) FROM runs WHERE task_id = $1) + (SELECT count(*) FROM events WHERE "
        "task_id = $1) + (SELECT count(*) FROM attachments WHERE task_id = $1) + (SELECT count(*) "
        "FROM notify_subs WHERE task_id = $1) + (SELECT count(*) FROM deliveries)",
        id);
    row.next();
    return row.integer(0);
  });
}

}  // namespace

TEST_CASE("deleting takes every row of an archived task along, one event names its id") {
  BoardFixture f;
  const auto parent = f.add("parent");
  f.exits(f.start(parent), 0);
  const auto id = f.add("a", {parent});
  const auto stays = f.add("stays");
  f.exits(f.start(id), 0);
  REQUIRE(f.change([&](board::Change& c) -> Result<int> {
    TRY(board::add_comment(c, id, "bob", "hello"));
    c.tx.execute(
        "INSERT INTO attachments (task_id, filename, stored_name, size, at) VALUES ($1, 'a', 'a', "
        "1, 1)",
        id);
    c.tx.execute(
        "INSERT INTO notify_subs (task_id, channel, address, cursor, created_at) VALUES ($1, 'c', "
        "'a', 0, 0)",
        id);
    return c.tx.execute(
        "INSERT INTO deliveries (sub_id, event_seq) SELECT s.id, max(e.seq) FROM notify_subs s, "
        "events e WHERE e.task_id = $1",
        id);
  }));
  archive(f, id);
  REQUIRE(rows_of(f, id) > 8);
  const auto events_of_other = f.kinds(stays);
  REQUIRE(remove(f, id));
  CHECK(rows_of(f, id) == 0);
  CHECK(f.kinds(stays) == events_of_other);
  const auto last = f.last_event();
  const auto page =
      f.read([&](db::Reader& tx) { return board::events_after(tx, last - 1, 10, {}); });
  REQUIRE(page.events.size() == 1);
  CHECK(page.events[0].event.kind == "deleted");
  CHECK_FALSE(page.events[0].event.task_id);
  CHECK(nlohmann::json::parse(*page.events[0].event.payload)["task_id"] == id);
  CHECK(remove(f, id).error().code == ErrorCode::not_found);
}

TEST_CASE("only archived tasks are deleted") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto events = f.last_event();
  CHECK(remove(f, id).error().message == "cannot delete " + id + ": it is ready");
  REQUIRE(f.change([&](board::Change& c) { return board::complete(c, id, {}, false); }));
  CHECK(remove(f, id).error().message == "cannot delete " + id + ": it is done");
  CHECK(f.last_event() == events + 1);
}

TEST_CASE("a task that a child still waits for is not deleted, and the child is named") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto child = f.add("child", {parent});
  archive(f, parent);
  const auto events = f.last_event();
  const auto refused = remove(f, parent);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find(child + " (todo)") != std::string::npos);
  CHECK(f.last_event() == events);
  archive(f, child);  // nobody waits any more
  REQUIRE(remove(f, parent));
  CHECK(f.status(child) == Status::archived);
}

TEST_CASE("a task whose process is not gone is not deleted") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto run = f.start(id);
  REQUIRE(f.as(f.worker(run), [&](board::Change& c) { return board::complete(c, id, {}, false); }));
  archive(f, id);
  CHECK(remove(f, id).error().message.find("has not gone yet") != std::string::npos);
  f.exits(run, 0);
  CHECK(remove(f, id));
}

TEST_CASE("a worker deletes nothing") {
  BoardFixture f;
  const auto own = f.add("own");
  const auto id = f.add("a");
  archive(f, id);
  const auto run = f.start(own);
  CHECK(f.as(f.worker(run), [&](board::Change& c) { return board::remove_task(c, id); })
            .error()
            .code == ErrorCode::forbidden);
  CHECK(f.status(id) == Status::archived);
}

TEST_CASE("runs are deleted without looking at every task") {
  BoardFixture f;
  f.read([](db::Reader& tx) {
    // What SQLite asks for each deleted run (the foreign key of current_run_id), and for each
    // pruned event.
    for (const std::string sql : {"SELECT rowid FROM tasks WHERE current_run_id = $1",
                                  "SELECT rowid FROM deliveries WHERE event_seq = $1"}) {
      auto row = tx.query("EXPLAIN QUERY PLAN " + sql, std::int64_t{1});
      REQUIRE(row.next());
      INFO(row.text(3));
      CHECK(row.text(3).find("SEARCH") == 0);
    }
    return 0;
  });
}
