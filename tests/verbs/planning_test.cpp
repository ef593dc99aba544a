// What a planner may answer, and what is made of it.
#include <catch2/catch.hpp>
#include <fstream>

#include "kernel/base/files.hpp"
#include "kernel/home/profile.hpp"
#include "verbs/fake_host.hpp"

using Catch::Matchers::Contains;

namespace hermes::test {

namespace {

// A home with a planner whose answer the test gives.
struct PlannerRig : VerbRig {
  explicit PlannerRig(const std::string& more = "") {
    std::ofstream(home().config()) << "[planner]\ncommand = [\"sh\", \"--quiet\"]\n" << more;
    host.time = environment.now;
    host.on_child = [this](const home::ChildCommand&) {
      home::ChildEnd end;
      end.out = answer;
      return end;
    };
  }

  std::string rough(const std::string& title = "rough") { return create(title, {{"triage", ""}}); }
  verbs::Json ask(const std::string& verb, const std::string& id) {
    const auto done = call(verb, {{"task_id", id}});
    REQUIRE(done);
    failures = done->failures;
    return done->value;
  }
  std::string status(const std::string& id) {
    return call("show", {{"task_id", id}})->value["task"]["status"];
  }
  verbs::Json task(const std::string& id) { return call("show", {{"task_id", id}})->value["task"]; }

