// Numbers that grow over years, and moves in an order that nobody planned.
#include <sqlite3.h>
#include <algorithm>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

Result<std::string> create(board::Change& c, std::vector<std::string> parents = {}) {
  TRY_ASSIGN(auto created,
             board::create(c, {.title = "a", .assignee = "shell", .parents = std::move(parents)}));
  return created.task.id;
}

std::vector<std::string> many(BoardFixture& f, int number, std::vector<std::string> parents = {}) {
  std::vector<std::string> ids;
  REQUIRE(f.change([&](board::Change& c) -> Result<int> {
    for (int i = 0; i < number; ++i) {
      TRY_ASSIGN(auto id, create(c, parents));
      ids.push_back(std::move(id));
    }
    return number;
  }));
  return ids;
}

// Runs them to their end, all in one transaction.
void finish_all(BoardFixture& f, const std::vector<std::string>& ids) {
  REQUIRE(f.change([&](board::Change& c) -> Result<int> {
    for (const std::string& id : ids) {
      TRY(board::complete(c, id, {}, false));
    }
    return 0;
  }));
}

std::int64_t count(BoardFixture& f, Status status) {
  return f.read([&](db::Reader& tx) {
    return static_cast<std::int64_t>(board::list_tasks(tx, {.status = status})->size());
  });
}

}  // namespace

TEST_CASE("adding a task costs the same at 20,000 tasks as at 100") {
  // Every connection that is opened from here on counts the steps of its statements.
  static std::int64_t steps = 0;
  const auto count_steps = [](sqlite3* handle, char**, const void*) -> int {
    sqlite3_progress_handler(
        handle, 1, [](void*) { return static_cast<int>(++steps < 0); }, nullptr);
    return SQLITE_OK;
  };
  const auto extension = reinterpret_cast<void (*)()>(+count_steps);
  REQUIRE(sqlite3_auto_extension(extension) == SQLITE_OK);
  BoardFixture f(hermes::test::TempDir::Storage::memory);
  sqlite3_cancel_auto_extension(extension);
  const auto fill = [&](int number) {
    REQUIRE(f.database->write([&](db::Writer& tx) -> Result<int> {
      board::Change c{tx, f.now, f.person, f.slug, f.limits, f.random};
      for (int i = 0; i < number; ++i) {
        TRY(create(c));
      }
      return number;
    }));
  };
  // One alone, with a key against duplicates and a parent.
  const auto steps_of_one = [&](const std::string& key) {
    const std::string parent = f.add("parent");
    const std::int64_t before = steps;
    REQUIRE(f.database->write([&](db::Writer& tx) -> Result<int> {
      board::Change c{tx, f.now, f.person, f.slug, f.limits, f.random};
      TRY(board::create(
          c, {.title = "one", .assignee = "shell", .parents = {parent}, .idempotency_key = key}));
      return 1;
    }));
    return steps - before;
  };
  fill(100);
  const std::int64_t small = steps_of_one("small");
  CHECK(small > 100);
  fill(19'900);
  CHECK(steps_of_one("large") <= small + small / 10);
}

TEST_CASE("500 children start when their parent is done, and not before") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto children = many(f, 500, {parent});
  CHECK(count(f, Status::todo) == 500);
  finish_all(f, {parent});
  CHECK(count(f, Status::ready) == 500);
  // Each was told of it once.
  CHECK(std::ranges::count(f.kinds(children.back()), "promoted") == 1);
}

TEST_CASE("a child of 500 parents starts with the last of them, and not before") {
  BoardFixture f;
  auto parents = many(f, 500);
  const auto child = f.add("child", parents);
  const auto last = parents.back();
  parents.pop_back();
  finish_all(f, parents);
  CHECK(f.status(child) == Status::todo);
  CHECK(f.read([&](db::Reader& tx) { return board::open_parents(tx, child).size(); }) == 1);
  finish_all(f, {last});
  CHECK(f.status(child) == Status::ready);
  const auto text = f.read([&](db::Reader& tx) {
    return board::context_text(tx, child, f.now, f.limits, "/a").value();
  });
  CHECK(text.size() < 256 * 1024);  // what a worker reads stays readable
}

