// specify and decompose with real planners.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/run_hermes.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/db/gate.hpp"
#include "support/wait.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A home whose planner is a shell script.
struct PlannerHome : Hermes {
  explicit PlannerHome(const std::string& script, const std::string& more = "") {
    write(script);
    std::ofstream(home() / "config.toml")
        << "[planner]\ncommand = [\"" << path().string() << "\"]\n"
        << more;
  }
  fs::path path() const { return dir() / "planner"; }
  void write(const std::string& script) const {
    std::ofstream(path()) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(path(), fs::perms::owner_all);
  }
  std::string rough() const { return create({"rough", "--triage"}); }
  Json show(const std::string& id) const { return json_of(kanban({"show", id, "--json"})); }
};

// Each line of it.
std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(Json::parse(line));
  }
  return lines;
}

bool is_alive(const fs::path& pid_file) {
  const auto pid = read_file(pid_file, 100);
  if (pid && trim(*pid).empty()) {
    return false;  // it is still being written
  }
  const auto stat = pid ? read_file("/proc/" + std::string(trim(*pid)) + "/stat", 4096) : pid;
  return stat && stat->find(") Z ") == std::string::npos;
}

// Whether the process blocks the signal (SigBlk in proc(5)).
bool holds_back(const fs::path& pid_file, int signal) {
  const std::string pid(trim(read_file(pid_file, 100).value()));
  const std::string status = read_file("/proc/" + pid + "/status", 16'384).value();
  const auto at = status.find("SigBlk:");
  return (std::stoull(status.substr(at + 7), nullptr, 16) >> (signal - 1) & 1) == 1;
}

}  // namespace

TEST_CASE("specify and decompose say what they made, and answer JSON in single lines", "[cli]") {
  const PlannerHome hermes(R"(echo '{"title": "Bétter"}')");
  const std::string id = hermes.rough();
  const Ran ran = hermes.kanban({"specify", id});
  CHECK(ran.status == 0);
  CHECK(ran.out == "Specified " + id + " → ready — retitled: Bétter\n");
  const std::string a = hermes.rough();
  const std::string b = hermes.rough();
  const auto lines = lines_of(hermes.kanban({"specify", "--all", "--json"}).out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == Json({{"task_id", a},
                          {"ok", true},
                          {"reason", nullptr},
                          {"new_title", "Bétter"},
                          {"status", "ready"}}));
  CHECK(lines[1]["task_id"] == b);
  CHECK(hermes.kanban({"specify", "--all"}).out == "Nothing is in triage\n");
  hermes.write(
      R"(echo '{"fanout": true, "children": [{"title": "x"}, {"title": "y", "parents": [0]}]}')");
  const std::string root = hermes.rough();
  const Ran split = hermes.kanban({"decompose", root, "--author", "ann"});
  const Json whole = hermes.show(root);
  REQUIRE(whole["parents"].size() == 2);
  CHECK(has(split.out, "Decomposed " + root + " → 2 children (t_"));
  CHECK(has(split.out, "); root promoted to todo\n"));
  CHECK(whole["comments"][0]["author"] == "ann");
}

TEST_CASE("specify and decompose refuse a call that names no task, or two ways at once", "[cli]") {
  const PlannerHome hermes("exit 1");
  const std::string id = hermes.rough();
  for (const std::string verb : {"specify", "decompose"}) {
    CHECK(hermes.kanban({verb}).status == 2);
    CHECK(hermes.kanban({verb, id, "--all"}).status == 2);
    CHECK(hermes.kanban({verb, id, "--tenant", "x"}).status == 2);
    CHECK(hermes.kanban({verb, "t_ffffffff"}).status == 1);
    const std::string ready = hermes.create({"ready"});
    CHECK(has(hermes.kanban({verb, ready}).err, "it is ready"));
  }
  CHECK(hermes.show(id)["planning"] == nullptr);
}

TEST_CASE("a planner that hangs is ended with all that it started, and the task is as before",
          "[cli]") {
  const PlannerHome hermes(
      "sleep 100 & echo $! > \"$(dirname \"$0\")/pid\"; trap '' TERM; wait; wait",
      "specify_timeout = 1\n");
  const std::string id = hermes.rough();
  const Ran ran = hermes.kanban({"specify", id});
  CHECK(ran.status == 1);
  CHECK(has(ran.err, "took longer than 1 s"));
  CHECK_FALSE(is_alive(hermes.dir() / "pid"));
  const Json whole = hermes.show(id);
  CHECK(whole["task"]["status"] == "triage");
  CHECK(whole["planning"]["failures"] == 1);
  CHECK(has(hermes.kanban({"why", id}).out, "the planner has failed at it once ("));
  CHECK(has(hermes.kanban({"show", id}).out, "planning:"));
}