  std::string answer;
  std::vector<Error> failures;
};

}  // namespace

TEST_CASE("the planner is given the task, its comments and whom tasks may be given to", "[verbs]") {
  PlannerRig rig("env_pass = [\"API_KEY\"]\nenv = { MODEL = \"small\" }\n");
  rig.environment.variables["API_KEY"] = "k";
  rig.environment.variables["OTHER_KEY"] = "o";
  const auto id = rig.create("rough", {{"triage", ""}, {"body", "words"}});
  rig.create("of a lane", {{"assignee", "ann"}});
  REQUIRE(rig.call("comment", {{"task_id", id}, {"text", "it must be blue"}}));
  rig.answer = R"({"title": "Better"})";
  rig.ask("specify", id);
  REQUIRE(rig.host.children.size() == 1);
  const home::ChildCommand& asked = rig.host.children[0];
  CHECK(asked.argv == std::vector<std::string>{"sh", "--quiet"});
  const auto request = verbs::Json::parse(asked.input);
  CHECK(request["kind"] == "specify");
  CHECK(request["task"]["id"] == id);
  CHECK(request["task"]["body"] == "words");
  CHECK(request["task"]["comments"][0]["body"] == "it must be blue");
  CHECK(request["assignees"][0]["name"] == "ann");
  CHECK(request["assignees"][1]["name"] == "shell");
  const auto& env = asked.environment;
  CHECK(std::ranges::find(env, "API_KEY=k") != env.end());
  CHECK(std::ranges::find(env, "MODEL=small") != env.end());
  CHECK(std::ranges::find(env, "HERMES_KANBAN_BOARD=default") != env.end());
  CHECK(std::ranges::none_of(env, [](const std::string& one) { return one.starts_with("OTHER"); }));
}

TEST_CASE("an answer that is not what was agreed is refused, named and counted", "[verbs]") {
  const std::vector<std::array<std::string, 3>> answers{
      {"specify", "", "answered nothing"},
      {"specify", " \n", "answered nothing"},
      {"specify", "Sure! Here it is", "is not a JSON object: Sure! Here it is"},
      {"specify", "[1]", "is not a JSON object"},
      {"specify", "{\"title\": \"\xff\"}", "is not a JSON object"},
      {"specify", "{}", "neither a title nor a body"},
      {"specify", R"({"title": " ", "body": null})", "neither a title nor a body"},
      {"specify", R"({"title": 3})", "something else than a text as 'title'"},
      {"specify", R"({"titel": "x"})", "unknown key 'titel'"},
      {"decompose", R"({"children": [{"title": "a"}]})", "does not say whether it splits"},
      {"decompose", R"({"fanout": true})", "no children"},
      {"decompose", R"({"fanout": true, "children": {}})", "something else than a list"},
      {"decompose", R"({"fanout": true, "children": ["a"]})", "no JSON object in child 0"},
      {"decompose", R"({"fanout": true, "children": [{"body": "a"}]})", "child 0 has no title"},
      {"decompose", R"({"fanout": true, "children": [{"title": "a", "parent": [0]}]})",
       "unknown key 'parent' in child 0"},
      {"decompose", R"({"fanout": true, "children": [{"title": "a", "parents": ["0"]}]})",
       "whole numbers in 'parents'"},
      {"decompose", R"({"fanout": true, "children": [{"title": "a", "parents": [0]}]})",
       "waits for itself"},
      {"decompose",
       R"({"fanout": true, "children": [{"title": "a", "parents": [18446744073709551615]}]})",
       "which is not there"},
      {"decompose",
       R"({"fanout": true, "children": [{"title": "a", "parents": [1]}, {"title": "b", "parents": [0]}]})",
       "in a circle: 0 -> 1 -> 0"},
      {"decompose", R"({"fanout": true, "children": [{"title": "a", "workspace_kind": "moon"}]})",
       "workspace_kind 'moon'"},
      {"decompose", R"({"fanout": true, "children": [{"title": "a", "workspace_kind": "dir"}]})",
       "without an absolute path"},
      {"decompose", R"({"fanout": true, "title": "x", "children": [{"title": "a"}]})",
       "a title or a body for a task that it splits"},
      {"decompose", R"({"fanout": false, "title": "x", "children": [{"title": "a"}]})",
       "children, and \"fanout\": false"},
  };
  PlannerRig rig;
  for (const auto& [verb, answer, part] : answers) {
    CAPTURE(verb, answer);
    const auto id = rig.rough();
    rig.answer = answer;
    const auto line = rig.ask(verb, id);
    CHECK(line["ok"] == false);
    CHECK_THAT(line["reason"].get<std::string>(), Contains(part));
    REQUIRE(rig.failures.size() == 1);
    CHECK_THAT(rig.failures[0].message, Contains(id) && Contains(part));
    CHECK(rig.status(id) == "triage");
    const auto shown = rig.call("show", {{"task_id", id}})->value;
    CHECK(shown["planning"]["failures"] == 1);
    CHECK(shown["planning"]["last_error"] == line["reason"]);
    CHECK(shown["events"].back()["kind"] == "planning_failed");
  }
  CHECK(rig.call("list", {})->value.size() == answers.size());  // nothing else was made
}

TEST_CASE("whom the planner invents is replaced by the default assignee, and that is said",
          "[verbs]") {
  PlannerRig rig("[dispatcher]\ndefault_assignee = \"shell\"\n");
  rig.create("of a lane", {{"assignee", "ann"}});
  const auto id = rig.rough();
  rig.answer = R"({"fanout": true, "assignee": "Nobody-I-know", "children": [
      {"title": "a", "assignee": "zorro"}, {"title": "b"}, {"title": "c", "assignee": " ANN "}]})";
  const auto done = rig.call("decompose", {{"task_id", id}});
  REQUIRE(done);
  const auto& ids = done->value["child_ids"];
  REQUIRE(ids.size() == 3);
  CHECK(rig.task(ids[0])["assignee"] == "shell");
  CHECK(rig.task(ids[1])["assignee"] == "shell");
  CHECK(rig.task(ids[2])["assignee"] == "ann");
  CHECK(rig.task(id)["assignee"] == nullptr);
  REQUIRE(done->advice.size() == 2);
  CHECK_THAT(done->advice[0], Contains("'zorro'") && Contains("'shell' is assigned"));
  const auto comments = rig.call("show", {{"task_id", id}})->value["comments"];
  CHECK_THAT(comments[0]["body"].get<std::string>(), Contains("zorro"));
}

