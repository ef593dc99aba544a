// The verbs schedule, request-review and its kin, edit, set-model, swarm, assignees and archive
// --rm.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace hermes::test {

namespace {

Json show(const Hermes& hermes, const std::string& id) {
  return Json::parse(hermes.kanban({"show", id, "--json"}).out);
}
std::string status_of(const Hermes& hermes, const std::string& id) {
  return show(hermes, id)["task"]["status"];
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
// Refused with this status, naming `part`, and nothing was written.
void check_refused(const Hermes& hermes, std::vector<std::string> words, int status,
                   const std::string& part) {
  const auto before = hermes.last_event();
  const Ran ran = hermes.kanban(words);
  INFO(fmt::format("{}: {}", words.front(), ran.err));
  CHECK(ran.status == status);
  CHECK(has(ran.err, part));
  CHECK(hermes.last_event() == before);
}

}  // namespace

TEST_CASE("schedule puts several tasks aside, tells when they wake, and names what it refuses",
          "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a"});
  const std::string b = hermes.create({"b"});
  const Ran ran = hermes.kanban({"schedule", a, "after", "lunch", "--at", "2999-01-02T03:04:05Z",
                                 "--ids", b, "t_00000000", "--json"});
  CHECK(ran.status == 1);
  const Json items = Json::parse(ran.out);
  REQUIRE(items.size() == 3);
  CHECK(items[0]["status"] == "scheduled");
  CHECK(items[0]["wake_at"] == 32472241445);
  CHECK(items[0]["wake_at_ms"] == 32472241445000);
  CHECK(items[0]["reason"] == "after lunch");
  CHECK(items[1]["ok"] == true);
  CHECK(items[2]["ok"] == false);
  CHECK(show(hermes, a)["task"]["wake_at_ms"] == 32472241445000);
  CHECK(has(hermes.kanban({"show", a}).out, "wakes:       2999-01-0"));
  CHECK(has(hermes.kanban({"why", a}).out, "it is scheduled for 2999-01-0"));
  CHECK(has(hermes.kanban({"list"}).out, "⏱ " + a + "  scheduled"));
  const std::string c = hermes.create({"c"});
  CHECK(hermes.kanban({"schedule", c}).out == "Scheduled " + c + "\n");
  CHECK(has(hermes.kanban({"show", c}).out, "wakes:       when it is unblocked"));
  CHECK(hermes.kanban({"unblock", a, c}).status == 0);
  CHECK(status_of(hermes, a) == "ready");
  CHECK(show(hermes, a)["task"]["wake_at_ms"].is_null());
}

TEST_CASE("a malformed time is refused with status 2, and a past one wakes at once", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  for (const std::string time : {"soon", "", "2026-11-20", "2026-02-30 10:00", "-5"}) {
    check_refused(hermes, {"schedule", id, "--at=" + time}, 2, "malformed time");
    check_refused(hermes, {"create", "x", "--at=" + time}, 2, "malformed time");
  }
  check_refused(hermes, {"schedule", id, "--in", "soon"}, 2, "malformed duration");
  check_refused(hermes, {"schedule", id, "--in", "1s", "--at", "0"}, 2, "both");
  check_refused(hermes, {"create", "x", "--triage", "--in", "1s"}, 2, "one state");
  check_refused(hermes,
                {"create", "x", "--initial-status", "blocked", "--scheduled-at", "9999999999"}, 2,
                "one state");
  const Ran past = hermes.kanban({"schedule", id, "--at", "2001-01-01 00:00"});
  CHECK(past.status == 0);
  CHECK(has(past.err, "has passed"));
  const Ran made = hermes.kanban({"create", "b", "--scheduled-at", "2999-01-02 03:04", "--json"});
  CHECK(Json::parse(made.out)["status"] == "scheduled");
  CHECK(Json::parse(made.out)["wake_at_ms"].is_number());
  CHECK(Json::parse(hermes.kanban({"create", "c", "--in", "2h", "--json"}).out)["status"] ==
        "scheduled");
}

