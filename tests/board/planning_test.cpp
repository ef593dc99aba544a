#include "board/board_fixture.hpp"

#include <nlohmann/json.hpp>

using namespace hermes;
using hermes::test::BoardFixture;
using nlohmann::json;

namespace {

constexpr Millis k_term{300'000};
const PlanningLimits k_limits;

std::string rough(BoardFixture& f, board::NewTask task = {}) {
  task.title = "rough idea";
  task.triage = true;
  const auto created = f.change([&](board::Change& c) { return board::create(c, task); });
  REQUIRE(created);
  return created->task.id;
}

Result<board::Asked> ask(BoardFixture& f, const std::string& id, bool if_due = false) {
  return f.change([&](board::Change& c) {
    return board::begin_planning(c, id, PlanKind::decompose, {k_term, if_due}, k_limits);
  });
}

Result<board::Specified> specify(BoardFixture& f, const board::Asked& asked,
                                 const rules::Rewrite& rewrite) {
  return f.change([&](board::Change& c) { return board::specify(c, asked, rewrite, "ann"); });
}

Result<board::Decomposed> decompose(BoardFixture& f, const board::Asked& asked,
                                    const rules::Graph& graph) {
  return f.change([&](board::Change& c) {
    return board::decompose(
        c, asked, graph,
        {.limits = k_limits, .default_workdir = "", .author = "ann", .notes = {"note: so be it"}});
  });
}

void fail(BoardFixture& f, const std::string& id, const std::string& reason = "no answer") {
  const auto asked = ask(f, id);
  REQUIRE(asked);
  REQUIRE(f.change([&](board::Change& c) {
    return board::fail_planning(c, *asked, PlanKind::decompose, reason, k_limits);
  }));
}

std::optional<Planning> planning(BoardFixture& f, const std::string& id) {
  return f.read([&](db::Reader& tx) { return board::planning_of(tx, id, f.now, k_limits); });
}

board::DuePlannings due(BoardFixture& f, std::size_t most = 10) {
  return f.read([&](db::Reader& tx) { return board::due_plannings(tx, f.now, k_limits, most); });
}

rules::PlannedTask part(const std::string& title, std::vector<std::int64_t> parents = {}) {
  return {.title = title,
          .body = "do " + title,
          .assignee = "shell",
          .parents = std::move(parents),
          .workspace_kind = {},
          .workspace_path = {}};
}

json payload(BoardFixture& f, const std::string& id, const std::string& kind) {
  for (const Event& event : f.read([&](db::Reader& tx) { return board::events_of(tx, id); })) {
    if (event.kind == kind) {
      return json::parse(event.payload.value_or("null"));
    }
  }
  return {};
}

// As a worker that blocks again and again brings it there.
std::string escalated(BoardFixture& f) {
  const auto id = f.add("stuck");
  for (int i = 0; i < 2; ++i) {
    const Run run = f.start(id);
    REQUIRE(f.as(f.worker(run), [&](board::Change& c) {
      return board::block(c, id, BlockKind::needs_input, "which colour?");
    }));
    f.finish(run, {.kind = ExitKind::exited, .code = 0});
    if (f.status(id) == Status::blocked) {
      REQUIRE(f.change([&](board::Change& c) { return board::unblock(c, id, {}, false); }));
    }
  }
  REQUIRE(f.status(id) == Status::triage);
  return id;
}

}  // namespace

TEST_CASE("specify gives a task a better text and moves it on, the old text stays in a comment") {
  BoardFixture f;
  const auto id = rough(f, {.body = "old words"});
  const auto asked = ask(f, id);
  REQUIRE(asked);
  const auto done =
      specify(f, *asked, {.title = "Better", .body = "new words", .assignee = "Shell"});
  REQUIRE(done);
  CHECK(done->fields == std::vector<std::string>{"title", "body", "assignee"});
  const Task task = f.task(id);
  CHECK(task.status == Status::ready);
  CHECK(task.title == "Better");
  CHECK(task.body == "new words");
  CHECK(task.assignee == "shell");
  const json told = payload(f, id, "specified");
  CHECK(told["changed_fields"] == json({"title", "body", "assignee"}));
  CHECK(told["from"] == "triage");
  REQUIRE(f.comments(id).size() == 1);
  CHECK(f.comments(id)[0].find("rough idea") != std::string::npos);
  CHECK(f.comments(id)[0].find("old words") != std::string::npos);
  CHECK_FALSE(planning(f, id));
}

TEST_CASE(
    "specify changes nothing that it need not: no comment without a change, no other assignee") {
  BoardFixture f;
  const auto id = rough(f, {.assignee = "ann"});
  const auto done =
      specify(f, *ask(f, id), {.title = "rough idea", .body = {}, .assignee = "shell"});
  REQUIRE(done);
  CHECK(done->fields.empty());
  CHECK(f.task(id).assignee == "ann");
  CHECK(f.comments(id).empty());
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE("a specified task waits in todo while a parent is open") {
  BoardFixture f;
  const auto parent = f.add("parent");
  const auto id = rough(f, {.parents = {parent}});
  REQUIRE(specify(f, *ask(f, id), {.title = "t", .body = {}, .assignee = ""}));
  CHECK(f.status(id) == Status::todo);
}

TEST_CASE("decompose makes the whole graph, and its root waits for all of it") {
  BoardFixture f;
  const auto id = rough(f, {.tenant = "acme",
                            .priority = 7,
                            .workspace_kind = WorkspaceKind::dir,
                            .workspace_path = "/srv/x"});
  const auto done =
      decompose(f, *ask(f, id),
                {.children = {part("build", {1}), part("fetch"), part("test", {0, 1})},
                 .root_assignee = "Lead"});
  REQUIRE(done);
  REQUIRE(done->child_ids.size() == 3);
  const auto& [build, fetch, test] =
      std::tie(done->child_ids[0], done->child_ids[1], done->child_ids[2]);
  CHECK(f.status(id) == Status::todo);
  CHECK(f.task(id).assignee == "lead");
  CHECK(f.status(fetch) == Status::ready);
  CHECK(f.status(build) == Status::todo);
  CHECK(f.task(build).title == "build");
  CHECK(f.task(build).body == "do build");
  CHECK(f.task(build).tenant == "acme");
  CHECK(f.task(build).priority == 7);
  CHECK(f.task(build).workspace_path == "/srv/x");
  CHECK(f.task(build).created_by == "ann");
  const auto parents = [&](const std::string& of) {
    return f.read([&](db::Reader& tx) { return board::parents_of(tx, of); });
  };
  CHECK(parents(id).size() == 3);
  CHECK(parents(test).size() == 2);
  CHECK(payload(f, build, "created")["from_decompose_of"] == id);
  CHECK(payload(f, id, "decomposed")["child_ids"] == json(done->child_ids));
  CHECK(payload(f, id, "decomposed")["root_assignee"] == "lead");
  CHECK(f.comments(id)[0].find("so be it") != std::string::npos);
  for (const auto& child : {fetch, build, test}) {
    CHECK(f.status(id) == Status::todo);
    f.exits(f.start(child), 0);
  }
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE("decompose leaves its root with the assignee that a person gave it") {
  BoardFixture f;
  const auto id = rough(f, {.assignee = "ann"});
  REQUIRE(decompose(f, *ask(f, id), {.children = {part("a")}, .root_assignee = "lead"}));
  CHECK(f.task(id).assignee == "ann");
  CHECK(payload(f, id, "decomposed")["root_assignee"] == "ann");
}

TEST_CASE("no part starts before what its root waits for") {
  BoardFixture f;
  const auto open = f.add("open");
  const auto over = f.add("over");
  f.exits(f.start(over), 0);
  const auto id = rough(f, {.parents = {open, over}});
  const auto ended = f.add("ended");
  REQUIRE(
      f.change([&](board::Change& c) { return board::link(c, ended, id, LinkCondition::ended); }));
  const auto done =
      decompose(f, *ask(f, id), {.children = {part("a"), part("b", {0})}, .root_assignee = ""});
  REQUIRE(done);
  const auto& [a, b] = std::tie(done->child_ids[0], done->child_ids[1]);
  const auto waits_for = [&](const std::string& of) {
    return f.read([&](db::Reader& tx) { return board::open_parents(tx, of); });
  };
  CHECK(f.status(a) == Status::todo);
  REQUIRE(waits_for(b).size() == 1);
  CHECK(waits_for(b)[0].id == a);
  const auto parents = waits_for(a);
  REQUIRE(parents.size() == 2);
  for (const auto& parent : parents) {
    CHECK(parent.id == (parent.condition == LinkCondition::done ? open : ended));
    CHECK(f.status(a) == Status::todo);
    f.exits(f.start(parent.id), 0);
  }
  CHECK(f.status(a) == Status::ready);
  CHECK(f.status(b) == Status::todo);
}

TEST_CASE("a graph that is refused leaves nothing behind") {
  BoardFixture f;
  const auto id = rough(f);
  const auto asked = ask(f, id);
  const auto before = f.last_event();
  CHECK_FALSE(
      decompose(f, *asked, {.children = {part("a", {1}), part("b", {0})}, .root_assignee = ""}));
  // The last child is the one that cannot be made.
  auto nowhere = part("c");
  nowhere.workspace_kind = WorkspaceKind::dir;
  CHECK_FALSE(decompose(f, *asked, {.children = {part("a"), nowhere}, .root_assignee = ""}));
  CHECK(f.last_event() == before);
  CHECK(f.read([](db::Reader& tx) { return board::list_tasks(tx, {})->size(); }) == 1);
  CHECK(f.status(id) == Status::triage);
}

TEST_CASE("children's ids are drawn again when they are taken") {
  BoardFixture f;
  f.random = SeededRandom{7};
  const auto taken = f.add("a");
  const auto id = rough(f);
  const auto asked = ask(f, id);
  f.random = SeededRandom{7};
  const auto done = decompose(f, *asked, {.children = {part("a")}, .root_assignee = ""});
  REQUIRE(done);
  CHECK(done->child_ids[0] != taken);
  CHECK(f.task(taken).title == "a");
}

TEST_CASE("an answer about a task that was moved or changed meanwhile is dropped") {
  BoardFixture f;
  const auto moved = rough(f);
  const auto changed = rough(f);
  const auto asked_moved = ask(f, moved);
  const auto asked_changed = ask(f, changed);
  f.pass(Millis{5});
  REQUIRE(f.change([&](board::Change& c) { return board::promote(c, moved, {}, false); }));
  REQUIRE(f.change([&](board::Change& c) {
    return board::edit(c, changed, {.title = "mine", .body = {}, .priority = {}, .result = {}});
  }));
  const auto before = f.last_event();
  for (const auto& asked : {asked_moved, asked_changed}) {
    const auto specified = specify(f, *asked, {.title = "t", .body = {}, .assignee = ""});
    REQUIRE_FALSE(specified);
    CHECK(specified.error().code == ErrorCode::conflict);
    const auto decomposed = decompose(f, *asked, {.children = {part("a")}, .root_assignee = ""});
    REQUIRE_FALSE(decomposed);
    CHECK(decomposed.error().code == ErrorCode::conflict);
    // Nor is it a failure.
    const auto failed = f.change([&](board::Change& c) {
      return board::fail_planning(c, *asked, PlanKind::specify, "no", k_limits);
    });
    REQUIRE(failed);
    CHECK_FALSE(failed->has_value());
  }
  CHECK(f.last_event() == before);
  CHECK(f.task(changed).title == "mine");
}

TEST_CASE("a failure about a task that was changed meanwhile leaves no mark and is not counted") {
  BoardFixture f;
  const auto id = rough(f);
  const auto asked = ask(f, id);
  f.pass(Millis{5});
  REQUIRE(f.change([&](board::Change& c) {
    return board::edit(c, id, {.title = {}, .body = {}, .priority = 3, .result = {}});
  }));
  REQUIRE(planning(f, id)->asked_at);
  REQUIRE(f.change([&](board::Change& c) {
    return board::fail_planning(c, *asked, PlanKind::decompose, "no", k_limits);
  }));
  CHECK_FALSE(planning(f, id));
  CHECK(due(f).ids == std::vector{id});
  f.pass(k_term);
  REQUIRE(ask(f, id));
  CHECK(planning(f, id)->failures == 0);
}

TEST_CASE("who fails does not take away the mark of another who has asked since") {
  BoardFixture f;
  const auto id = rough(f);
  const auto first = ask(f, id);
  f.pass(Millis{5});
  const auto second = ask(f, id);
  const auto fails = [&](const board::Asked& asked) {
    return f
        .change([&](board::Change& c) {
          return board::fail_planning(c, asked, PlanKind::decompose, "no", k_limits);
        })
        .value();
  };
  CHECK(fails(*first)->failures == 1);
  CHECK(planning(f, id)->asked_at == second->at);
  CHECK(planning(f, id)->next_at == second->at + k_term);
  CHECK(due(f).ids.empty());
  CHECK(fails(*second)->failures == 2);
  CHECK_FALSE(planning(f, id)->asked_at);
  CHECK(planning(f, id)->next_at > f.now);
}

TEST_CASE("a failed planning is counted and told, and automation waits ever longer") {
  BoardFixture f;
  const auto id = rough(f);
  CHECK(due(f).ids == std::vector{id});
  std::int64_t rest = 60'000;
  for (std::int64_t n = 1; n <= k_limits.failure_limit; ++n) {
    CHECK(ask(f, id, true));
    CHECK(due(f).ids.empty());  // it is being asked
    fail(f, id, "no answer, password=hunter2hunter2hunter2");
    CHECK(planning(f, id)->failures == n);
    CHECK(planning(f, id)->last_error->find("hunter2hunter2") == std::string::npos);
    CHECK(due(f).ids.empty());
    CHECK_FALSE(ask(f, id, true));
    if (n < k_limits.failure_limit) {
      CHECK(due(f).next_at == f.now + Millis{rest});
    }
    f.pass(Millis{rest});
    rest = std::min<std::int64_t>(rest * 4, 3'600'000);
  }
  const json told = payload(f, id, "planning_failed");
  CHECK(told["kind"] == "decompose");
  CHECK(told["failures"] == 1);
  CHECK(told["next_at"].is_number_integer());
  CHECK(f.status(id) == Status::triage);
  // It has failed too often; a person may still ask.
  f.pass(std::chrono::hours{100});
  CHECK(due(f).ids.empty());
  CHECK_FALSE(due(f).next_at);
  CHECK_FALSE(ask(f, id, true));
  CHECK(ask(f, id));
}

TEST_CASE("another text gives the planner a new chance, another priority does not") {
  BoardFixture f;
  const auto id = rough(f);
  fail(f, id);
  REQUIRE(f.change([&](board::Change& c) {
    return board::edit(c, id, {.title = {}, .body = {}, .priority = 3, .result = {}});
  }));
  CHECK(planning(f, id)->failures == 1);
  REQUIRE(f.change([&](board::Change& c) {
    return board::edit(c, id, {.title = {}, .body = "clearer", .priority = {}, .result = {}});
  }));
  CHECK_FALSE(planning(f, id));
  CHECK(due(f).ids == std::vector{id});
}

TEST_CASE("who was killed while a planner was asked holds automation back for its term only") {
  BoardFixture f;
  const auto id = rough(f);
  REQUIRE(ask(f, id, true));
  f.pass(k_term - Millis{1});
  CHECK(due(f).ids.empty());
  CHECK_FALSE(ask(f, id, true));
  f.pass(Millis{1});
  CHECK(due(f).ids == std::vector{id});
  REQUIRE(ask(f, id, true));
  CHECK(planning(f, id)->failures == 1);  // so that what kills it is not asked for ever
  CHECK(f.kinds(id).back() == "planning_failed");
}

TEST_CASE("a planner's rest and its term are over once the clock was set back behind them") {
  BoardFixture f;
  const auto rests = rough(f);
  const auto asked = rough(f);
  fail(f, rests);
  REQUIRE(ask(f, asked));
  CHECK(due(f).ids.empty());
  f.pass(std::chrono::hours{-48});
  CHECK(due(f).ids == std::vector{asked, rests});  // fewest failures first
  CHECK_FALSE(due(f).next_at);
  for (const auto& id : {rests, asked}) {
    CHECK(planning(f, id)->next_at == f.now);
    const auto holds = f.read([&](db::Reader& tx) {
      return board::claim_holds(tx, *board::find_task(tx, id), f.now, k_limits);
    });
    for (const auto& hold : holds) {
      CHECK(hold.text.find("rests for another") == std::string::npos);
      CHECK(hold.text.find("at work") == std::string::npos);
    }
    CHECK(ask(f, id, true));
    CHECK(planning(f, id)->next_at == f.now + k_term);
  }
  CHECK(planning(f, rests)->failures == 1);
  CHECK(planning(f, asked)->failures == 0);  // who asked may be at work still
  CHECK(due(f).ids.empty());
}

TEST_CASE("a clock that is set back by a little ends no rest and no asking") {
  BoardFixture f;
  const auto rests = rough(f);
  const auto asked = rough(f);
  fail(f, rests);
  REQUIRE(ask(f, asked));
  f.pass(std::chrono::seconds{-5});
  CHECK(due(f).ids.empty());
  CHECK_FALSE(ask(f, rests, true));
  CHECK_FALSE(ask(f, asked, true));
}

TEST_CASE("an attempt that nobody is to blame for leaves no trace") {
  BoardFixture f;
  const auto id = rough(f);
  const auto before = f.last_event();
  const auto forget = [&](const board::Asked& asked) {
    REQUIRE(f.change([&](board::Change& c) -> Result<int> {
      board::forget_planning(c, asked);
      return 0;
    }));
  };
  forget(*ask(f, id));
  CHECK_FALSE(planning(f, id));
  CHECK(f.last_event() == before);
  fail(f, id);
  forget(*ask(f, id));
  CHECK(planning(f, id)->failures == 1);
  CHECK_FALSE(planning(f, id)->asked_at);
}

TEST_CASE("what a worker's blocks have brought to triage is a person's, not automation's") {
  BoardFixture f;
  const auto id = escalated(f);
  CHECK(due(f).ids.empty());
  CHECK(f.read([](db::Reader& tx) { return board::count_triaged(tx); }) == 0);
  const auto refused = ask(f, id, true);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("a person") != std::string::npos);
  const auto seen = f.read([&](db::Reader& tx) { return board::triaged(tx, f.now, k_limits, 10); });
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].escalated);
  REQUIRE(specify(f, *ask(f, id), {.title = "asked by a person", .body = {}, .assignee = ""}));
  CHECK(f.status(id) == Status::ready);
}

TEST_CASE("only a task in triage is planned, and no worker plans") {
  BoardFixture f;
  const auto ready = f.add("ready");
  const auto refused = ask(f, ready);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "cannot decompose " + ready + ": it is ready");
  const auto id = rough(f);
  const Run run = f.start(ready);
  const auto worker = f.as(f.worker(run), [&](board::Change& c) {
    return board::begin_planning(c, id, PlanKind::specify, {k_term, false}, k_limits);
  });
  REQUIRE_FALSE(worker);
  CHECK(worker.error().code == ErrorCode::forbidden);
}

TEST_CASE("tasks are planned by priority, then the oldest first, and no more than asked for") {
  BoardFixture f;
  const auto first = rough(f);
  f.pass(Millis{1});
  const auto urgent = rough(f, {.priority = 5});
  const auto last = rough(f);
  CHECK(due(f).ids == std::vector{urgent, first, last});
  CHECK(due(f, 1).ids == std::vector{urgent});
}