TEST_CASE("the root of a decomposition goes to whom the settings name, unless it is somebody's",
          "[verbs]") {
  PlannerRig rig("root_assignee = \"Lead\"\n");
  const auto id = rig.rough();
  rig.answer = R"({"fanout": true, "assignee": "shell", "children": [{"title": "a"}]})";
  CHECK(rig.ask("decompose", id)["ok"] == true);
  CHECK(rig.task(id)["assignee"] == "lead");
  const auto given = rig.create("rough", {{"triage", ""}, {"assignee", "shell"}});
  rig.ask("decompose", given);
  CHECK(rig.task(given)["assignee"] == "shell");
}

TEST_CASE("an invented assignee takes nothing from who is assigned, and the note says so",
          "[verbs]") {
  PlannerRig rig;
  const auto id = rig.create("rough", {{"triage", ""}, {"assignee", "ann"}});
  rig.answer = R"({"fanout": true, "assignee": "zorro", "children": [{"title": "a"}]})";
  CHECK(rig.ask("decompose", id)["ok"] == true);
  CHECK(rig.task(id)["assignee"] == "ann");
  const auto comments = rig.call("show", {{"task_id", id}})->value["comments"];
  CHECK_THAT(comments[0]["body"].get<std::string>(),
             Contains("'zorro'") && Contains("'ann' is assigned"));
}

TEST_CASE("decompose without a fan-out is a specify that leaves nobody unassigned", "[verbs]") {
  PlannerRig rig("[dispatcher]\ndefault_assignee = \"shell\"\n");
  const auto id = rig.rough();
  rig.answer = R"({"fanout": false, "title": "One piece", "children": []})";
  const auto line = rig.ask("decompose", id);
  CHECK(line["ok"] == true);
  CHECK(line["fanout"] == false);
  CHECK(line["child_ids"] == nullptr);
  CHECK(line["new_title"] == "One piece");
  CHECK(line["status"] == "ready");
  CHECK(rig.task(id)["assignee"] == "shell");
}

