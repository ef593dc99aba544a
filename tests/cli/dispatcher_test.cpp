#include <signal.h>
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"
#include "support/wait.hpp"
#include "verbs/service.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;

Json status_of(const Hermes& hermes) {
  return Json::parse(hermes.run({"dispatcher", "status", "--json"}).out);
}

// A dispatcher in the background that is stopped whatever happens.
class Background {
 public:
  explicit Background(const Hermes& hermes) : hermes_(hermes) {}
  ~Background() { hermes_.run({"dispatcher", "stop"}); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  const Hermes& hermes_;
};

// No systemd of this machine's user is to be touched.
void leave_systemd_alone(Hermes& hermes) {
  hermes.set("XDG_RUNTIME_DIR", (hermes.dir() / "none").string());
  hermes.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=" + (hermes.dir() / "none").string());
  hermes.set("XDG_CONFIG_HOME", (hermes.dir() / "config").string());
}

}  // namespace

TEST_CASE("where no systemd runs the dispatcher is started in the background, once", "[cli]") {
  Hermes hermes;
  leave_systemd_alone(hermes);
  const Background guard(hermes);
  CHECK(hermes.run({"dispatcher", "status"}).status == 1);
  const Ran started = hermes.run({"dispatcher", "start"});
  INFO(started.err);
  REQUIRE(started.status == 0);
  CHECK(started.err.find("outside of systemd") != std::string::npos);
  const Json first = status_of(hermes);
  CHECK(first["running"] == true);
  CHECK(first["managed_by"] == "nobody");
  CHECK(first["since"].is_number_integer());
  struct stat facts {};
  REQUIRE(::stat((hermes.home() / "dispatcher.log").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);

  const Ran again = hermes.run({"dispatcher", "start"});
  CHECK(again.status == 0);
  CHECK(again.out.find("runs already") != std::string::npos);
  CHECK(status_of(hermes)["pid"] == first["pid"]);

  REQUIRE(hermes.run({"dispatcher", "restart"}).status == 0);
  CHECK(status_of(hermes)["pid"] != first["pid"]);
  CHECK(hermes.run({"dispatcher", "stop"}).status == 0);
  CHECK(status_of(hermes)["running"] == false);
  CHECK(hermes.run({"dispatcher", "stop"}).out.find("was not running") != std::string::npos);
}

TEST_CASE("dispatcher status tells what runs, what waits and why, and why the last one ended",
          "[cli]") {
  Hermes hermes;
  leave_systemd_alone(hermes);
  const Background guard(hermes);
  REQUIRE(hermes.run({"dispatcher", "start"}).status == 0);
  const auto flag = hermes.dir() / "go";
  const std::string running =
      hermes.create({"runs", "--assignee", "shell", "--body",
                     "until [ -e " + flag.string() + " ]; do sleep 0.02; done"});
  const std::string lane = hermes.create({"waits", "--assignee", "ann"});
  REQUIRE(wait_until([&] {
    const Json board = status_of(hermes)["boards"][0];
    return board["running"].size() == 1 && board["running"][0]["pid"].is_number();
  }));
  // Workers outlive the dispatcher, and status knows them all the same.
  const Ran stopped = hermes.run({"dispatcher", "stop"});
  CHECK(stopped.out.find("1 worker goes on") != std::string::npos);
  const Json board = status_of(hermes)["boards"][0];
  CHECK(board["running"][0]["task_id"] == running);
  REQUIRE(board["waiting"].size() == 1);
  CHECK(board["waiting"][0]["task_id"] == lane);
  CHECK(board["waiting"][0]["holds"].dump().find("no_dispatcher") != std::string::npos);
  CHECK(board["last_end"]["reason"].get<std::string>().find("SIGTERM") != std::string::npos);
  const Ran shown = hermes.run({"dispatcher", "status"});
  CHECK(shown.status == 1);
  CHECK(shown.out.find(running) != std::string::npos);
  CHECK(shown.out.find("no profile 'ann'") != std::string::npos);
  REQUIRE(hermes.run({"dispatcher", "start"}).status == 0);
  std::ofstream(flag) << "";
  CHECK(wait_until([&] { return status_of(hermes)["boards"][0]["counts"].value("done", 0) == 1; }));
}

TEST_CASE("a dispatcher that cannot start says why", "[cli]") {
  Hermes hermes;
  leave_systemd_alone(hermes);
  std::ofstream(hermes.home() / "config.toml") << "[dispatcher]\nmax_in_progress = -1\n";
  const Ran ran = hermes.run({"dispatcher", "start"});
  CHECK(ran.status == 1);
  CHECK(ran.err.find("config.toml:2") != std::string::npos);
  Hermes empty(false);
  CHECK(empty.run({"dispatcher", "start"}).err.find("hermes init") != std::string::npos);
}

TEST_CASE("a worker cannot start a dispatcher that would end together with it", "[cli]") {
  Hermes hermes;
  leave_systemd_alone(hermes);
  hermes.set("HERMES_KANBAN_TASK", "t_00000000");
  hermes.set("HERMES_KANBAN_RUN_ID", "1");
  hermes.set("HERMES_KANBAN_RUN_TOKEN", "x");
  for (const std::string verb : {"start", "restart"}) {
    const Ran ran = hermes.run({"dispatcher", verb});
    CHECK(ran.status == 1);
    CHECK(ran.err.find("a worker cannot use `hermes dispatcher " + verb) != std::string::npos);
  }
  CHECK(status_of(hermes)["running"] == false);
}

TEST_CASE("why and status know the caps that the dispatcher applies, whatever the file says",
          "[cli]") {
  Hermes hermes;
  leave_systemd_alone(hermes);
  std::ofstream(hermes.home() / "config.toml") << "[dispatcher]\nmax_in_progress = 1\n";
  const Background guard(hermes);
  REQUIRE(hermes.run({"dispatcher", "start"}).status == 0);
  const auto flag = hermes.dir() / "go";
  const std::string wait = "until [ -e " + flag.string() + " ]; do sleep 0.02; done";
  hermes.create({"first", "--assignee", "shell", "--body", wait});
  REQUIRE(wait_until([&] { return status_of(hermes)["boards"][0]["running"].size() == 1; }));
  const std::string second = hermes.create({"second", "--assignee", "shell", "--body", "true"});
  // A bad edit: the dispatcher keeps its old value, and that is the one that counts.
  std::ofstream(hermes.home() / "config.toml") << "[dispatcher]\nmax_in_progress = -7\n";
  CHECK(hermes.kanban({"why", second}).out.find("(max_in_progress) is 1") != std::string::npos);
  CHECK(hermes.run({"dispatcher", "status"}).out.find("keeps its old values") != std::string::npos);
  std::ofstream(flag) << "";
  CHECK(wait_until([&] { return status_of(hermes)["boards"][0]["counts"].value("done", 0) == 2; }));
}

TEST_CASE("install writes the unit also where no systemd answers, and says what is left to do",
          "[cli]") {
  Hermes hermes;
  leave_systemd_alone(hermes);
  const Ran ran = hermes.run({"dispatcher", "install"});
  CHECK(ran.status == 1);
  CHECK(ran.err.find("systemctl --user enable") != std::string::npos);
  const auto unit = hermes.dir() / "config/systemd/user/hermes-dispatcher.service";
  std::ifstream file(unit);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text.find("HERMES_HOME=" + hermes.home().string()) != std::string::npos);
  CHECK(text.find("PATH=") != std::string::npos);
  CHECK(text.find("KillMode=process") != std::string::npos);
  std::ofstream(unit) << "[Service]\nExecStart=/bin/true\n";
  CHECK(hermes.run({"dispatcher", "install"}).err.find(".old") != std::string::npos);
  CHECK(std::filesystem::exists(unit.string() + ".old"));
  CHECK(hermes.run({"dispatcher", "uninstall"}).status == 0);
  CHECK(!std::filesystem::exists(unit));
}

TEST_CASE("the home of a unit is read as systemd prints it", "[verbs]") {
  using verbs::variable_in;
  CHECK(variable_in("HERMES_HOME=/a/b X=1", "HERMES_HOME") == "/a/b");
  CHECK(variable_in("X=1 \"HERMES_HOME=/a b\"", "HERMES_HOME") == "/a b");
  CHECK(variable_in("X=\\\"HERMES_HOME=/n\\\" HERMES_HOME=/a\\\\b", "HERMES_HOME") == "/a\\b");
  CHECK(!variable_in("OTHER_HERMES_HOME=/a HERMES_HOMES=/b", "HERMES_HOME"));
  CHECK(!variable_in("", "HERMES_HOME"));
}

}  // namespace hermes::test
