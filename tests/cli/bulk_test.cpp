#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

std::string status_of(const Hermes& hermes, const std::string& id) {
  return Json::parse(hermes.kanban({"show", id, "--json"}).out)["task"]["status"];
}

}  // namespace

TEST_CASE("one bad id never stops the others", "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a"});
  const std::string b = hermes.create({"b"});
  const Ran ran = hermes.kanban({"complete", a, "t_00000000", "../x", b, "--result", "shared"});
  CHECK(ran.status == 1);
  CHECK(ran.out == "Completed " + a + "\nCompleted " + b + "\n");
  CHECK(ran.err.find("t_00000000") != std::string::npos);
  CHECK(ran.err.find("../x") != std::string::npos);
  CHECK(status_of(hermes, a) == "done");
  CHECK(status_of(hermes, b) == "done");
}

TEST_CASE("a single id is answered with an object, several with an array", "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a"});
  const std::string b = hermes.create({"b"});
  const Json one = Json::parse(hermes.kanban({"complete", a, "--json"}).out);
  CHECK(one["task_id"] == a);
  CHECK(one["ok"] == true);
  CHECK(one["error"].is_null());
  const Ran ran = hermes.kanban({"archive", a, "t_00000000", b, "--json"});
  CHECK(ran.status == 1);
  const Json all = Json::parse(ran.out);
  REQUIRE(all.size() == 3);
  CHECK(all[0]["ok"] == true);
  CHECK(all[1]["ok"] == false);
  CHECK(all[1]["error"].get<std::string>().find("t_00000000") != std::string::npos);
  CHECK(all[2]["status"] == "archived");
}

TEST_CASE("block and unblock take several tasks, and words after the options", "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a"});
  const std::string b = hermes.create({"b"});
  const Ran ran = hermes.kanban(
      {"block", a, "--kind", "needs_input", "which", "colour", "--ids", b, "t_00000000"});
  CHECK(ran.status == 1);
  CHECK(ran.out == "Blocked " + a + ": which colour\nBlocked " + b + ": which colour\n");
  const Json shown = Json::parse(hermes.kanban({"show", a, "--json"}).out);
  CHECK(shown["task"]["block_reason"] == "which colour");
  CHECK(shown["task"]["block_source"] == "human");
  CHECK(hermes.kanban({"unblock", a, b, "--reason", "blue"}).status == 0);
  CHECK(status_of(hermes, a) == "ready");
}

TEST_CASE("a refused block leaves no comment behind", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes.kanban({"complete", id}).status == 0);
  CHECK(hermes.kanban({"block", id, "too", "late"}).status == 1);
  CHECK(Json::parse(hermes.kanban({"show", id, "--json"}).out)["comments"].empty());
}

TEST_CASE("promote reports exactly its six keys and does each task once", "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a", "--triage"});
  const std::string b = hermes.create({"b", "--triage"});
  const Ran dry = hermes.kanban({"promote", a, "--dry-run", "--json"});
  CHECK(dry.status == 0);
  CHECK(Json::parse(dry.out) == Json({{"task_id", a},
                                      {"promoted", false},
                                      {"dry_run", true},
                                      {"forced", false},
                                      {"reason", nullptr},
                                      {"error", nullptr}}));
  CHECK(status_of(hermes, a) == "triage");
  const Ran ran =
      hermes.kanban({"promote", a, "it is time", "--ids", b, a, "t_00000000", "--json"});
  CHECK(ran.status == 1);
  const Json items = Json::parse(ran.out);
  REQUIRE(items.size() == 3);
  CHECK(items[0]["promoted"] == true);
  CHECK(items[0]["reason"] == "it is time");
  CHECK(items[1]["task_id"] == b);
  CHECK(items[2]["promoted"] == false);
  CHECK(items[2]["error"].is_string());
  CHECK(items[2].size() == 6);
}

TEST_CASE("archive tells which tasks are left waiting", "[cli]") {
  const Hermes hermes;
  const std::string parent = hermes.create({"parent"});
  const std::string child = hermes.create({"child", "--parent", parent});
  const Ran ran = hermes.kanban({"archive", parent});
  CHECK(ran.status == 0);
  CHECK(ran.out.find("Archived " + parent) == 0);
  CHECK(ran.out.find(child) != std::string::npos);
}

TEST_CASE("a task that is named twice is done once, and that is no mistake", "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a"});
  const std::string b = hermes.create({"b"});
  for (const std::string verb : {"complete", "archive"}) {
    const Ran ran = hermes.kanban({verb, a, b, a, b.substr(2), "--json"});
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(Json::parse(ran.out).size() == 2);
  }
}

}  // namespace hermes::test
