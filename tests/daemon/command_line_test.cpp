// Flags, exit statuses, the lock, and what a service manager is told.
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "daemon/rig.hpp"
#include "kernel/home/dispatcher_lock.hpp"

namespace hermes::daemon::test {

namespace {

// The receiving end of sd_notify(3).
class NotifySocket {
 public:
  explicit NotifySocket(const fs::path& path)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }

  // Reads messages until one has this line.
  bool wait_for(const std::string& line) {
    return wait_until(
        [&] {
          pollfd item{fd_.get(), POLLIN, 0};
          while (::poll(&item, 1, 0) == 1) {
            char text[4096];
            const ssize_t got = ::recv(fd_.get(), text, sizeof text, 0);
            said_.emplace_back("\n" + std::string(text, static_cast<std::size_t>(got)) + "\n");
          }
          return count(line) > 0;
        },
        k_patience);
  }
  std::ptrdiff_t count(const std::string& line) const {
    return std::ranges::count_if(said_, [&](const std::string& text) {
      return text.find("\n" + line + "\n") != std::string::npos;
    });
  }
  void forget() { said_.clear(); }

 private:
  Fd fd_;
  std::vector<std::string> said_;
};

}  // namespace

TEST_CASE("a second dispatcher of a home ends with status 3 and names the first", "[daemon]") {
  Rig rig;
  rig.start();
  const std::string pid = std::to_string(rig.dispatcher().pid());
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{}, {"--once"}, {"--finish"}}) {
    const Ran second = rig.run_dispatcher(flags);
    CHECK(second.status == 3);
    CHECK(second.err.find("PID " + pid) != std::string::npos);
    CHECK(second.out.empty());
  }
  REQUIRE(rig.board().wait_for(rig.board().add("exit 0"), Status::done));
  const auto state = home::dispatcher_state(rig.home());
  CHECK(state.alive);
  CHECK(state.pid == rig.dispatcher().pid());
  rig.kill_dispatcher();
  CHECK_FALSE(home::dispatcher_state(rig.home()).alive);
  rig.start();  // a killed one's lock holds nobody up
}

TEST_CASE("a single pass starts what can be started, says so, and leaves it running", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const std::string id = board.add(rig.waits_for("go"));
  const std::string child = board.add(rig.waits_for("over"), {id});
  const std::string lane = board.create({.title = "a", .assignee = "somebody"});
  const Ran first = rig.run_dispatcher({"--once", "--json"});
  INFO(first.err);
  CHECK(first.status == 0);
  const auto report = nlohmann::json::parse(first.out);
  REQUIRE(report["spawned"].size() == 1);
  CHECK(report["spawned"][0]["task_id"] == id);
  CHECK(report["spawned"][0]["assignee"] == "sh");
  CHECK(report["skipped_nonspawnable"] == nlohmann::json::array({lane}));
  CHECK(board.task(id).status == Status::running);
  CHECK(board.task(child).status == Status::todo);
  const auto workers = rig.worker_processes();
  CHECK(workers.size() >= 2);
  rig.open("go");
  REQUIRE(rig.wait_until_alone());
  const Ran second = rig.run_dispatcher({"--once"});
  CHECK(second.status == 0);
  CHECK(second.out.find("Completed:    1\n") != std::string::npos);
  CHECK(second.out.find("Spawned:      1\n") != std::string::npos);
  CHECK(second.out.find("  - " + child + "  ->  sh  @ ") != std::string::npos);
  CHECK(board.task(id).status == Status::done);
  rig.open("over");
}

