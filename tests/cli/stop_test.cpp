#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/run_hermes.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/home/registry.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

// A run of the dispatcher's kind, as if a worker lived; no process stands behind it.
void start_worker(const Hermes& hermes, const std::string& task_id) {
  auto database = db::Database::open(home::files_of(home::Home{hermes.home()}.board("default")),
                                     db::Database::Access::write, wall_clock_now());
  REQUIRE(database);
  SystemRandom random;
  const Actor actor{"dispatcher", std::nullopt};
  const Limits limits;
  const auto run = database->write([&](db::Writer& tx) {
    board::Change change{tx, wall_clock_now(), actor, "default", limits, random};
    board::ClaimRequest request;
    request.holder_kind = HolderKind::dispatcher;
    request.profile = "shell";
    request.holder = "test";
    request.ttl = std::chrono::minutes{15};
    return board::claim(change, task_id, request);
  });
  REQUIRE(run);
}

// Stands for hermes-dispatcher: notes its arguments.
std::string fake_dispatcher(const Hermes& hermes, int status) {
  const auto path = hermes.dir() / "hermes-dispatcher";
  std::ofstream(path) << "#!/bin/sh\necho \"$@\" >> '" << (hermes.dir() / "called").string()
                      << "'\necho out\nexit " << status << "\n";
  ::chmod(path.c_str(), 0755);
  return path.string();
}

std::string called(const Hermes& hermes) {
  std::ostringstream text;
  text << std::ifstream(hermes.dir() / "called").rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a person's reclaim of a live worker commits the intent and has it finished", "[cli]") {
  Hermes hermes;
  const std::string id = hermes.create({"a", "--assignee", "shell"});
  start_worker(hermes, id);
  hermes.set("HERMES_DISPATCHER", fake_dispatcher(hermes, 0));
  const Ran ran = hermes.kanban({"reclaim", id, "--reason", "wrong branch"});
  CHECK(ran.status == 0);
  CHECK(ran.out.find("Reclaimed " + id) == 0);
  CHECK(called(hermes) == "--finish\n");
  // The stand-in stopped nothing, and that is said.
  CHECK(ran.err.find("not gone yet") != std::string::npos);
  const Json whole = Json::parse(hermes.kanban({"show", id, "--json"}).out);
  CHECK(whole["runs"][0]["stop_kind"] == "reclaim");
}

TEST_CASE("without any dispatcher the intent stands and the truth is told", "[cli]") {
  Hermes hermes;
  const std::string id = hermes.create({"a", "--assignee", "shell"});
  start_worker(hermes, id);
  hermes.set("HERMES_DISPATCHER", "/no/such/program");
  CHECK(hermes.kanban({"complete", id}).status == 1);
  const Ran ran = hermes.kanban({"complete", id, "--force"});
  CHECK(ran.status == 0);
  CHECK(ran.out.find("told to stop") != std::string::npos);
  CHECK(ran.err.find("/no/such/program") != std::string::npos);
}

TEST_CASE("an external claim ends at once and needs no dispatcher", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  const Ran ran = hermes.kanban({"reclaim", id});
  CHECK(ran.status == 0);
  CHECK(ran.out == "Reclaimed " + id + "\n");
  CHECK(ran.err.empty());
}

TEST_CASE("daemon and dispatch hand their flags, output and exit status through", "[cli]") {
  Hermes hermes;
  hermes.set("HERMES_DISPATCHER", fake_dispatcher(hermes, 3));
  const Ran dispatch = hermes.kanban({"dispatch", "--max", "4", "--json"});
  CHECK(dispatch.status == 3);
  CHECK(dispatch.out == "out\n");
  CHECK(hermes.kanban({"daemon", "-v", "--interval", "5s", "--pidfile", "/x"}).status == 3);
  CHECK(called(hermes) == "--once --max 4 --json\n--interval 5s --pidfile /x --verbose\n");
}

}  // namespace hermes::test