TEST_CASE("a review goes there and back, and several tasks at once", "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a", "--assignee", "ann"});
  const std::string b = hermes.create({"b", "--assignee", "ann"});
  REQUIRE(hermes.kanban({"claim", a}).status == 0);
  REQUIRE(hermes.kanban({"claim", b}).status == 0);
  const Ran asked =
      hermes.kanban({"request-review", a, "please", "look", "--ids", b, "t_00000000"});
  CHECK(asked.status == 1);
  CHECK(asked.out == fmt::format("{} → review (review by a person): please look\n{} → review "
                                 "(review by a person): please look\n",
                                 a, b));
  CHECK(show(hermes, a)["task"]["lane"] == "review");
  CHECK(has(hermes.kanban({"show", a}).out, "lane:        review"));
  CHECK(has(hermes.kanban({"why", a}).out, "it waits for a person's review"));
  const Json back =
      Json::parse(hermes.kanban({"request-changes", a, "tests", "are", "missing", "--json"}).out);
  CHECK(back["status"] == "ready");
  CHECK(back["reason"] == "tests are missing");
  CHECK(show(hermes, a)["task"]["lane"] == "work");
  CHECK(has(hermes.kanban({"context", a}).out, "CHANGES REQUESTED: tests are missing"));
  check_refused(hermes, {"request-changes", a, "again"}, 1, "it is ready");
  check_refused(hermes, {"request-review", a, "again"}, 1, "it is ready");
  const std::string child = hermes.create({"child", "--parent", b});
  REQUIRE(hermes.kanban({"complete", b}).status == 0);
  CHECK(status_of(hermes, child) == "ready");
  const Ran reopened = hermes.kanban({"reopen-review", b, "a doubt"});
  CHECK(reopened.status == 0);
  CHECK(reopened.out ==
        fmt::format("{} → review (review reopened): a doubt\n  {} waits for it again\n", b, child));
  CHECK(status_of(hermes, child) == "todo");
  check_refused(hermes, {"reopen-review", b}, 1, "it is review");
}

TEST_CASE("the reviewer of the settings is named", "[cli]") {
  const Hermes hermes;
  std::ofstream(hermes.home() / "config.toml") << "[dispatcher]\nreviewer = \"judge\"\n";
  const std::string id = hermes.create({"a", "--assignee", "ann"});
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  const Json asked = Json::parse(hermes.kanban({"request-review", id, "--json"}).out);
  CHECK(asked["reviewer"] == "judge");
  CHECK(has(hermes.kanban({"why", id}).out, "no profile 'judge'"));
}

TEST_CASE("edit says what changed, and refuses a result of what is not done", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a", "--body", "old"});
  check_refused(hermes, {"edit", id}, 2, "nothing to change");
  check_refused(hermes, {"edit", id, "--result", "r"}, 1, "it is ready");
  check_refused(hermes, {"edit", id, "--title", " "}, 1, "title");
  check_refused(hermes, {"edit", id, "--priority", "many"}, 2, "whole number");
  check_refused(hermes, {"edit", id, "--metadata", "[]"}, 2, "JSON object");
  check_refused(hermes, {"edit", id, "--body", "x", "--body-file", "-"}, 2, "both");
  check_refused(hermes, {"edit", "t_00000000", "--title", "b"}, 1, "t_00000000");
  CHECK(hermes.kanban({"edit", id, "--title", "b", "--priority", "5"}).out ==
        "Edited " + id + ": title, priority\n");
  CHECK(hermes.kanban({"edit", id, "--title", "b"}).out ==
        "Edited " + id + " (nothing was different)\n");
  const Json edited =
      Json::parse(hermes.kanban({"edit", id, "--body-file", "-", "--json"}, "from a pipe").out);
  CHECK(edited["changed"] == Json({"body"}));
  CHECK(edited["task"]["body"] == "from a pipe");
  CHECK(edited["task"]["title"] == "b");
  REQUIRE(hermes.kanban({"complete", id, "--result", "r"}).status == 0);
  CHECK(hermes.kanban({"edit", id, "--result", "better", "--summary", "s", "--metadata", "{}"})
            .status == 0);
  const Json whole = show(hermes, id);
  CHECK(whole["task"]["result"] == "better");
  CHECK(whole["latest_summary"] == "s");
}

TEST_CASE("what its worker is asked to use is kept, shown and cleared", "[cli]") {
  const Hermes hermes;
  const Json made =
      Json::parse(hermes
                      .kanban({"create", "a", "--model", "small", "--provider", "acme", "--goal",
                               "--goal-max-turns", "7", "--workflow-template-id", "w", "--step-key",
                               "s", "--json"})
                      .out);
  CHECK(made["model_override"] == "small");
  CHECK(made["provider_override"] == "acme");
  CHECK(made["goal_mode"] == true);
  CHECK(made["goal_max_turns"] == 7);
  CHECK(made["workflow_template_id"] == "w");
  CHECK(made["current_step_key"] == "s");
  const std::string id = made["id"];
  CHECK(Json::parse(hermes.kanban({"list", "--workflow", "w", "--json"}).out).size() == 1);
  CHECK(has(hermes.kanban({"show", id}).out, "goal:        at most 7 turns"));
  CHECK(hermes.kanban({"set-model", id, "large"}).out ==
        "Model of " + id + ": large, provider: (its worker's own)\n");
  const Json cleared = Json::parse(hermes.kanban({"set-model", id, "--json"}).out);
  CHECK(cleared["task"]["model_override"].is_null());
  CHECK(cleared["task"]["provider_override"].is_null());
  check_refused(hermes, {"create", "b", "--goal-max-turns", "7"}, 2, "make it a goal");
  check_refused(hermes, {"create", "b", "--goal", "--goal-max-turns", "0"}, 2, "at least 1");
}

