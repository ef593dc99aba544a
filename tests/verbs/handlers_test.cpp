#include <catch2/catch.hpp>

#include "kernel/board/claims.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/home/registry.hpp"
#include "verbs/fake_host.hpp"
#include "verbs/workspace.hpp"

namespace hermes::test {

namespace {

// A run of the dispatcher's kind without a process, and its end.
struct WorkerRun {
  VerbRig& rig;
  std::int64_t run_id = 0;

  template <class Body>
  auto write(Body body) {
    auto database = db::Database::open(home::files_of(rig.home().board("default")),
                                       db::Database::Access::write, rig.environment.now);
    REQUIRE(database);
    SeededRandom random(1);
    const Actor actor{"dispatcher", std::nullopt};
    const Limits limits;
    const std::string board = "default";
    return database->write([&](db::Writer& tx) {
      board::Change change{tx, rig.environment.now, actor, board, limits, random};
      return body(change);
    });
  }

  void start(const std::string& task_id) {
    const auto run = write([&](board::Change& change) {
      board::ClaimRequest request;
      request.holder_kind = HolderKind::dispatcher;
      request.profile = "shell";
      request.holder = "test";
      request.ttl = std::chrono::minutes{15};
      return board::claim(change, task_id, request);
    });
    REQUIRE(run);
    run_id = run->id;
  }

