#include "kernel/board/diagnostics.hpp"

#include <algorithm>

#include "board/board_fixture.hpp"
#include "kernel/board/why.hpp"

using namespace hermes;
using namespace hermes::test;
using namespace std::chrono_literals;

namespace {

struct HealthFixture : BoardFixture {
  std::vector<std::string> kinds_of(const std::string& id) {
    const rules::DiagnosticContext context{.now = now, .limits = limits};
    std::vector<std::string> words;
    read([&](db::Reader& tx) {
      for (const auto& one : rules::diagnose(*board::task_health(tx, id, context), context)) {
        words.emplace_back(to_word(one.kind));
      }
      return 0;
    });
    return words;
  }
  std::vector<std::string> suspects() {
    return read(
        [&](db::Reader& tx) { return board::suspects(tx, {.now = now, .limits = limits}).ids; });
  }
  bool is_suspect(const std::string& id) {
    const auto ids = suspects();
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }
};

}  // namespace

TEST_CASE_METHOD(HealthFixture,
                 "what a rule speaks of is among the suspects, what is sound is not") {
  limits.fleet_window = 0s;
  const std::string fresh = add("fresh");
  const std::string failing = add("failing");
  for (int i = 0; i < 2; ++i) {
    REQUIRE(exits(start(failing), 1));
    pass(1min);
  }
  CHECK(is_suspect(failing));
  CHECK(kinds_of(failing) == std::vector<std::string>{"repeated_failures"});
  CHECK_FALSE(is_suspect(fresh));

  const std::string blocked = add("blocked");
  REQUIRE(change([&](board::Change& c) { return board::block(c, blocked, {}, "what now"); }));
  CHECK_FALSE(is_suspect(blocked));
  pass(25h);
  CHECK(is_suspect(blocked));
  CHECK(kinds_of(blocked) == std::vector<std::string>{"stuck_in_blocked"});
  REQUIRE(
      change([&](board::Change& c) { return board::add_comment(c, blocked, "alice", "wait"); }));
  CHECK(kinds_of(blocked).empty());

  CHECK(is_suspect(fresh));  // nobody has taken it
  CHECK(kinds_of(fresh) == std::vector<std::string>{"stranded_in_ready"});
  REQUIRE(exits(start(fresh), 0));
  CHECK_FALSE(is_suspect(fresh));
  CHECK(kinds_of(fresh).empty());
}

TEST_CASE_METHOD(HealthFixture, "a worker that blocks and is released again and again is told of") {
  const std::string id = add("t");
  for (int i = 0; i < 4; ++i) {
    const Run run = start(id);
    const auto kind = i % 2 == 0 ? BlockKind::needs_input : BlockKind::transient;
    REQUIRE(as(worker(run), [&](board::Change& c) { return board::block(c, id, kind, "x"); }));
    REQUIRE(exits(run, 0));
    if (i < 3) {
      REQUIRE(change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
    }
    pass(1min);
  }
  CHECK(is_suspect(id));
  CHECK(kinds_of(id) == std::vector<std::string>{"block_unblock_cycling"});
}

TEST_CASE_METHOD(HealthFixture, "a worker that is sent to triage again and again is told of too") {
  const std::string id = add("t");
  for (int i = 0; i < 4; ++i) {
    const Run run = start(id);
    REQUIRE(as(worker(run),
               [&](board::Change& c) { return board::block(c, id, BlockKind::needs_input, "x"); }));
    REQUIRE(exits(run, 0));
    if (i < 3) {  // which forgets how often it was blocked, where it leaves triage
      REQUIRE(change([&](board::Change& c) { return board::promote(c, id, {}, false); }));
    }
    pass(1min);
  }
  REQUIRE(status(id) == Status::triage);
  REQUIRE(task(id).block_total < 3);
  CHECK(is_suspect(id));
  CHECK(kinds_of(id) == std::vector<std::string>{"block_unblock_cycling"});
  pass(25h);
  CHECK(kinds_of(id).empty());
}

TEST_CASE_METHOD(HealthFixture,
                 "who ended a moment ago is counted for each profile, then no more") {
  for (const std::string profile : {"shell", "shell", "writer"}) {
    const Run run = start(add("t"));
    REQUIRE(exits(run, 0));
    REQUIRE(change([&](board::Change& c) -> Result<void> {
      c.tx.execute("UPDATE runs SET profile = $1 WHERE id = $2", profile, run.id);
      return {};
    }));
  }
  pass(1s);
  using Counts = std::map<std::string, std::int64_t>;
  const auto ended = [&] {
    return read([&](db::Reader& tx) { return board::ended_by_profile(tx, now - 5s); });
  };
  CHECK(ended() == Counts{{"shell", 2}, {"writer", 1}});
  pass(1min);
  CHECK(ended() == Counts{{"shell", 0}, {"writer", 0}});
}

TEST_CASE_METHOD(HealthFixture, "an edit does not make a block younger") {
  const std::string id = add("t");
  REQUIRE(change([&](board::Change& c) { return board::block(c, id, {}, "what now"); }));
  pass(25h);
  REQUIRE(change([&](board::Change& c) { return board::edit(c, id, {.title = "other"}); }));
  CHECK(is_suspect(id));
  CHECK(kinds_of(id) == std::vector<std::string>{"stuck_in_blocked"});
  REQUIRE(change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
  REQUIRE(change([&](board::Change& c) { return board::block(c, id, {}, "again"); }));
  CHECK(kinds_of(id).empty());
}

TEST_CASE_METHOD(HealthFixture, "that not all waiting tasks were looked at is said") {
  REQUIRE(change([&](board::Change& c) -> Result<int> {
    return c.tx.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2) INSERT INTO "
        "tasks (id, title, status, created_at, updated_at, ready_since, eligible_at) SELECT "
        "printf('t_%08x', i), 'nobody''s', 'ready', $1, $1, $1, $1 FROM n",
        now, board::k_queue + 1);
  }));
  pass(1s);
  add("somebody's");
  pass(1h);
  CHECK(read(
      [&](db::Reader& tx) { return board::suspects(tx, {.now = now, .limits = limits}).more; }));
}