TEST_CASE("a body that the planner has not seen whole is not replaced", "[verbs]") {
  PlannerRig rig;
  const auto id = rig.create("rough", {{"triage", ""}, {"body", std::string(40'000, 'x')}});
  rig.answer = R"({"title": "t", "body": "short"})";
  CHECK_THAT(rig.ask("specify", id)["reason"].get<std::string>(), Contains("first 32768 bytes"));
  CHECK(verbs::Json::parse(rig.host.children[0].input)["task"]["body_cut"] == true);
  CHECK(rig.task(id)["body"].get<std::string>().size() == 40'000);
  rig.answer = R"({"title": "t"})";
  CHECK(rig.ask("specify", id)["ok"] == true);
}

TEST_CASE("what has the form of a secret is masked in titles, reasons and comments", "[verbs]") {
  PlannerRig rig;
  const std::string secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
  const auto id = rig.rough();
  rig.answer = "{\"fanout\": true, \"children\": [{\"title\": \"use " + secret +
               "\", \"assignee\": \"" + secret + "\"}]}";
  const auto done = rig.call("decompose", {{"task_id", id}});
  REQUIRE(done);
  const auto failed = rig.rough();
  rig.answer = "oops " + secret;
  const auto refused = rig.call("specify", {{"task_id", failed}});
  std::string all = done->value.dump() + refused->value.dump() + refused->failures[0].message +
                    rig.call("list", {})->value.dump();
  for (const std::string& line : done->advice) {
    all += line;
  }
  for (const auto& one : {id, failed, done->value["child_ids"][0].get<std::string>()}) {
    all += rig.call("show", {{"task_id", one}})->value.dump();
  }
  CHECK(all.find(secret) == std::string::npos);
}

TEST_CASE("specify --all plans what was created in triage, and says what it passes over and why",
          "[verbs]") {
  PlannerRig rig;
  const auto first = rig.rough("first");
  const auto second = rig.create("second", {{"triage", ""}, {"tenant", "acme"}});
  rig.answer = "junk";
  CHECK(rig.ask("specify", first)["ok"] == false);
  rig.answer = R"({"title": "Better"})";
  const auto done = rig.call("specify", {{"all", ""}});
  REQUIRE(done);
  REQUIRE(done->value.size() == 1);
  CHECK(done->value[0]["task_id"] == second);
  CHECK(done->exit_status == 0);
  REQUIRE(done->advice.size() == 1);
  CHECK_THAT(done->advice[0], Contains(first) && Contains("rests for another"));
  // A person who names it does not wait.
  CHECK(rig.ask("specify", first)["ok"] == true);
  const auto none = rig.call("decompose", {{"all", ""}});
  CHECK(none->value == verbs::Json({{"decomposed", 0}, {"total", 0}, {"passed_over", 0}}));
  CHECK(none->exit_status == 0);
}

TEST_CASE("specify --all goes on after a failure, and fails only when nothing went well",
          "[verbs]") {
  PlannerRig rig;
  const auto bad = rig.rough("bad");
  const auto good = rig.rough("good");
  rig.host.on_child = [](const home::ChildCommand& command) {
    home::ChildEnd end;
    end.out = command.input.find("\"bad\"") != std::string::npos ? "no" : R"({"title": "ok"})";
    return end;
  };
  const auto mixed = rig.call("specify", {{"all", ""}});
  REQUIRE(mixed->value.size() == 2);
  CHECK(mixed->exit_status == 0);
  CHECK(mixed->failures.size() == 1);
  rig.host.time = rig.host.time + std::chrono::hours{1};
  CHECK(rig.call("specify", {{"all", ""}})->exit_status == 1);
  CHECK(rig.status(good) == "ready");
  CHECK(rig.status(bad) == "triage");
}

TEST_CASE("a task that is moved while the planner works keeps what was made of it", "[verbs]") {
  PlannerRig rig;
  const auto id = rig.rough();
  rig.host.on_child = [&](const home::ChildCommand&) {
    REQUIRE(rig.call("promote", {{"task_id", id}}));
    home::ChildEnd end;
    end.out = R"({"title": "too late"})";
    return end;
  };
  CHECK_THAT(rig.ask("specify", id)["reason"].get<std::string>(), Contains("it is ready"));
  CHECK(rig.task(id)["title"] == "rough");
  CHECK(rig.call("show", {{"task_id", id}})->value["planning"] == nullptr);
}

TEST_CASE("without a planner, or with a config that cannot be read, nothing is asked or counted",
          "[verbs]") {
  PlannerRig rig;
  const auto id = rig.rough();
  std::ofstream(rig.home().config()) << "";
  CHECK_THAT(rig.ask("specify", id)["reason"].get<std::string>(), Contains("no planner"));
  CHECK_FALSE(rig.call("specify", {{"all", ""}}));
  std::ofstream(rig.home().config()) << "[planner]\ncomand = []\n";
  CHECK_THAT(rig.ask("specify", id)["reason"].get<std::string>(), Contains("unknown key 'comand'"));
  CHECK(rig.host.children.empty());
  CHECK(rig.call("show", {{"task_id", id}})->value["planning"] == nullptr);
}

TEST_CASE("automation that has nobody to ask is told on the board and on its tasks", "[verbs]") {
  PlannerRig rig;
  const auto kinds = [&](const verbs::Json& found) {
    std::vector<std::string> out;
    for (const auto& one : found) {
      out.push_back(one["kind"]);
    }
    return out;
  };
  const auto id = rig.rough();
  const auto told = [&] {
    const auto rows = rig.call("diagnostics", {})->value;
    return rows.empty() ? std::vector<std::string>{} : kinds(rows.back()["diagnostics"]);
  };
  CHECK(told().empty());  // people plan
  for (const std::string config :
       {"[planner]\nauto = \"specify\"\n",
        "[planner]\nauto = \"decompose\"\ncommand = [\"/nowhere/planner\"]\n"}) {
    std::ofstream(rig.home().config()) << config;
    CHECK(told() == std::vector<std::string>{"triage_aux_unavailable"});
    CHECK(kinds(rig.call("show", {{"task_id", id}})->value["diagnostics"]) ==
          std::vector<std::string>{"triage_aux_unavailable"});
  }
  REQUIRE(rig.call("promote", {{"task_id", id}}));
  CHECK(told().empty());
}

}  // namespace hermes::test
