// Triage that is planned without a person.
#include <algorithm>
#include <csignal>
#include <filesystem>

#include "daemon/loop.hpp"
#include "daemon/planners.hpp"
#include "daemon/rig.hpp"
#include "kernel/base/files.hpp"
#include "kernel/board/planning.hpp"

namespace hermes::daemon::test {

namespace {

constexpr const char* k_splits =
    R"(echo '{"fanout": true, "children": [{"title": "true", "body": "true", "assignee": "sh"}]}')";

// A rig whose planner is a shell script that notes each time it is asked.
struct PlannerRig : Rig {
  explicit PlannerRig(const std::string& script, const std::string& mode = "decompose",
                      const std::string& more = "") {
    answers_by(script);
    configure(mode, more);
  }
  void answers_by(const std::string& script) const {
    write_text(path("planner"), "#!/bin/sh\ncat > /dev/null\necho x >> '" + path("asked").string() +
                                    "'\n" + script + "\n");
    fs::permissions(path("planner"), fs::perms::owner_all);
  }
  void configure(const std::string& mode, const std::string& more = "") const {
    write_config("[planner]\ncommand = [\"" + path("planner").string() + "\"]\nauto = \"" + mode +
                 "\"\n" + more);
  }
  std::size_t asked() const { return read_file(path("asked"), 1'000'000).value_or("").size() / 2; }
  std::string rough(std::int64_t priority = 0) {
    return board().create({.title = "rough", .priority = priority, .triage = true});
  }
  std::optional<Planning> planning(const std::string& id) {
    return board().read(
        [&](db::Reader& tx) { return board::planning_of(tx, id, wall_clock_now(), {}); });
  }
};

}  // namespace

TEST_CASE("a task created in triage is split without a person, worked off, and then done",
          "[daemon]") {
  PlannerRig rig(k_splits);
  rig.start();
  const std::string id = rig.rough();
  CHECK(rig.board().wait_for(id, Status::done));
  CHECK(rig.asked() == 1);
  CHECK(rig.board().count(Status::done) == 2);
}

TEST_CASE("a dispatcher that is told so specifies, and one that is not leaves triage alone",
          "[daemon]") {
  PlannerRig rig(R"(echo '{"title": "true", "body": "true"}')", "off");
  rig.start();
  const std::string id = rig.rough();
  const std::string other = rig.board().add("true");
  REQUIRE(rig.board().wait_for(other, Status::done));
  CHECK(rig.board().task(id).status == Status::triage);
  CHECK(rig.asked() == 0);
  rig.configure("specify");  // read without a restart
  CHECK(rig.board().wait_for(id, Status::done));
  CHECK(rig.board().task(id).title == "true");
}

TEST_CASE("a config that cannot be read turns automatic planning off", "[daemon]") {
  PlannerRig rig(k_splits, "off");
  rig.start();
  rig.configure("decompose");
  REQUIRE(rig.board().wait_for(rig.rough(), Status::done));
  rig.write_config("[planner\n");
  REQUIRE(rig.wait_until_said("config.toml keeps its old values"));
  const std::string id = rig.rough();
  REQUIRE(rig.board().wait_for(rig.board().add("true"), Status::done));
  CHECK(rig.board().task(id).status == Status::triage);
  CHECK(rig.asked() == 1);
}

TEST_CASE("a planner that fails is not asked again at once, however much else happens",
          "[daemon]") {
  PlannerRig rig("echo 'no credit' >&2; exit 1");
  rig.start();
  const std::string id = rig.rough();
  REQUIRE(wait_until([&] { return rig.planning(id) && rig.planning(id)->failures == 1; }));
  CHECK(rig.planning(id)->next_at > wall_clock_now() + std::chrono::seconds{20});
  for (int i = 0; i < 10; ++i) {
    REQUIRE(rig.board().wait_for(rig.board().add("true"), Status::done));
  }
  CHECK(rig.asked() == 1);
  CHECK(rig.planning(id)->last_error->find("no credit") != std::string::npos);
}

TEST_CASE("a slow planner keeps neither work nor the end of the dispatcher waiting", "[daemon]") {
  PlannerRig rig("while [ ! -e '$0.go' ]; do sleep 0.05; done");
  rig.start();
  const std::string id = rig.rough();
  REQUIRE(wait_until([&] { return rig.asked() == 1; }));
  CHECK(rig.board().wait_for(rig.board().add("true"), Status::done));
  // Killed, and started again: the board says that the task is being asked about.
  rig.kill_dispatcher();
  rig.start();
  REQUIRE(rig.board().wait_for(rig.board().add("true"), Status::done));
  CHECK(rig.asked() == 1);
  CHECK(rig.planning(id)->asked_at);
  CHECK(rig.stop() == 0);
}

TEST_CASE("no more planners are asked at once than per_pass says, the urgent first", "[daemon]") {
  PlannerRig rig("", "decompose", "per_pass = 2\n");
  rig.answers_by(rig.waits_for("go") + "\n" + k_splits);
  const std::string first = rig.rough();
  const std::string second = rig.rough(5);
  const std::string third = rig.rough(9);
  rig.start();
  REQUIRE(wait_until([&] { return rig.asked() == 2; }));
  REQUIRE(rig.board().wait_for(rig.board().add("true"), Status::done));
  CHECK(rig.asked() == 2);
  CHECK(rig.planning(second));
  CHECK(rig.planning(third));
  CHECK_FALSE(rig.planning(first));
  rig.open("go");
  for (const auto& id : {first, second, third}) {
    CHECK(rig.board().wait_for(id, Status::done));
  }
}

TEST_CASE("no board waits for its turn at the planner until all ideas of another are planned",
          "[daemon]") {
  PlannerRig rig("", "specify", "per_pass = 1\n");
  rig.answers_by("echo \"$HERMES_KANBAN_BOARD\" >> \"$0.boards\"\n" +
                 std::string(R"(echo '{"title": "better"}')"));
  for (const std::string board : {"alpha", "zeta"}) {
    for (int i = 0; i < 4; ++i) {
      rig.board(board).create({.title = "rough", .assignee = "nobody", .triage = true});
    }
  }
  rig.start();
  REQUIRE(wait_until([&] { return rig.asked() == 8; }));
  const std::string boards = read_file(rig.path("planner.boards"), 1000).value();
  const auto place = [&](const std::string& name) { return boards.find(name); };
  CHECK(std::max(place("alpha"), place("zeta")) <= std::string_view("alpha\n").size());
}

TEST_CASE("what a worker's blocks brought to triage waits for a person, also beside a planner",
          "[daemon]") {
  PlannerRig rig(k_splits);
  const std::string id = rig.rough();
  rig.board().sql("UPDATE tasks SET block_source = 'worker', block_total = 4 WHERE id = '" + id +
                  "'");
  rig.start();
  REQUIRE(rig.board().wait_for(rig.rough(), Status::done));
  CHECK(rig.board().task(id).status == Status::triage);
  CHECK(rig.asked() == 1);
}

TEST_CASE("an asking that is stuck is stopped together with its planner", "[daemon]") {
  PlannerRig rig("echo $$ > \"$0.pid\"; exec sleep 300", "off");
  const std::string id = rig.rough();
  constexpr Millis k_term{100'000};
  std::optional<Planners> planners;
  Loop loop([&]() -> std::optional<MonotonicTime> {
    if (planners->asked() == 0) {
      loop.stop();
    }
    return planners->step(std::chrono::steady_clock::now() + k_term);
  });
  planners.emplace(rig.home(), loop);
  REQUIRE(planners->start("default", id, PlanKind::decompose, k_term));
  CHECK(planners->step(std::chrono::steady_clock::now()));
  const auto planner = [&] {
    return std::atoi(read_file(rig.path("planner.pid"), 100).value_or("").c_str());
  };
  REQUIRE(wait_until([&] { return planner() > 0; }));
  REQUIRE(rig.planning(id)->asked_at);
  loop.wake();
  loop.run();
  CHECK(::kill(planner(), 0) != 0);
  CHECK_FALSE(rig.planning(id));
}

TEST_CASE("a board on which nothing is due is read again only when it can have become due",
          "[daemon]") {
  NothingDue memory;
  const Instant now{1'700'000'000'000};
  const Desk::State state{1, 7};
  const PlanningLimits limits;
  const auto holds = [&](Instant at) { return memory.holds("b", state, limits, at); };
  CHECK_FALSE(holds(now));
  memory.remember("b", state, limits, now, {.ids = {}, .next_at = now + Millis{50}});
  CHECK(holds(now));
  CHECK(memory.next_at("b") == now + Millis{50});
  CHECK(holds(now + Millis{49}));
  CHECK_FALSE(holds(now + Millis{50}));
  CHECK_FALSE(holds(now - Millis{1}));  // the clock was set back
  CHECK_FALSE(memory.holds("b", {1, 8}, limits, now));
  CHECK_FALSE(memory.holds("b", {2, 7}, limits, now));
  CHECK_FALSE(memory.holds("b", state, {.failure_limit = 9}, now));
  CHECK_FALSE(memory.holds("b", state, {.retry_max = Millis{1}}, now));
  CHECK_FALSE(memory.holds("other", state, limits, now));
  memory.remember("b", state, limits, now, {.ids = {}, .next_at = {}});
  CHECK(holds(now + std::chrono::hours{1000}));
  memory.remember("b", state, limits, now, {.ids = {"t_1"}, .next_at = {}});
  CHECK_FALSE(holds(now));
}

}  // namespace hermes::daemon::test
