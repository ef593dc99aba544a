// Workers whose profile bounds their trees, where no systemd does it. tests/systemd has the rest.
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "daemon/own_unit.hpp"
#include "daemon/rig.hpp"
#include "daemon/scopes.hpp"
#include "kernel/base/fd.hpp"

using namespace hermes;
using namespace hermes::daemon::test;
using Catch::Matchers::Contains;

namespace {

constexpr const char* k_bounded = R"(command = ["sh", "-c", "{body}"]
verdict = "exit-code"
limits = { tree_memory = "64M", tree_cpu = "50%" }
)";

std::string add_bounded(Rig& rig) {
  board::NewTask task;
  task.title = "bounded";
  task.body = "echo works";
  task.assignee = "bounded";
  return rig.board().create(std::move(task));
}

// Where the user's systemd would listen, below XDG_RUNTIME_DIR.
fs::path manager_socket(Rig& rig) {
  rig.set("XDG_RUNTIME_DIR", rig.path("runtime").string());
  fs::create_directories(rig.path("runtime") / "systemd");
  return rig.path("runtime") / "systemd" / "private";
}

// Takes connections, and says nothing.
Fd listener_at(const fs::path& path) {
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.string().size() < sizeof address.sun_path);
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 16) == 0);
  return listener;
}

// Speaks D-Bus, and makes no scope.
class FakeManager {
 public:
  enum class Answer { error, failed_job, none };

  FakeManager(const fs::path& socket, Answer answer)
      : answer_(answer), listener_(listener_at(socket)), thread_([this] { serve(); }) {}
  ~FakeManager() {
    ending_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

 private:
  void serve() {
    while (!ending_) {
      const int client = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) {
        speak(client);
      }
    }
  }