TEST_CASE("a task with 1000 attempts and 1000 comments is moved and told like any other") {
  BoardFixture f;
  f.limits.failure_limit = 1000;
  const auto id = f.add("a");
  REQUIRE(f.change([&](board::Change& c) -> Result<int> {
    for (int i = 0; i < 1000; ++i) {
      TRY(board::add_comment(c, id, "bob", "comment " + std::to_string(i)));
      TRY_ASSIGN(
          const Run run,
          board::claim(c, id,
                       {HolderKind::external, "bob", f.host, "h", f.limits.claim_ttl, {}, {}}));
      TRY(board::reclaim(c, id, std::nullopt));
      CHECK(run.attempt == i + 1);
    }
    return 0;
  }));
  CHECK(f.read([&](db::Reader& tx) { return board::runs_of(tx, id).size(); }) == 1000);
  const auto comments = f.read([&](db::Reader& tx) { return board::comments_of(tx, id); });
  REQUIRE(comments.size() == 1000);
  CHECK(comments.front().body == "comment 0");
  CHECK(comments.back().body == "comment 999");  // of one instant, and still in their order
  const auto text = f.read(
      [&](db::Reader& tx) { return board::context_text(tx, id, f.now, f.limits, "/a").value(); });
  CHECK(text.size() < 256 * 1024);
  CHECK(text.find("comment 999") != std::string::npos);
  f.exits(f.start(id), 0);
  CHECK(f.status(id) == Status::done);
}

TEST_CASE("whatever a person does to a parent short of completing it, its children wait") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto child = f.add("child", {parent});
  const auto moved = [&](auto move) { CHECK(f.change(move)); };
  moved([&](board::Change& c) { return board::block(c, parent, std::nullopt, "wait"); });
  CHECK(f.status(child) == Status::todo);
  moved([&](board::Change& c) { return board::unblock(c, parent, std::nullopt, false); });
  CHECK(f.status(child) == Status::todo);
  f.claim_outside(parent);
  moved([&](board::Change& c) { return board::reclaim(c, parent, std::nullopt); });
  CHECK(f.status(child) == Status::todo);
  moved([&](board::Change& c) { return board::block(c, parent, std::nullopt, "wait"); });
  moved([&](board::Change& c) { return board::promote(c, parent, std::nullopt, false); });
  CHECK(f.status(child) == Status::todo);
  f.limits.failure_limit = 1;
  f.exits(f.start(parent), 1);
  CHECK(f.status(parent) == Status::blocked);
  CHECK(f.status(child) == Status::todo);
  CHECK_FALSE(f.change([&](board::Change& c) { return board::promote(c, child, "now", false); }));
  CHECK(f.status(child) == Status::todo);
}

TEST_CASE("what the breaker has blocked stays blocked when its parents are done") {
  BoardFixture f;
  f.limits.failure_limit = 1;
  const auto id = f.add("a");
  f.exits(f.start(id), 1);
  REQUIRE(f.status(id) == Status::blocked);
  const auto failures = f.task(id).failures;
  const auto parent = f.add("parent");
  REQUIRE(
      f.change([&](board::Change& c) { return board::link(c, parent, id, LinkCondition::done); }));
  finish_all(f, {parent});
  CHECK(f.status(id) == Status::blocked);
  CHECK(f.task(id).failures == failures);
  CHECK(f.candidates().empty());
}

