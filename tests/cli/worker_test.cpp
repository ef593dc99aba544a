#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

// A claim by hand, and the environment of a worker that has it.
struct Worker {
  Hermes hermes;
  std::string own = hermes.create({"own"});
  std::string foreign = hermes.create({"foreign"});
  Json claim = Json::parse(hermes.kanban({"claim", own, "--as", "robot", "--json"}).out);

  Worker() {
    hermes.set("HERMES_KANBAN_BOARD", "default");
    hermes.set("HERMES_KANBAN_TASK", own);
    hermes.set("HERMES_KANBAN_RUN_ID", claim["run_id"].dump());
    hermes.set("HERMES_KANBAN_RUN_TOKEN", claim["token"].get<std::string>());
    hermes.set("HERMES_PROFILE", "boss");  // which it is not
  }
};

}  // namespace

TEST_CASE("a worker changes only its own task", "[cli]") {
  const Worker worker;
  const std::int64_t before = worker.hermes.last_event();
  for (const std::string verb :
       {"complete", "block", "archive", "claim", "reclaim", "unblock", "promote"}) {
    const Ran ran = worker.hermes.kanban({verb, worker.foreign});
    INFO(verb << ": " << ran.err);
    CHECK(ran.status == 1);
    CHECK(ran.err.find("own task") != std::string::npos);
  }
  CHECK(worker.hermes.last_event() == before);
}

TEST_CASE("a worker may create, link and comment anywhere, in its own name", "[cli]") {
  const Worker worker;
  const std::string made = worker.hermes.create({"follow-up"});
  CHECK(Json::parse(worker.hermes.kanban({"show", made, "--json"}).out)["task"]["created_by"] ==
        "robot");
  const std::string other = worker.hermes.create({"another", "--created-by", "boss"});
  CHECK(Json::parse(worker.hermes.kanban({"show", other, "--json"}).out)["task"]["created_by"] ==
        "robot");
  CHECK(worker.hermes.kanban({"comment", worker.foreign, "look", "--author", "boss"}).status == 0);
  CHECK(worker.hermes.kanban({"link", worker.own, made}).status == 0);
  CHECK(worker.hermes.kanban({"show", worker.foreign}).out.find("robot: look") !=
        std::string::npos);
}

TEST_CASE("a worker heartbeats and completes its own task", "[cli]") {
  const Worker worker;
  CHECK(worker.hermes.kanban({"heartbeat", worker.own, "--note", "half way"}).status == 0);
  CHECK(worker.hermes.kanban({"complete", worker.own, "--summary", "all done"}).status == 0);
  const Json whole = Json::parse(worker.hermes.kanban({"show", worker.own, "--json"}).out);
  CHECK(whole["latest_summary"] == "all done");
  CHECK(whole["runs"].size() == 1);
}

TEST_CASE("a superseded worker is refused, whatever it holds", "[cli]") {
  Worker worker;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"HERMES_KANBAN_RUN_TOKEN", "0123456789abcdef0123456789abcdef"},
           {"HERMES_KANBAN_RUN_ID", "4711"},
           {"HERMES_KANBAN_RUN_ID", "x"},
           {"HERMES_KANBAN_BOARD", ""}}) {
    Worker fresh;
    fresh.hermes.set(name, value);
    const std::int64_t before = fresh.hermes.last_event();
    for (const std::string verb : {"complete", "block", "heartbeat"}) {
      const Ran ran = fresh.hermes.kanban({verb, fresh.own});
      INFO(name << "=" << value << " " << verb << ": " << ran.out << ran.err);
      CHECK(ran.status == 1);
    }
    CHECK(fresh.hermes.last_event() == before);
  }
}

}  // namespace hermes::test