  void finish() {
    const auto finished = write([&](board::Change& change) -> Result<bool> {
      ExitFacts exit;
      exit.kind = ExitKind::signaled;
      exit.code = 15;
      return board::finish_run(change, run_id, exit, VerdictMode::by_call);
    });
    REQUIRE(finished);
  }
};

}  // namespace

TEST_CASE("reclaim waits for the dispatcher that stops the worker", "[verbs]") {
  VerbRig rig;
  const std::string id = rig.create("a", {{"assignee", "shell"}});
  WorkerRun worker{rig};
  worker.start(id);
  rig.host.dispatcher = {.alive = true};
  rig.host.while_waiting.push_back([&] { worker.finish(); });
  const auto answer = rig.call("reclaim", {{"task_id", id}});
  REQUIRE(answer);
  CHECK(answer->value["gone"] == true);
  CHECK(answer->value["status"] == "ready");
  CHECK(answer->advice.empty());
  CHECK(rig.host.dispatcher_calls.empty());
}

TEST_CASE("without a dispatcher one is run to finish what has a stop intent", "[verbs]") {
  VerbRig rig;
  const std::string id = rig.create("a", {{"assignee", "shell"}});
  WorkerRun worker{rig};
  worker.start(id);
  rig.host.on_run = [&]() -> Result<int> {
    worker.finish();
    return 0;
  };
  const auto answer = rig.call("archive", {{"task_ids", id}, {"force", "true"}});
  REQUIRE(answer);
  CHECK(rig.host.dispatcher_calls == std::vector<std::vector<std::string>>{{"--finish"}});
  CHECK(answer->value["gone"] == true);
  CHECK(answer->advice.empty());
}

TEST_CASE("a dispatcher that dies during the wait is replaced for that one stop", "[verbs]") {
  VerbRig rig;
  const std::string id = rig.create("a", {{"assignee", "shell"}});
  WorkerRun worker{rig};
  worker.start(id);
  rig.host.dispatcher = {.alive = true};
  rig.host.while_waiting.push_back([&] {
    rig.host.dispatcher = {};
    rig.create("something else is written");
  });
  rig.host.on_run = [&]() -> Result<int> {
    worker.finish();
    return 0;
  };
  const auto answer = rig.call("reclaim", {{"task_id", id}});
  REQUIRE(answer);
  CHECK(answer->value["gone"] == true);
  CHECK(rig.host.dispatcher_calls.size() == 1);
}

TEST_CASE("a process that stays is admitted", "[verbs]") {
  VerbRig rig;
  const std::string id = rig.create("a", {{"assignee", "shell"}});
  WorkerRun{rig}.start(id);
  rig.host.on_run = [] { return Result<int>(3); };
  const auto answer = rig.call("complete", {{"task_ids", id}, {"force", "true"}});
  REQUIRE(answer);
  CHECK(answer->value["status"] == "done");
  CHECK(answer->value["gone"] == false);
  REQUIRE(answer->advice.size() == 1);
  CHECK(answer->advice[0].find("ended with status 3") != std::string::npos);
}

TEST_CASE("watch emits what is committed while it waits, and stops when nobody reads", "[verbs]") {
  VerbRig rig;
  rig.create("before");
  std::string made;
  rig.host.while_waiting.push_back([&] { made = rig.create("during"); });
  REQUIRE(rig.call("watch", {}));
  REQUIRE(rig.host.emitted.size() == 1);
  CHECK(rig.host.emitted[0]["task_id"] == made);
  CHECK(rig.host.begun["board"] == "default");

  rig.host.emitted.clear();
  rig.host.most_emitted = 1;
  REQUIRE(rig.call("watch", {{"since", "0"}}));
  CHECK(rig.host.emitted.size() == 1);
}

TEST_CASE("why names the caps and the pauses that only the dispatcher knows", "[verbs]") {
  VerbRig rig;
  const std::string id = rig.create("a", {{"assignee", "shell"}});
  auto answer = rig.call("why", {{"task_id", id}});
  REQUIRE(answer);
  REQUIRE(answer->value["holds"].size() == 1);
  CHECK(answer->value["holds"][0]["kind"] == "no_dispatcher");
  rig.host.dispatcher = {.alive = true};
  answer = rig.call("why", {{"task_id", id}});
  REQUIRE(answer);
  CHECK(answer->value["holds"].empty());
  const std::string lane = rig.create("b", {{"assignee", "somebody-else"}});
  answer = rig.call("why", {{"task_id", lane}});
  REQUIRE(answer);
  CHECK(answer->value["holds"][0]["kind"] == "no_profile");
}

TEST_CASE("people's lists carry less than the whole task", "[verbs]") {
  VerbRig rig;
  rig.create("a");
  CHECK(rig.call("list", {}, true)->value[0].size() > 23);
  CHECK(rig.call("list", {}, false)->value[0].size() == 5);
}

TEST_CASE("a claim by hand whose term is over is taken over without a dispatcher", "[verbs]") {
  VerbRig rig;
  const std::string id = rig.create("a");
  REQUIRE(rig.call("claim", {{"task_id", id}, {"ttl", "1m"}}));
  const auto why = [&] {
    return rig.call("why", {{"task_id", id}})->value["holds"][0]["text"].get<std::string>();
  };
  CHECK(why().find("its claim ends in") != std::string::npos);
  CHECK(rig.call("claim", {{"task_id", id}}).error().message.find("it is running") !=
        std::string::npos);
  rig.environment.now.ms += 60'000;
  CHECK(why().find("the term of its claim is over") != std::string::npos);
  const auto held = rig.call("claim", {{"task_id", id}});  // the claim that ran out counts
  REQUIRE_FALSE(held);
  CHECK(held.error().message.find("the claim ran out") != std::string::npos);
  rig.environment.now.ms += 2000;
  CHECK(rig.call("claim", {{"task_id", id}}));
  CHECK(rig.call("runs", {{"task_id", id}})->value.size() == 2);
}

TEST_CASE("a directory is kept under one name, whatever it was called", "[verbs]") {
  const TempDir dir;
  std::filesystem::create_directories(dir / "place");
  std::filesystem::create_directory_symlink(dir / "place", dir / "link");
  const std::string place = std::filesystem::canonical(dir / "place").string();
  for (const std::string& name :
       {(dir / "place").string(), (dir / "place").string() + "/", (dir / "link").string(),
        (dir / "link").string() + "//", (dir / "place").string() + "/../link"}) {
    INFO(name);
    CHECK(verbs::parse_workspace("dir:" + name, "/home/x")->path == place);
  }
  CHECK(verbs::parse_workspace("dir:" + (dir / "none").string() + "/", "")->path ==
        std::filesystem::canonical(dir.path()).string() + "/none");
  CHECK(verbs::parse_workspace("dir:/", "")->path == "/");
}

}  // namespace hermes::test