TEST_CASE("100 rate limits in a row are no failure, and a failure after them is the first") {
  BoardFixture f;
  f.limits.failure_limit = 2;
  const auto id = f.add("a");
  for (int i = 0; i < 100; ++i) {
    f.exits(f.start(id), 75);
    REQUIRE(f.status(id) == Status::ready);
    f.pass(std::chrono::hours{1});
  }
  CHECK(f.task(id).failures == 0);
  f.exits(f.start(id), 1);
  CHECK(f.task(id).failures == 1);
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE("neither waiting nor heartbeats nor looking write events") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto held = f.add("held");
  f.exits(f.start(held), 1);
  f.claim_outside(id);
  const auto before = f.last_event();
  for (int i = 0; i < 40; ++i) {
    CHECK(f.change([&](board::Change& c) { return board::heartbeat(c, id, "at work"); }));
    CHECK(f.candidates().empty());
    f.pass(Millis{1});
  }
  CHECK(f.last_event() == before);
}

TEST_CASE("a worker that looked at a reclaimed task cannot end the attempt that came after it") {
  BoardFixture f;
  const auto id = f.add("a");
  const Run old = f.start(id);
  REQUIRE(f.change([&](board::Change& c) { return board::reclaim(c, id, std::nullopt); }));
  REQUIRE(f.finish(old, {.kind = ExitKind::signaled, .code = 15}));
  const Run fresh = f.start(id);
  // Everything that the first attempt, or whoever watched it, may still have up its sleeve.
  CHECK_FALSE(f.as(f.worker(old), [&](board::Change& c) {
    return board::complete(c, id, {.summary = "done"}, false);
  }));
  CHECK_FALSE(f.as(f.worker(old), [&](board::Change& c) {
    return board::block(c, id, BlockKind::needs_input, "help");
  }));
  CHECK_FALSE(
      f.as(f.worker(old), [&](board::Change& c) { return board::heartbeat(c, id, "alive"); }));
  CHECK(f.change([&](board::Change& c) -> Result<bool> {
    return board::record_shim(c, old, 1, 2);
  }) == false);
  CHECK_FALSE(f.finish(old, {.kind = ExitKind::exited, .code = 0}));
  CHECK(f.task(id).current_run_id == fresh.id);
  CHECK(f.status(id) == Status::running);
}

TEST_CASE("an id that is taken already is drawn again") {
  BoardFixture f;
  f.random = SeededRandom{7};
  const auto first = f.add("a");
  f.random = SeededRandom{7};  // the same numbers once more
  const auto second = f.add("b");
  CHECK(first != second);
  CHECK(f.task(first).title == "a");
  CHECK(f.task(second).title == "b");
}

TEST_CASE("the tables themselves refuse what no caller may store") {
  BoardFixture f;
  const auto id = f.add("a");
  const std::vector<std::string> forbidden{
      "UPDATE tasks SET created_at = '%s'",
      "UPDATE tasks SET status = 'doing'",
      "UPDATE tasks SET status = 'running'",
      "UPDATE tasks SET status = 'blocked', ready_since = NULL, eligible_at = NULL",
      "UPDATE tasks SET failures = -1",
      "UPDATE tasks SET max_runtime_ms = 0",
      "UPDATE tasks SET id = 't_1'",
      "INSERT INTO links (parent_id, child_id) SELECT id, id FROM tasks",
      "INSERT INTO links (parent_id, child_id) SELECT id, 't_ffffffff' FROM tasks",
      "INSERT INTO comments (task_id, author, body, at) VALUES ('t_ffffffff', 'a', 'b', 0)",
      "INSERT INTO comments (task_id, author, body, at) SELECT id, 'a', '', 0 FROM tasks",
      ("INSERT INTO runs (task_id, attempt, token, holder_kind, host, boot, started_at, gone_at) "
       "SELECT id, 1, 't', 'shim', 'h', 'b', 0, 1 FROM tasks")};
  for (const std::string& sql : forbidden) {
    CAPTURE(sql);
    CHECK_FALSE(f.change([&](board::Change& c) -> Result<int> { return c.tx.execute(sql); }));
  }
  CHECK(f.status(id) == Status::ready);
}