  // Until the other side goes; without an answer we go first.
  void speak(int client) {
    sd_bus* bus = nullptr;
    sd_id128_t id{};
    sd_id128_randomize(&id);
    sd_bus_new(&bus);
    sd_bus_set_fd(bus, client, client);
    sd_bus_set_server(bus, 1, id);
    sd_bus_add_filter(bus, nullptr, take, this);
    hung_up_ = false;
    int status = sd_bus_start(bus);
    while (status >= 0 && !hung_up_ && !ending_) {
      status = sd_bus_process(bus, nullptr);
      status = status == 0 ? sd_bus_wait(bus, 20'000) : status;
    }
    sd_bus_close_unref(bus);
  }

  static int take(sd_bus_message* message, void* self, sd_bus_error*) {
    FakeManager& manager = *static_cast<FakeManager*>(self);
    if (sd_bus_message_is_method_call(message, nullptr, "StartTransientUnit") <= 0) {
      return 0;
    }
    if (manager.answer_ == Answer::none) {
      manager.hung_up_ = true;
      return 1;
    }
    if (manager.answer_ == Answer::error) {
      sd_bus_reply_method_errorf(message, "org.freedesktop.systemd1.UnitExists", "there is one");
      return 1;
    }
    const char* unit = nullptr;
    sd_bus_message_read(message, "s", &unit);
    constexpr const char* k_job = "/org/freedesktop/systemd1/job/7";
    sd_bus_reply_method_return(message, "o", k_job);
    sd_bus_emit_signal(sd_bus_message_get_bus(message), "/org/freedesktop/systemd1",
                       "org.freedesktop.systemd1.Manager", "JobRemoved", "uoss", 7U, k_job, unit,
                       "failed");
    return 1;
  }

  Answer answer_;
  Fd listener_;
  std::atomic<bool> ending_ = false;
  bool hung_up_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a systemd that refuses, fails or hangs up makes no scope, and says why",
          "[daemon][threads]") {
  const hermes::test::TempDir dir;
  const std::vector<daemon::WantedScope> wanted{
      {.pid = ::getpid(), .name = "a", .description = "a", .limits = {.cpu_percent = 10}},
      {.pid = ::getpid(), .name = "b", .description = "b", .limits = {.cpu_percent = 10}}};
  const struct {
    FakeManager::Answer answer;
    ErrorCode code;
    std::string why;
  } cases[] = {{FakeManager::Answer::error, ErrorCode::unavailable, "there is one"},
               {FakeManager::Answer::failed_job, ErrorCode::unavailable, "its job ended: failed"},
               {FakeManager::Answer::none, ErrorCode::busy, "made no control group"}};
  for (const auto& one : cases) {
    INFO(one.why);
    const fs::path socket = dir / fmt::format("socket{}", static_cast<int>(one.answer));
    const FakeManager manager(socket, one.answer);
    const auto placed = daemon::place_in_scopes(socket, wanted);
    REQUIRE(placed.size() == 2);
    for (const auto& result : placed) {
      REQUIRE_FALSE(result);
      CHECK(result.error().code == one.code);
      CHECK_THAT(result.error().message, Contains(one.why));
    }
  }
}

TEST_CASE("a socket that nobody listens at any more is no systemd", "[daemon]") {
  const hermes::test::TempDir dir;
  { const Fd gone = listener_at(dir / "socket"); }
  REQUIRE(fs::exists(dir / "socket"));
  for (const fs::path& socket : {dir / "socket", dir / "none"}) {
    const auto placed = daemon::place_in_scopes(socket, {{.pid = ::getpid(), .name = "a"}});
    REQUIRE(placed.size() == 1);
    REQUIRE(placed.front());
    CHECK_FALSE(placed.front()->has_manager);
    CHECK_FALSE(placed.front()->memory);
  }
}

TEST_CASE("a systemd that does not answer keeps no dispatcher from starting", "[daemon]") {
  Rig rig;
  const fs::path socket = manager_socket(rig);
  const Fd silent = listener_at(socket);
  const auto began = std::chrono::steady_clock::now();
  CHECK_FALSE(daemon::killing_unit(
      "0::/user.slice/user-7.slice/user@7.service/app.slice/nightly.service\n", 1, socket));
  // A connection by itself gives up after a minute and a half.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds{30});
}

TEST_CASE("the service of a process is found in either version of control groups") {
  const auto of_user = daemon::service_of(
      "1:name=systemd:/user.slice/user-7.slice/user@7.service/app.slice/nightly.service\n"
      "0::/user.slice\n");
  REQUIRE(of_user);
  CHECK(of_user->name == "nightly.service");
  CHECK(of_user->of_user);
  const auto of_system = daemon::service_of("0::/system.slice/cron.service\n");
  REQUIRE(of_system);
  CHECK(of_system->name == "cron.service");
  CHECK_FALSE(of_system->of_user);
  const auto nested = daemon::service_of("0::/system.slice/_cpu.service/workers/one\n");
  REQUIRE(nested);
  CHECK(nested->name == "cpu.service");
  for (const char* other :
       {"", "0::/\n", "0::/user.slice/user-7.slice/user@7.service/app.slice/a.scope\n",
        "0::/user.slice/user-7.slice/session-3.scope\n", "garbage",
        "4:memory:/system.slice/cron.service\n0::/user.slice/user-7.slice/session-3.scope\n"}) {
    CHECK_FALSE(daemon::service_of(other));
  }
}

TEST_CASE("a controller holds a process by the group of its scope, in either version", "[daemon]") {
  const hermes::test::TempDir root;
  const fs::path group = root / "user.slice" / "x.scope";
  fs::create_directories(group);
  std::ofstream(group / "memory.max") << "max";
  const auto held = [&](const std::string& groups, const std::string& controller) {
    return daemon::is_held(groups, "x.scope", controller, controller + ".max", {root.path()});
  };
  const std::string unified = "0::/user.slice/x.scope\n";
  CHECK(held(unified, "memory"));
  CHECK_FALSE(held(unified, "cpu"));  // not delegated
  CHECK_FALSE(held("0::/user.slice\n", "memory"));
  const std::string hybrid = "4:memory:/a/x.scope\n2:cpu,cpuacct:/a\n1:name=systemd:/a/x.scope\n";
  CHECK(held(hybrid + unified, "memory"));
  CHECK_FALSE(held(hybrid + unified, "cpu"));
  CHECK(held("2:cpuacct,cpu:/a/x.scope\n", "cpu"));
  CHECK_FALSE(held("", "memory"));
  CHECK_FALSE(held("nonsense\n::\n", "memory"));
}

TEST_CASE("without a systemd of its user a worker runs, and the log says what does not hold",
          "[daemon]") {
  Rig rig;
  manager_socket(rig);
  rig.write_profile("bounded", k_bounded);
  const std::string id = add_bounded(rig);
  const std::string second = add_bounded(rig);
  rig.start();
  REQUIRE(rig.board().wait_for(id, Status::done));
  REQUIRE(rig.board().wait_for(second, Status::done));
  const std::string said = rig.said();
  const std::string line = "profile bounded: its workers' trees are not bounded: no systemd";
  CHECK_THAT(said, Contains(line));
  CHECK(said.find(line) == said.rfind(line));
  const Ran checked = rig.run_hermes({"profile", "check", "bounded"});
  CHECK(checked.status == 0);
  CHECK_THAT(checked.out, Contains("trees are not bounded: no systemd of this user listens at"));
}

TEST_CASE("a systemd that does not answer keeps its workers from starting, and nothing else",
          "[daemon]") {
  Rig rig;
  const fs::path socket = manager_socket(rig);
  rig.write_profile("bounded", k_bounded);
  const std::string id = add_bounded(rig);
  std::vector<std::string> later;
  for (int i = 0; i < 5; ++i) {
    later.push_back(add_bounded(rig));
  }
  {
    const Fd manager = listener_at(socket);
    rig.start();
    REQUIRE(wait_until(
        [&] {
          const auto runs = rig.board().runs(id);
          return !runs.empty() && runs.front().outcome == Outcome::aborted;
        },
        k_patience));
    const Task held = rig.board().task(id);
    CHECK(held.status == Status::ready);
    CHECK(held.failures == 0);
    REQUIRE(held.held_until);
    const Run run = rig.board().last_run(id);
    CHECK_THAT(run.error.value_or(""), Contains("the user's systemd made no control group"));
    CHECK(rig.board().log(id).empty());
    for (int i = 0; i < 20; ++i) {
      REQUIRE(rig.board().wait_for(rig.board().add("true"), Status::done));
    }
    // All others were tried with the first one, or not at all.
    for (const std::string& other : later) {
      CHECK(rig.board().runs(other).size() <= 1);
    }
  }
  fs::remove(socket);
  REQUIRE(rig.board().wait_for(id, Status::done));  // they are tried again
  for (const std::string& other : later) {
    REQUIRE(rig.board().wait_for(other, Status::done));
  }
}