TEST_CASE("a single pass calls started what lives or has ended, and not what never began",
          "[daemon]") {
  Rig rig;
  rig.write_profile("lost", "command = [\"/no/such/program\"]\n");
  BoardHand& board = rig.board();
  const std::string lost = board.create({.title = "a", .assignee = "lost"});
  const std::string works = board.add(rig.waits_for("go"));
  const std::string quick = board.add("exit 0");
  const Ran ran = rig.run_dispatcher({"--once", "--json"});
  const auto report = nlohmann::json::parse(ran.out);
  INFO(ran.out << ran.err);
  CHECK(report["spawned"].size() == 2);
  CHECK(report["starting"].empty());
  CHECK(report["spawn_failed"] == nlohmann::json::array({lost}));
  CHECK(board.last_run(works).worker_pid.value_or(0) > 0);
  CHECK(board.last_run(lost).outcome == Outcome::spawn_failed);
  rig.open("go");
  REQUIRE(rig.wait_until_alone());
  const Ran next = rig.run_dispatcher({"--once"});
  CHECK(next.out.find("Not started:  0\n") != std::string::npos);
  CHECK(board.task(works).status == Status::done);
  CHECK(board.task(quick).status == Status::done);
}

TEST_CASE("a supervisor that is slow to begin is waited for, and its run is not taken for lost",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  const fs::path slow = rig.path("slow-shim");
  write_text(slow, fmt::format("#!/bin/sh\nsleep 0.4\nexec '{}' \"$@\"\n", TEST_SHIM));
  fs::permissions(slow, fs::perms::owner_all);
  rig.set("HERMES_SHIM", slow.string());
  const std::string id = board.add(rig.waits_for("go"));
  SECTION("by a single pass") {
    const Ran ran = rig.run_dispatcher({"--once", "--json"});
    INFO(ran.out << ran.err);
    CHECK(nlohmann::json::parse(ran.out)["spawned"].size() == 1);
    CHECK(board.last_run(id).worker_pid.value_or(0) > 0);
    rig.open("go");
    REQUIRE(rig.wait_until_alone());
    CHECK(rig.run_dispatcher({"--once"}).status == 0);
  }
  SECTION("by one that serves") {
    rig.start();
    REQUIRE(board.wait_until_works(id));
    rig.open("go");
  }
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.runs(id).size() == 1);
}

TEST_CASE("a single pass ends also when it cannot learn what became of what it started",
          "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  // Its supervisor is stopped before it starts anything, and its record is removed.
  const fs::path stuck = rig.path("stuck-shim");
  write_text(stuck,
             fmt::format("#!/bin/sh\nrm -f '{}'/*/*\nexec sleep 600\n", rig.home().run().string()));
  fs::permissions(stuck, fs::perms::owner_all);
  rig.set("HERMES_SHIM", stuck.string());
  const std::string id = board.add("exit 0");
  const auto began = std::chrono::steady_clock::now();
  const Ran ran = rig.run_dispatcher({"--once", "--json"});
  INFO(ran.out << ran.err);
  // It has not waited until its patience was over.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds{25});
  CHECK(nlohmann::json::parse(ran.out)["starting"] == nlohmann::json::array({id}));
  CHECK(board.task(id).status == Status::running);
}

TEST_CASE("the pidfile is there while the dispatcher is, and removed at its end in order",
          "[daemon]") {
  Rig rig;
  const fs::path pidfile = rig.path("pid file");
  rig.start({"--pidfile", pidfile.string(), "--interval", "5s"});
  CHECK(text_of(pidfile) == fmt::format("{}\n", rig.dispatcher().pid()));
  const Ran second = rig.run_dispatcher({"--pidfile=" + pidfile.string()});
  CHECK(second.status == 3);
  CHECK(text_of(pidfile) == fmt::format("{}\n", rig.dispatcher().pid()));
  CHECK(rig.stop() == 0);
  CHECK_FALSE(fs::exists(pidfile));
}