TEST_CASE_METHOD(HealthFixture, "rate limits and missed heartbeats are found") {
  const std::string limited = add("limited");
  for (int i = 0; i < 20; ++i) {
    REQUIRE(exits(start(limited), 75));
    if (i < 19) {
      pass(2h);
    }
  }
  CHECK(is_suspect(limited));
  CHECK(kinds_of(limited) == std::vector<std::string>{"rate_limit_streak"});
  const std::string silent = add("silent");
  const Run run = start(silent);
  REQUIRE(as(worker(run), [&](board::Change& c) { return board::heartbeat(c, silent, {}); }));
  CHECK_FALSE(is_suspect(silent));
  pass(1h);
  CHECK(is_suspect(silent));
  CHECK(kinds_of(silent) == std::vector<std::string>{"heartbeat_stale"});
}

TEST_CASE_METHOD(HealthFixture,
                 "a task that waits for an archived one is told of until it is unlinked") {
  const std::string parent = add("parent");
  const std::string sound = add("sound");
  const std::string child = add("child", {parent, sound});
  const std::string patient = add("patient", {sound});
  const auto archive = [&](const std::string& id) {
    return change([&](board::Change& c) { return board::archive(c, id, true); });
  };
  CHECK_FALSE(is_suspect(child));
  REQUIRE(archive(parent));
  CHECK(suspects() == std::vector<std::string>{child});
  CHECK(kinds_of(child) == std::vector<std::string>{"waits_for_archived"});
  CHECK(kinds_of(patient).empty());
  const rules::DiagnosticContext context{.now = now, .limits = limits, .board = " --board x"};
  const auto found = read([&](db::Reader& tx) {
    return rules::diagnose(*board::task_health(tx, child, context), context);
  });
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].actions.size() == 1);
  CHECK(found[0].actions[0].command == "hermes kanban --board x unlink " + parent + " " + child);
  REQUIRE(change([&](board::Change& c) { return board::unlink(c, parent, child); }));
  CHECK(suspects().empty());
  CHECK(kinds_of(child).empty());
}

TEST_CASE_METHOD(BoardFixture, "archiving over a worker names who is left waiting too") {
  const std::string parent = add("parent");
  const Run run = start(parent);
  const std::string child = add("child", {parent});
  const std::string freed = add("freed");
  REQUIRE(change(
      [&](board::Change& c) { return board::link(c, parent, freed, LinkCondition::ended); }));
  const auto archived = change([&](board::Change& c) { return board::archive(c, parent, true); });
  REQUIRE(archived);
  CHECK(archived->moved.stopping);
  CHECK(archived->waiting_children == std::vector{child});
  REQUIRE(exits(run, 0));
  CHECK(status(child) == Status::todo);
  CHECK(status(freed) == Status::ready);
}

TEST_CASE_METHOD(HealthFixture, "looking for suspects scans no table") {
  const auto plan_of = [&](const std::string& sql) {
    return read([&](db::Reader& tx) {
      std::string all;
      auto row = tx.query("EXPLAIN QUERY PLAN " + sql);
      while (row.next()) {
        all += row.text(3) + "\n";
      }
      return all;
    });
  };
  for (const std::string sql : {"SELECT id FROM tasks WHERE failures > 0 AND status <> 'running' "
                                "ORDER BY failures DESC LIMIT 9",
                                "SELECT id FROM tasks INDEXED BY tasks_blocked WHERE status = "
                                "'blocked' AND status IN ('blocked', 'triage') AND blocked_at IS "
                                "NOT NULL AND blocked_at <= 5 ORDER BY blocked_at LIMIT 9",
                                "SELECT id FROM tasks WHERE block_total > 0 AND block_total >= 3 "
                                "ORDER BY block_total DESC LIMIT 9",
                                "SELECT id FROM tasks WHERE status = 'ready' AND ready_since IS "
                                "NOT NULL AND ready_since <= 5 "
                                "ORDER BY ready_since LIMIT 9",
                                "SELECT id FROM tasks WHERE status = 'todo' ORDER BY priority "
                                "DESC, created_at, id LIMIT 9"}) {
    const std::string plan = plan_of(sql);
    INFO(sql << "\n" << plan);
    CHECK(plan.find("INDEX") != std::string::npos);
    CHECK(plan.find("SCAN") == std::string::npos);
    CHECK(plan.find("TEMP B-TREE") == std::string::npos);
  }
}

TEST_CASE_METHOD(BoardFixture,
                 "a running task with a link that was open at its start is a violation") {
  const std::string parent = add("parent");
  const std::string child = add("child");
  const Run run = start(child);
  // A worker may link its own task while it runs: no violation, and `as` checks it.
  REQUIRE(as(worker(run),
             [&](board::Change& c) { return board::link(c, parent, child, LinkCondition::done); }));
  REQUIRE(database->write([&](db::Writer& tx) -> Result<void> {
    tx.execute("DELETE FROM events WHERE kind = 'linked'");
    return {};
  }));
  const auto broken = read([](db::Reader& tx) { return board::check_invariants(tx); });
  REQUIRE(broken.size() == 1);
  CHECK(broken[0].find("6: no running task was started with an open link") != std::string::npos);
  CHECK(broken[0].find(child) != std::string::npos);
}
