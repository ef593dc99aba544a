// Workers whose profile bounds their trees, where no systemd does it. tests/systemd has the rest.
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/rig.hpp"
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
Fd silent_manager(const fs::path& path) {
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.string().size() < sizeof address.sun_path);
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 16) == 0);
  return listener;
}

}  // namespace

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
  const std::string line = "profile bounded: limits.tree_memory and tree_cpu does not hold";
  CHECK_THAT(said, Contains(line));
  CHECK(said.find(line) == said.rfind(line));
  const Ran checked = rig.run_hermes({"profile", "check", "bounded"});
  CHECK(checked.status == 0);
  CHECK_THAT(checked.out, Contains("limits.tree_memory and limits.tree_cpu do not hold"));
}

TEST_CASE("a systemd that does not answer keeps its workers from starting, and nothing else",
          "[daemon]") {
  Rig rig;
  const fs::path socket = manager_socket(rig);
  rig.write_profile("bounded", k_bounded);
  const std::string id = add_bounded(rig);
  {
    const Fd manager = silent_manager(socket);
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
    REQUIRE(rig.board().wait_for(rig.board().add("true"), Status::done));
  }
  fs::remove(socket);
  REQUIRE(rig.board().wait_for(id, Status::done));  // it is tried again
}
