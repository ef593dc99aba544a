#include <nlohmann/json.hpp>

#include "board/board_fixture.hpp"

using namespace hermes;
using hermes::test::BoardFixture;
using Json = nlohmann::json;

namespace {

Result<board::Edited> edit(BoardFixture& f, const Actor& actor, const std::string& id,
                           const board::Edit& what) {
  return f.as(actor, [&](board::Change& c) { return board::edit(c, id, what); });
}
Result<board::Edited> set_model(BoardFixture& f, const std::string& id, const std::string& model,
                                const std::string& provider = "") {
  return f.change([&](board::Change& c) { return board::set_model(c, id, {model, provider}); });
}
Json last_payload(BoardFixture& f, const std::string& id) {
  return Json::parse(
      *f.read([&](db::Reader& tx) { return board::events_of(tx, id); }).back().payload);
}
std::vector<Run> runs(BoardFixture& f, const std::string& id) {
  return f.read([&](db::Reader& tx) { return board::runs_of(tx, id); });
}

}  // namespace

TEST_CASE("title, body and priority are edited in any state, and the event tells what was before") {
  BoardFixture f;
  const auto id = f.add("old");
  f.start(id);
  const auto edited = edit(f, f.person, id, {.title = " new ", .body = "secret", .priority = 7});
  REQUIRE(edited);
  CHECK(edited->fields == std::vector<std::string>{"title", "body", "priority"});
  const Task task = f.task(id);
  CHECK(task.title == "new");
  CHECK(task.body == "secret");
  CHECK(task.priority == 7);
  CHECK(task.status == Status::running);
  CHECK(last_payload(f, id) == Json({{"by", "alice"},
                                     {"fields", {"title", "body", "priority"}},
                                     {"title", {{"old", "old"}, {"new", "new"}}},
                                     {"priority", {{"old", 0}, {"new", 7}}}}));
  f.pass(Millis{5});
  const auto events = f.last_event();
  CHECK(edit(f, f.person, id, {.title = "new", .priority = 7})->fields.empty());
  CHECK(f.last_event() == events);
  CHECK(f.task(id).updated_at < f.now);
  REQUIRE(edit(f, f.person, id, {.body = ""}));
  CHECK_FALSE(f.task(id).body);
}

TEST_CASE("a higher priority counts for a task that waits already") {
  BoardFixture f;
  const auto first = f.add("first");
  const auto second = f.add("second");
  CHECK(f.candidates().front() == std::min(first, second));
  REQUIRE(edit(f, f.person, std::max(first, second), {.priority = 1}));
  CHECK(f.candidates().front() == std::max(first, second));
}

TEST_CASE("result, summary and metadata are edited where the last completed run keeps them") {
  BoardFixture f;
  const auto id = f.add("a");
  f.exits(f.start(id), 1);
  f.pass(std::chrono::hours{1});
  const auto run = f.start(id);
  REQUIRE(f.as(f.worker(run), [&](board::Change& c) {
    return board::complete(c, id, {.summary = "s", .result = "r", .metadata = "{\"n\":1}"}, false);
  }));
  REQUIRE(edit(f, f.person, id, {.result = "better", .summary = "told anew"}));
  CHECK(f.task(id).result == "better");
  REQUIRE(runs(f, id).size() == 2);
  CHECK(runs(f, id)[1].summary == "told anew");
  CHECK(runs(f, id)[1].metadata == "{\"n\":1}");
  CHECK_FALSE(runs(f, id)[0].summary);
  CHECK(last_payload(f, id)["fields"] == Json({"result", "summary"}));
  REQUIRE(edit(f, f.person, id, {.metadata = "{\"n\":2}"}));
  CHECK(runs(f, id)[1].metadata == "{\"n\":2}");
  CHECK(f.status(id) == Status::done);
}

TEST_CASE("a task that was completed without a word gets a run that keeps the edited summary") {
  BoardFixture f;
  const auto id = f.add("a");
  REQUIRE(f.change([&](board::Change& c) { return board::complete(c, id, {}, false); }));
  REQUIRE(runs(f, id).empty());
  REQUIRE(edit(f, f.person, id, {.summary = "it was easy"}));
  REQUIRE(runs(f, id).size() == 1);
  CHECK(runs(f, id)[0].summary == "it was easy");
}

TEST_CASE("an edit that changes nothing writes no run") {
  BoardFixture f;
  const auto id = f.add("a");
  REQUIRE(f.change([&](board::Change& c) { return board::complete(c, id, {}, false); }));
  const auto events = f.last_event();
  const auto edited = edit(f, f.person, id, {.summary = "  "});
  REQUIRE(edited);
  CHECK(edited->fields.empty());
  CHECK(runs(f, id).empty());
  CHECK(f.last_event() == events);
}

TEST_CASE("a refused edit changes nothing at all") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto events = f.last_event();
  const auto refused = edit(f, f.person, id, {.title = "b", .result = "r"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(refused.error().message == "cannot edit the result of " + id + ": it is ready");
  CHECK(edit(f, f.person, id, {.title = "  "}).error().code == ErrorCode::invalid);
  CHECK(edit(f, f.person, id, {.title = std::string(5000, 'x')}).error().code ==
        ErrorCode::invalid);
  CHECK(edit(f, f.person, id, {.priority = k_most_priority + 1}).error().code ==
        ErrorCode::invalid);
  CHECK(edit(f, f.person, id, {.metadata = "[]"}).error().code == ErrorCode::usage);
  CHECK(edit(f, f.person, "t_00000000", {.title = "b"}).error().code == ErrorCode::not_found);
  CHECK(f.task(id).title == "a");
  CHECK(f.last_event() == events);
}

TEST_CASE("a worker edits its own task only, and only while it is its own") {
  BoardFixture f;
  const auto id = f.add("a");
  const auto other = f.add("b");
  const auto run = f.start(id);
  CHECK(edit(f, f.worker(run), id, {.title = "mine"}));
  CHECK(edit(f, f.worker(run), other, {.title = "mine"}).error().code == ErrorCode::forbidden);
  f.finish(run, {.kind = ExitKind::host_restarted});
  CHECK(edit(f, f.worker(run), id, {.title = "late"}).error().code == ErrorCode::not_yours);
  CHECK(f.task(id).title == "mine");
}

TEST_CASE("model and provider replace what was set, and what is left out is cleared") {
  BoardFixture f;
  const auto id = f.add("a");
  CHECK(set_model(f, id, "small", "acme")->fields == std::vector<std::string>{"model", "provider"});
  CHECK(Json::parse(f.task(id).worker_options) == Json({{"model", "small"}, {"provider", "acme"}}));
  CHECK(set_model(f, id, "large")->fields == std::vector<std::string>{"model", "provider"});
  CHECK(last_payload(f, id)["model"] == Json({{"old", "small"}, {"new", "large"}}));
  CHECK(last_payload(f, id)["provider"] == Json({{"old", "acme"}, {"new", nullptr}}));
  CHECK(set_model(f, id, "")->fields == std::vector<std::string>{"model"});
  CHECK(f.task(id).worker_options == "{}");
  const auto events = f.last_event();
  CHECK(set_model(f, id, " ")->fields.empty());
  CHECK(f.last_event() == events);
}