TEST_CASE("a project is refused, never dropped", "[cli]") {
  const Hermes hermes;
  check_refused(hermes, {"create", "a", "--project", "apollo"}, 1, "'apollo'");
}

TEST_CASE("archive --rm deletes rows and files, and nothing of another task", "[cli]") {
  const Hermes hermes;
  const std::string a = hermes.create({"a"});
  const std::string b = hermes.create({"b"});
  for (const std::string& id : {a, b}) {
    REQUIRE(hermes.kanban({"claim", id}).status == 0);  // makes its scratch workspace
    fs::create_directories(hermes.board() / "attachments" / id);
    fs::create_directories(hermes.board() / "logs");
    std::ofstream(hermes.board() / "attachments" / id / "1-file") << "x";
    std::ofstream(hermes.board() / "logs" / (id + ".1.log")) << "x";
    std::ofstream(hermes.board() / "logs" / (id + ".1.log.1")) << "x";
    REQUIRE(hermes.kanban({"complete", id}).status == 0);
  }
  check_refused(hermes, {"archive", "--rm", a}, 1, "it is done");
  check_refused(hermes, {"archive", b, "--rm", a}, 1, "in one call");
  REQUIRE(hermes.kanban({"archive", a, b}).status == 0);
  const Ran ran = hermes.kanban({"archive", "--rm", a, "t_00000000", "--json"});
  CHECK(ran.status == 1);
  const Json items = Json::parse(ran.out);
  REQUIRE(items.size() == 2);
  CHECK(items[0]["deleted"] == true);
  CHECK(items[1]["ok"] == false);
  CHECK(hermes.kanban({"show", a}).status == 1);
  CHECK_FALSE(fs::exists(hermes.board() / "attachments" / a));
  CHECK_FALSE(fs::exists(hermes.board() / "workspaces" / a));
  CHECK_FALSE(fs::exists(hermes.board() / "logs" / (a + ".1.log")));
  CHECK_FALSE(fs::exists(hermes.board() / "logs" / (a + ".1.log.1")));
  CHECK(fs::exists(hermes.board() / "attachments" / b / "1-file"));
  CHECK(fs::exists(hermes.board() / "logs" / (b + ".1.log")));
  CHECK(hermes.kanban({"archive", "--rm", b}).out == "Deleted " + b + "\n");
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

TEST_CASE("what we did not make outlives a deletion", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes.kanban({"archive", id}).status == 0);
  const fs::path precious = hermes.dir() / "precious";
  fs::create_directories(precious);
  std::ofstream(precious / "file") << "x";
  fs::create_directories(hermes.board() / "attachments");
  fs::create_directory_symlink(precious, hermes.board() / "attachments" / id);
  fs::create_directories(hermes.board() / "workspaces");
  fs::create_directory_symlink(precious, hermes.board() / "workspaces" / id);
  CHECK(hermes.kanban({"archive", "--rm", id}).status == 0);
  CHECK(fs::exists(precious / "file"));
}

TEST_CASE("swarm makes its graph once, and keeps colons in titles", "[cli]") {
  const Hermes hermes;
  const std::vector<std::string> words{"swarm",
                                       "the report",
                                       "--worker",
                                       "ann:Meet at 10:30",
                                       "--worker",
                                       "Bob:Fix std::vector",
                                       "--worker",
                                       "cy:write: the intro:prose,style",
                                       "--worker",
                                       "di:Fix foo:bar:",
                                       "--worker-skill",
                                       "git",
                                       "--verifier",
                                       "eve",
                                       "--synthesizer",
                                       "fay",
                                       "--tenant",
                                       "acme",
                                       "--priority",
                                       "3",
                                       "--idempotency-key",
                                       "k"};
  const Ran ran = hermes.kanban(words);
  CHECK(ran.status == 0);
  CHECK(ran.out.starts_with("Swarm root: t_"));
  CHECK(has(ran.out, "\nWorkers: t_"));
  CHECK(has(ran.out, "\nVerifier: t_"));
  CHECK(has(ran.out, "\nSynthesizer: t_"));
  auto as_json = words;
  as_json.emplace_back("--json");
  const auto before = hermes.last_event();
  const Json made = Json::parse(hermes.kanban(as_json).out);
  CHECK(hermes.last_event() == before);
  CHECK(made["existing"] == true);
  REQUIRE(made["worker_ids"].size() == 4);
  const auto worker = [&](std::size_t i) { return show(hermes, made["worker_ids"][i])["task"]; };
  CHECK(worker(0)["title"] == "Meet at 10:30");
  CHECK(worker(0)["skills"] == Json({"git"}));
  CHECK(worker(0)["tenant"] == "acme");
  CHECK(worker(0)["priority"] == 3);
  CHECK(worker(1)["title"] == "Fix std::vector");
  CHECK(worker(1)["assignee"] == "bob");
  CHECK(worker(2)["title"] == "write: the intro");
  CHECK(worker(2)["skills"] == Json({"git", "prose", "style"}));
  CHECK(worker(3)["title"] == "Fix foo:bar");
  CHECK(worker(3)["skills"] == Json({"git"}));
  CHECK(show(hermes, made["verifier_id"])["parents"].size() == 4);
  CHECK(show(hermes, made["synthesizer_id"])["parents"] == Json({made["verifier_id"]}));
  CHECK(status_of(hermes, made["root_id"]) == "done");
}

