// A profile that is broken: few of its tasks are spent before it is paused, and all are done once
// it is mended.
#include "daemon/rig.hpp"
#include "kernel/board/gates.hpp"

namespace hermes::daemon::test {

namespace {

constexpr int k_tasks = 36;
constexpr const char* k_config =
    "[dispatcher]\nmax_in_progress = 4\n"
    "[retry]\nbase = \"10ms\"\nfactor = 1\nmax = \"10ms\"\n";

// Works once the file `key` is there.
struct BrokenFleet {
  explicit BrokenFleet(const std::string& retry) : rig(k_config + retry) {
    for (int i = 0; i < k_tasks; ++i) {
      board.add("test -e '" + rig.path("key").string() + "' || { echo no key for $$; exit 3; }");
    }
  }
  std::int64_t starts() {
    return board.read([](db::Reader& tx) {
      auto row = tx.query("SELECT count(*) FROM runs");
      row.next();
      return row.integer(0);
    });
  }
  std::optional<rules::Gate> gate() {
    return board.read([](db::Reader& tx) { return board::profile_gate(tx, "sh"); });
  }
  bool wait_until_paused() {
    return wait_until([&] { return gate() && board.processes() == 0; }, k_patience);
  }
  bool all_done() {
    return wait_until([&] { return board.count(Status::done) == k_tasks; }, k_patience);
  }
  std::int64_t blocked() { return board.count(Status::blocked); }

  Rig rig;
  BoardHand& board = rig.board();
};

}  // namespace

TEST_CASE("a broken profile costs few starts, and a person resumes it", "[daemon]") {
  BrokenFleet fleet("fleet_cooldown = \"1h\"\n");
  fleet.rig.start();
  REQUIRE(fleet.wait_until_paused());
  CHECK(fleet.starts() >= 3);
  CHECK(fleet.starts() <= 8);  // three, and what ran beside them
  const std::int64_t before = fleet.starts();
  CHECK(fleet.blocked() == 0);

  const Ran listed = fleet.rig.run_hermes({"profile", "list"});
  CHECK(listed.out.find("PAUSED on default until") != std::string::npos);
  CHECK(listed.out.find("failed alike") != std::string::npos);
  const Ran status = fleet.rig.run_hermes({"dispatcher", "status"});
  CHECK(status.out.find("profile 'sh' is paused for another") != std::string::npos);
  const Ran watched = fleet.rig.run_hermes({"profile", "show", "sh", "--json"});
  CHECK(watched.out.find("\"probe_run_id\"") != std::string::npos);

  fleet.rig.open("key");
  const std::string late = fleet.board.add("exit 0");  // a reason to look again
  const Ran why = fleet.rig.run_hermes({"kanban", "why", late});
  CHECK(why.out.find("profile 'sh' is paused") != std::string::npos);
  CHECK(fleet.starts() == before);

  const Ran resumed = fleet.rig.run_hermes({"profile", "resume", "sh"});
  CHECK(resumed.out == "Resumed profile sh on default\n");
  REQUIRE(wait_until([&] { return fleet.board.count(Status::done) == k_tasks + 1; }, k_patience));
  CHECK_FALSE(fleet.gate());
  CHECK(fleet.rig.run_hermes({"profile", "resume", "sh"}).out == "Profile sh was not paused\n");
}

TEST_CASE("a mended profile is found by its probe, and until then tried ever more seldom",
          "[daemon]") {
  BrokenFleet fleet("fleet_cooldown = \"50ms\"\n");
  fleet.rig.start();
  REQUIRE(
      wait_until([&] { return fleet.gate() && fleet.gate()->pause >= Millis{400}; }, k_patience));
  CHECK(fleet.starts() <= 12);  // three, what ran beside them, and three probes
  CHECK(fleet.blocked() == 0);
  fleet.rig.open("key");
  REQUIRE(fleet.all_done());
  CHECK_FALSE(fleet.gate());
  const auto kinds = fleet.board.read([](db::Reader& tx) {
    std::vector<std::string> all;
    for (const auto& seen :
         board::events_after(tx, 0, 100'000, {.kinds = {"profile_paused", "profile_resumed"}})
             .events) {
      all.push_back(seen.event.kind);
    }
    return all;
  });
  REQUIRE(kinds.size() >= 5);
  CHECK(kinds.front() == "profile_paused");
  CHECK(kinds.back() == "profile_resumed");
}

TEST_CASE("a dispatcher that is killed while a profile is paused leaves the pause to the next",
          "[daemon]") {
  BrokenFleet fleet("fleet_cooldown = \"1h\"\n");
  fleet.rig.start();
  REQUIRE(fleet.wait_until_paused());
  const std::int64_t before = fleet.starts();
  fleet.rig.kill_dispatcher();
  fleet.rig.start();
  const std::string other = fleet.board.create({.title = "x", .body = "x", .assignee = "other"});
  fleet.rig.write_profile("other", "command = [\"/bin/true\"]\nverdict = \"exit-code\"\n");
  REQUIRE(fleet.board.wait_for(other, Status::done));  // other profiles go on
  CHECK(fleet.starts() == before + 1);
}

}  // namespace hermes::daemon::test