TEST_CASE("a planner that fails, is killed, is missing or says too much is named with its words",
          "[cli]") {
  const PlannerHome hermes("", "max_output = 2048\n");
  const std::vector<std::pair<std::string, std::string>> scripts{
      {"echo 'no credit left' >&2; exit 7", "ended with status 7: no credit left"},
      {"kill -KILL $$", "was killed by signal 9"},
      {"yes", "answered more than 2048 bytes"},
      {"echo 'not json'", "is not a JSON object: not json"},
      {"cat >/dev/null", "answered nothing"}};
  for (const auto& [script, part] : scripts) {
    CAPTURE(script);
    hermes.write(script);
    const std::string id = hermes.rough();
    const Ran ran = hermes.kanban({"decompose", id});
    CHECK(ran.status == 1);
    CHECK(has(ran.err, part));
    CHECK(has(hermes.kanban({"why", id}).out, part));
  }
  fs::remove(hermes.path());
  const std::string waiting = hermes.rough();
  CHECK(has(hermes.kanban({"specify", waiting}).err, "' is no program that can be executed"));
  std::ofstream(hermes.path()) << "#!/nowhere/sh\n";
  fs::permissions(hermes.path(), fs::perms::owner_all);
  CHECK(has(hermes.kanban({"specify", waiting}).err, "cannot be started: No such file"));
  CHECK(hermes.show(waiting)["planning"] == nullptr);  // it is not the task that is at fault
  CHECK(hermes.kanban({"promote", waiting}).status == 0);
  // --all leaves all of them alone: they have just failed.
  const Ran all = hermes.kanban({"decompose", "--all"});
  CHECK(all.status == 0);
  CHECK(all.out == "Nothing in triage is due\n");
  CHECK(has(all.err, "rests for another"));
}