TEST_CASE("wrong flags are refused with status 2 and change nothing", "[daemon]") {
  const Rig rig;
  const auto flags =
      GENERATE(std::vector<std::string>{"--interval"}, std::vector<std::string>{"--interval", "0s"},
               std::vector<std::string>{"--max", "0"}, std::vector<std::string>{"--max=many"},
               std::vector<std::string>{"--failure-limit", "-1"},
               std::vector<std::string>{"--onec"}, std::vector<std::string>{"board"},
               std::vector<std::string>{"--json=" + std::string(100'000, 'x')},
               std::vector<std::string>{std::string(100'000, 'x')});
  const Ran ran = rig.run_dispatcher(flags);
  CHECK(ran.status == 2);
  CHECK(ran.err.size() < 1000);
  CHECK(ran.err.starts_with("hermes-dispatcher: "));
  CHECK_FALSE(fs::exists(rig.home().run() / "dispatcher.lock"));
}

TEST_CASE("what keeps a dispatcher from serving at all is told before anything is touched",
          "[daemon]") {
  Rig rig;
  SECTION("a config.toml that cannot be read") {
    rig.write_config("[dispatcher]\nmax_in_progress = \"four\"\n");
    const Ran ran = rig.run_dispatcher({});
    CHECK(ran.status == 78);
    CHECK(ran.err.find("config.toml:2") != std::string::npos);
  }
  SECTION("a home without a board") {
    rig.set("HERMES_HOME", rig.path("empty").string());
    const Ran ran = rig.run_dispatcher({});
    CHECK(ran.status == 78);
    CHECK(ran.err.find("no board") != std::string::npos);
    CHECK(rig.run_dispatcher({"--once"}).status == 1);
    CHECK_FALSE(fs::exists(rig.path("empty")));
  }
  SECTION("help and version need no home") {
    rig.set("HERMES_HOME", "relative");
    CHECK(rig.run_dispatcher({"--help"}).out.starts_with("usage: hermes-dispatcher"));
    CHECK(rig.run_dispatcher({"--version"}).out.find("SQLite 3.") != std::string::npos);
  }
}

TEST_CASE("a service manager hears READY, what is served, the watchdog's pings, and STOPPING",
          "[daemon]") {
  Rig rig;
  const fs::path path = rig.path("notify");
  NotifySocket socket(path);
  rig.set("NOTIFY_SOCKET", path.string());
  rig.set("WATCHDOG_USEC", "200000");
  BoardHand& board = rig.board();
  const std::string id = board.add("env | grep -cE 'NOTIFY_SOCKET|WATCHDOG'; exit 0");
  rig.start();
  REQUIRE(socket.wait_for("READY=1"));
  REQUIRE(socket.wait_for("WATCHDOG=1"));
  REQUIRE(board.wait_for(id, Status::done));
  CHECK(board.log(id) == "0\n");
  REQUIRE(socket.wait_for("STATUS=boards: 1, workers running: 0, tasks waiting: 0"));
  for (int i = 0; i < 3; ++i) {  // with nothing to do too
    socket.forget();
    REQUIRE(socket.wait_for("WATCHDOG=1"));
  }
  CHECK(socket.count("STOPPING=1") == 0);
  CHECK(rig.stop() == 0);
  REQUIRE(socket.wait_for("STOPPING=1"));
  CHECK(socket.count("STATUS=signal 15 (SIGTERM); 0 workers go on") == 1);
}

TEST_CASE("the run directory is made private and mended when a reboot has emptied it", "[daemon]") {
  Rig rig;
  BoardHand& board = rig.board();
  rig.start();
  const fs::path run = rig.home().run();
  REQUIRE(fs::is_symlink(run));
  const fs::path memory = fs::read_symlink(run);
  CHECK(fs::status(memory).permissions() == fs::perms::owner_all);
  const std::string id = board.add(rig.waits_for("go"));
  REQUIRE(board.wait_until_works(id));
  rig.kill_dispatcher();
  fs::remove_all(memory);
  rig.open("go");
  REQUIRE(rig.wait_until_alone());
  rig.start();
  REQUIRE(board.wait_for(board.add("exit 0"), Status::done));
  CHECK(board.wait_until_gone(id));
}

}  // namespace hermes::daemon::test