TEST_CASE("a swarm that is asked for badly leaves nothing", "[cli]") {
  const Hermes hermes;
  const std::vector<std::string> rest{"--verifier", "v", "--synthesizer", "s"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "swarm");
    words.insert(words.end(), rest.begin(), rest.end());
    return words;
  };
  check_refused(hermes, with({"goal"}), 2, "--worker");
  check_refused(hermes, with({"goal", "--worker", "ann"}), 2, "colon");
  check_refused(hermes, with({"goal", "--worker", ":title"}), 1, "profile of a worker is blank");
  check_refused(hermes, with({"goal", "--worker", "ann: "}), 1, "blank");
  check_refused(hermes, with({" ", "--worker", "ann:a"}), 1, "the goal is blank");
  check_refused(hermes, {"swarm", "goal", "--worker", "ann:a", "--verifier", "v"}, 2,
                "--synthesizer");
  CHECK(Json::parse(hermes.kanban({"list", "--json"}).out).empty());
}

TEST_CASE("assignees are the profiles on disk and whoever a live task names", "[cli]") {
  const Hermes hermes;
  CHECK(hermes.kanban({"assignees"}).out ==
        "NAME   ON DISK  COUNTS\nshell  yes      (idle)\n");  // init makes one
  REQUIRE(hermes.run({"profile", "create", "writer", "--", "/bin/true"}).status == 0);
  const std::string gone = hermes.create({"x", "--assignee", "gone"});
  REQUIRE(hermes.kanban({"archive", gone}).status == 0);
  hermes.create({"a", "--assignee", "ann"});
  hermes.create({"b", "--assignee", "ann", "--triage"});
  hermes.create({"c"});
  CHECK(
      Json::parse(hermes.kanban({"assignees", "--json"}).out) ==
      Json::array({{{"name", "ann"}, {"on_disk", false}, {"counts", {{"ready", 1}, {"triage", 1}}}},
                   {{"name", "shell"}, {"on_disk", true}, {"counts", Json::object()}},
                   {{"name", "writer"}, {"on_disk", true}, {"counts", Json::object()}}}));
  const std::string text = hermes.kanban({"assignees"}).out;
  CHECK(text.starts_with("NAME    ON DISK  COUNTS\n"));
  CHECK(has(text, "writer  yes      (idle)\n"));
}

TEST_CASE("a worker asks for its own review, and edits and schedules nothing of others", "[cli]") {
  Hermes hermes;
  const std::string own = hermes.create({"own"});
  const std::string foreign = hermes.create({"foreign"});
  const Json claim = Json::parse(hermes.kanban({"claim", own, "--json"}).out);
  hermes.set("HERMES_KANBAN_BOARD", "default");
  hermes.set("HERMES_KANBAN_TASK", own);
  hermes.set("HERMES_KANBAN_RUN_ID", claim["run_id"].dump());
  hermes.set("HERMES_KANBAN_RUN_TOKEN", claim["token"].get<std::string>());
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"schedule", foreign},
                                             {"request-review", foreign},
                                             {"request-changes", foreign},
                                             {"reopen-review", foreign},
                                             {"edit", foreign, "--title", "x"},
                                             {"set-model", foreign, "m"},
                                             {"archive", "--rm", foreign}}) {
    check_refused(hermes, words, 1, "own task");
  }
  CHECK(hermes.kanban({"edit", own, "--priority", "2"}).status == 0);
  CHECK(hermes.kanban({"request-review", own, "done, I think"}).status == 0);
  CHECK(status_of(hermes, own) == "review");
  check_refused(hermes, {"complete", own}, 1, "no longer yours");  // no approval of its own work
  check_refused(hermes, {"request-changes", own}, 1, "no longer yours");
}

}  // namespace hermes::test