TEST_CASE("a planner finds no run, no secret of ours and no terminal", "[cli]") {
  PlannerHome hermes(
      "env > \"$(dirname \"$0\")/env\"; pwd >> \"$(dirname \"$0\")/env\"; echo '{\"title\": "
      "\"t\"}'");
  hermes.set("SOME_API_KEY", "geheim");
  CHECK(hermes.kanban({"specify", hermes.rough()}).status == 0);
  const std::string seen = read_file(hermes.dir() / "env", 100'000).value();
  CHECK(has(seen, "HERMES_HOME=" + hermes.home().string()));
  CHECK_FALSE(has(seen, "geheim"));
  CHECK(has(seen, "\n/\n"));
}

TEST_CASE("Ctrl-C ends the planner, and nothing is counted", "[cli]") {
  const PlannerHome hermes("echo $$ > \"$(dirname \"$0\")/pid\"; exec sleep 100");
  const std::string id = hermes.rough();
  Running asking = hermes.start({"kanban", "specify", id});
  REQUIRE(wait_until([&] { return is_alive(hermes.dir() / "pid"); }));
  CHECK_FALSE(hermes.show(id)["planning"]["asked_at"].is_null());
  CHECK(has(hermes.kanban({"why", id}).out, "the planner has been at work on it (specify)"));
  // Automation would not ask a second time meanwhile.
  CHECK(has(hermes.kanban({"specify", id, "--if-due"}).err, "a planner is being asked"));
  asking.signal(SIGINT);
  CHECK(asking.wait() == 1);
  CHECK_FALSE(is_alive(hermes.dir() / "pid"));
  CHECK(hermes.show(id)["planning"] == nullptr);
}

TEST_CASE("who waits at the gate with a planner's answer can be stopped like anybody", "[cli]") {
  const PlannerHome hermes(
      "here=$(dirname \"$0\"); echo $PPID > \"$here/asker\"; touch \"$here/begun\"; "
      "while [ ! -e \"$here/go\" ]; do sleep 0.02; done; echo '{\"title\": \"t\"}'");
  const std::string id = hermes.rough();
  Running asking = hermes.start({"kanban", "specify", id});
  REQUIRE(wait_until([&] { return fs::exists(hermes.dir() / "begun"); }));
  CHECK(holds_back(hermes.dir() / "asker", SIGTERM));
  const auto gate = db::WriteGate::enter(hermes.board() / "board.lock", Millis{5000});
  REQUIRE(gate);
  std::ofstream(hermes.dir() / "go") << "";
  REQUIRE(wait_until([&] { return !holds_back(hermes.dir() / "asker", SIGTERM); }));
  asking.signal(SIGTERM);
  CHECK(asking.wait() == 128 + SIGTERM);
  CHECK(hermes.show(id)["task"]["status"] == "triage");
}

TEST_CASE("who is killed while the planner works leaves a task in triage that says so", "[cli]") {
  const PlannerHome hermes("echo $$ > \"$(dirname \"$0\")/pid\"; exec sleep 100");
  const std::string id = hermes.rough();
  {
    Running asking = hermes.start({"kanban", "decompose", id});
    REQUIRE(wait_until([&] { return is_alive(hermes.dir() / "pid"); }));
    asking.signal(SIGKILL);
    CHECK(asking.wait() == 128 + SIGKILL);
  }
  ::kill(std::stoi(read_file(hermes.dir() / "pid", 100).value()), SIGKILL);
  const Json whole = hermes.show(id);
  CHECK(whole["task"]["status"] == "triage");
  CHECK_FALSE(whole["planning"]["asked_at"].is_null());
  hermes.write(R"(echo '{"fanout": false, "title": "Better"}')");
  CHECK(hermes.kanban({"decompose", id}).status == 0);  // a person need not wait
  CHECK(hermes.show(id)["planning"] == nullptr);
}

TEST_CASE("the task that is moved while a planner works stays as it was moved", "[cli]") {
  const PlannerHome hermes(
      "here=$(dirname \"$0\"); touch \"$here/begun\"; while [ ! -e \"$here/go\" ]; do sleep 0.02; "
      "done; "
      "echo '{\"fanout\": true, \"children\": [{\"title\": \"x\"}]}'");
  const std::string id = hermes.rough();
  Running asking = hermes.start({"kanban", "decompose", id});
  REQUIRE(wait_until([&] { return fs::exists(hermes.dir() / "begun"); }));
  CHECK(hermes.kanban({"promote", id}).status == 0);
  std::ofstream(hermes.dir() / "go") << "";
  CHECK(asking.wait() == 1);
  const Json whole = hermes.show(id);
  CHECK(whole["task"]["status"] == "ready");
  CHECK(whole["parents"].empty());
  CHECK(json_of(hermes.kanban({"list", "--json"})).size() == 1);
}

TEST_CASE(
    "the example planner without a model splits a list, and what needs no split is put in order",
    "[cli]") {
  const Hermes hermes;
  std::ofstream(hermes.home() / "config.toml")
      << "[planner]\ncommand = [\"python3\", \"" HERMES_SOURCE
         "/docs/examples/planner-rules.py\"]\n";
  const std::string id =
      hermes.create({"release", "--triage", "--body",
                     "What is to be done:\n- Fetch the sources @shell\n  git pull\n  git log\n"
                     "- Build them @shell (after 1)\n* Tell everybody (after 1, 2)\n"});
  const Ran ran = hermes.kanban({"decompose", id, "--json"});
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  const Json line = Json::parse(ran.out);
  REQUIRE(line["child_ids"].size() == 3);
  const auto show = [&](int i) {
    return json_of(hermes.kanban({"show", line["child_ids"][i], "--json"}));
  };
  CHECK(show(0)["task"]["title"] == "Fetch the sources");
  CHECK(show(0)["task"]["body"] == "git pull\ngit log");
  CHECK(show(0)["task"]["assignee"] == "shell");
  CHECK(show(1)["parents"] == Json({line["child_ids"][0]}));
  CHECK(show(2)["parents"].size() == 2);
  CHECK(show(2)["task"]["assignee"] == nullptr);
  const std::string other = hermes.create({"  faster   start. ", "--triage"});
  CHECK(hermes.kanban({"decompose", other}).out ==
        "Specified " + other + " → ready — retitled: Faster start\n");
}

TEST_CASE("the example planner finds the JSON in what a model says", "[cli]") {
  const Hermes hermes;
  const auto model = [&](const std::string& says) {
    std::ofstream(hermes.dir() / "says") << says;
    std::ofstream(hermes.home() / "config.toml")
        << "[planner]\ncommand = [\"python3\", \"" HERMES_SOURCE
           "/docs/examples/planner-llm.py\", \"sh\", \"-c\", \"cat > "
        << (hermes.dir() / "prompt").string() << "; cat " << (hermes.dir() / "says").string()
        << "\"]\n";
    return hermes.create({"rough", "--triage", "--body", "make it quick"});
  };
  const std::string split = model(
      "Sure!\n```json\n{\"fanout\": true, \"why\": \"x\", \"children\": [{\"title\": \"a\", "
      "\"effort\": 3}, "
      "{\"title\": \"b\", \"parents\": [0], \"assignee\": null}]}\n```\nAnything else?");
  const Ran ran = hermes.kanban({"decompose", split, "--json"});
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  CHECK(Json::parse(ran.out)["child_ids"].size() == 2);
  const std::string prompt = read_file(hermes.dir() / "prompt", 100'000).value();
  CHECK(has(prompt, "make it quick"));
  CHECK(has(prompt, "- shell: "));
  const std::string prose = model("Do it by Friday.\n");
  CHECK(hermes.kanban({"specify", prose}).status == 0);
  CHECK(json_of(hermes.kanban({"show", prose, "--json"}))["task"]["body"] == "Do it by Friday.");
  const std::string braces =
      model("Use {braces}: {\"fanout\": true, \"children\": [\"one\", {\"title\": \"two\"}]}");
  CHECK(hermes.kanban({"decompose", braces}).status == 0);
  const std::string half = model("I do not know {");
  CHECK(has(hermes.kanban({"specify", half}).err, "holds no JSON object"));
  const std::string useless = model("I cannot do that.");
  CHECK(has(hermes.kanban({"decompose", useless}).err, "holds no JSON object: I cannot do that."));
}

}  // namespace hermes::test
