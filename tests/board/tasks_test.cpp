#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;

namespace {

Result<board::Created> create(BoardFixture& f, const board::NewTask& request) {
  return f.change([&](board::Change& c) { return board::create(c, request); });
}

}  // namespace

TEST_CASE("a new task is ready, todo under an open parent, blocked or in triage when asked") {
  BoardFixture f;
  const auto parent = f.add("parent");
  CHECK(f.status(parent) == Status::ready);
  CHECK(f.status(f.add("child", {parent})) == Status::todo);
  const auto blocked = create(f, {.title = "b", .blocked = true});
  REQUIRE(blocked);
  CHECK(blocked->task.status == Status::blocked);
  CHECK(blocked->task.block_source == BlockSource::human);
  CHECK(create(f, {.title = "t", .triage = true})->task.status == Status::triage);
}

TEST_CASE("a task created blocked stays blocked until a person releases it") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto id = create(f, {.title = "b", .parents = {parent}, .blocked = true})->task.id;
  f.exits(f.start(parent), 0);
  CHECK(f.status(id) == Status::blocked);
  CHECK(f.change([&](board::Change& c) { return board::unblock(c, id, std::nullopt, false); }));
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE("what create refuses leaves nothing behind") {
  BoardFixture f;
  const auto events = f.last_event();
  const auto refused = [&](const board::NewTask& request, std::string_view expected) {
    const auto result = create(f, request);
    REQUIRE_FALSE(result);
    INFO(result.error().message);
    CHECK(result.error().message.find(expected) != std::string::npos);
  };
  refused({.title = "  "}, "needs a title");
  refused({.title = "x", .parents = {"t_00000001", "t_00000002"}}, "t_00000001, t_00000002");
  refused({.title = "x", .assignee = " ", .assignee_given = true}, "blank");
  refused({.title = "x", .skills = {"a,b"}}, "comma");
  refused({.title = std::string("bad \xff")}, "UTF-8");
  refused({.title = std::string(2000, 'x')}, "limit");
  refused({.title = "x", .body = std::string(k_body_bytes + 1, 'x')}, "limit");
  CHECK(f.last_event() == events);
}

TEST_CASE("a megabyte of body is kept as it is") {
  BoardFixture f;
  const std::string body(k_body_bytes, 'y');
  CHECK(f.task(create(f, {.title = "big", .body = body})->task.id).body == body);
}

TEST_CASE(
    "a live idempotency key returns its task, an archived one does not, and validation comes "
    "first") {
  BoardFixture f;
  const auto first = create(f, {.title = "one", .idempotency_key = "k"});
  REQUIRE(first);
  const auto again = create(f, {.title = "two", .idempotency_key = "k"});
  REQUIRE(again);
  CHECK(again->existing);
  CHECK(again->task.id == first->task.id);
  CHECK_FALSE(create(f, {.title = "", .idempotency_key = "k"}));
  CHECK(f.change([&](board::Change& c) { return board::archive(c, first->task.id, false); }));
  CHECK_FALSE(create(f, {.title = "three", .idempotency_key = "k"})->existing);
}

TEST_CASE("an id may be shortened as long as it is unique") {
  BoardFixture f;
  const auto id = f.add("one");
  const auto resolve = [&](const std::string& text) {
    return f.database->read([&](db::Reader& tx) { return board::resolve_id(tx, text); });
  };
  CHECK(resolve(id) == id);
  CHECK(resolve(id.substr(0, 9)) == id);
  CHECK(resolve(id.substr(2, 6)) == id);
  CHECK_FALSE(resolve("t_" + std::string("zz")));
  CHECK_FALSE(resolve("../../etc/passwd"));
  f.add("two");
  const auto both = resolve("t_");
  REQUIRE_FALSE(both);
  CHECK(both.error().message.find(id) != std::string::npos);
}

TEST_CASE("the list is filtered, ordered and limited") {
  BoardFixture f;
  const auto low = f.add("low");
  f.pass(Millis{10});
  const auto high =
      create(f, {.title = "high", .assignee = "other", .tenant = "acme", .priority = 5})->task.id;
  const auto list = [&](const board::ListFilter& filter) {
    std::vector<std::string> ids;
    for (const Task& task :
         f.read([&](db::Reader& tx) { return board::list_tasks(tx, filter).value(); })) {
      ids.push_back(task.id);
    }
    return ids;
  };
  using Ids = std::vector<std::string>;
  CHECK(list({}) == Ids{high, low});
  CHECK(list({.sort = board::Sort::created}) == Ids{low, high});
  CHECK(list({.sort = board::Sort::priority_asc}) == Ids{low, high});
  CHECK(list({.assignee = "other"}) == Ids{high});
  CHECK(list({.tenant = "acme"}) == Ids{high});
  CHECK(list({.status = Status::done}).empty());
  CHECK(list({.limit = 1}) == Ids{high});
  CHECK(f.change([&](board::Change& c) { return board::archive(c, low, false); }));
  CHECK(list({}) == Ids{high});
  CHECK(list({.archived = true}).size() == 2);
  CHECK(list({.status = Status::archived}) == Ids{low});
}

TEST_CASE("statistics come from the counts and follow every move") {
  BoardFixture f;
  const auto a = f.add("a");
  f.add("b", {a});
  f.start(a);
  const auto stats = f.read([](db::Reader& tx) { return board::stats(tx); });
  CHECK(stats.by_status == std::map<Status, std::int64_t>{{Status::running, 1}, {Status::todo, 1}});
  CHECK(stats.by_assignee.at("shell").size() == 2);
  CHECK_FALSE(stats.oldest_ready_since);
}

TEST_CASE("the queries of claim, list and statistics use their indexes") {
  BoardFixture f;
  f.add("a");
  const auto plan_of = [&](const std::string& sql) {
    return f.read([&](db::Reader& tx) {
      std::string plan;
      auto row = tx.query("EXPLAIN QUERY PLAN " + sql);
      while (row.next()) {
        plan += row.text(3) + "; ";
      }
      return plan;
    });
  };
  CHECK(plan_of("SELECT t.id FROM tasks t WHERE t.status = $1 AND t.status IN ('ready', 'review') "
                "AND t.assignee = $2"
                " AND t.tenant = $3 AND t.eligible_at <= $4 ORDER BY t.priority DESC, "
                "t.eligible_at, t.id LIMIT $5")
            .find("tasks_claim") != std::string::npos);
  CHECK(plan_of("SELECT t.id FROM tasks t WHERE t.status <> 'archived' ORDER BY t.priority DESC, "
                "t.created_at, t.id LIMIT 5")
            .find("tasks_order") != std::string::npos);
  CHECK(plan_of("SELECT ready_since FROM tasks WHERE status = 'ready' AND ready_since IS NOT NULL "
                "ORDER BY ready_since LIMIT 1")
            .find("tasks_ready_since") != std::string::npos);
  CHECK(plan_of("SELECT eligible_at FROM tasks WHERE eligible_at > 1 ORDER BY eligible_at LIMIT 1")
            .find("tasks_eligible") != std::string::npos);
  CHECK(plan_of("SELECT id FROM runs WHERE gone_at IS NULL").find("runs_not_gone") !=
        std::string::npos);
}

TEST_CASE("a blank idempotency key is refused, as it would be everybody's") {
  BoardFixture f;
  for (const std::string key : {"", "  "}) {
    const auto refused = f.change(
        [&](board::Change& c) { return board::create(c, {.title = "a", .idempotency_key = key}); });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::usage);
  }
}
