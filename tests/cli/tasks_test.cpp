#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;

namespace hermes::test {

TEST_CASE("create prints one line that scripts can read", "[cli]") {
  const Hermes hermes;
  const Ran ran = hermes.kanban({"create", "--", "-- a title"});
  CHECK(ran.status == 0);
  CHECK(ran.out.find("Created t_") == 0);
  CHECK(ran.out.substr(18) == "  (ready, assignee=-)\n");
}

TEST_CASE("an idempotency key is answered with the task that has it", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"first", "--idempotency-key", "k"});
  const Ran same = hermes.kanban({"create", "first", "--idempotency-key", "k"});
  CHECK(same.out == "Created " + id + "  (ready, assignee=-) [existing]\n");
  CHECK(same.err.empty());
  const Ran other = hermes.kanban({"create", "second", "--idempotency-key", "k", "--json"});
  CHECK(other.status == 0);
  CHECK(Json::parse(other.out)["existing"] == true);
  CHECK(other.err.find("first") != std::string::npos);
}

TEST_CASE("a body comes from a file or from standard input, whole", "[cli]") {
  const Hermes hermes;
  const std::string body(1024 * 1024, 'b');
  const Ran ran = hermes.kanban({"create", "a", "--body-file", "-", "--json"}, body);
  REQUIRE(ran.status == 0);
  CHECK(Json::parse(ran.out)["body"] == body);
  const std::string path = (hermes.dir() / "body").string();
  std::ofstream(path) << "line\n\ttab\n";
  CHECK(Json::parse(hermes.kanban({"create", "a", "--body-file", path, "--json"}).out)["body"] ==
        "line\n\ttab\n");
  CHECK(hermes.kanban({"create", "a", "--body-file", "-"}, body + "x").status == 1);
}

TEST_CASE("ids may be shortened as long as they are unique", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  CHECK(hermes.kanban({"show", id.substr(0, 7)}).out.find("Task " + id) == 0);
  CHECK(hermes.kanban({"show", id.substr(2)}).out.find("Task " + id) == 0);
  const std::string child = hermes.create({"b", "--parent", id.substr(0, 7)});
  CHECK(Json::parse(hermes.kanban({"show", child, "--json"}).out)["parents"] == Json({id}));
  // Seventeen ids cannot all begin differently.
  for (int i = 0; i < 17; ++i) {
    hermes.create({"c"});
  }
  bool ambiguous = false;
  for (const char digit : std::string("0123456789abcdef")) {
    const Ran ran = hermes.kanban({"show", std::string("t_") + digit});
    ambiguous = ambiguous || ran.err.find("more than one id") != std::string::npos;
  }
  CHECK(ambiguous);
}

TEST_CASE("a claim makes the workspace first and hands out what a script needs", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  const Ran ran = hermes.kanban({"claim", id.substr(0, 8), "--ttl", "1m", "--as", "Ann"});
  CHECK(ran.status == 0);
  const auto workspace = hermes.board() / "workspaces" / id;
  CHECK(ran.out == "Claimed " + id + "\nWorkspace: " + workspace.string() + "\n");
  CHECK((std::filesystem::status(workspace).permissions() & std::filesystem::perms::mask) ==
        std::filesystem::perms::owner_all);
  const Json run = Json::parse(hermes.kanban({"runs", id, "--json"}).out)[0];
  CHECK(run["profile"] == "ann");
  CHECK(run["holder"] == "external");
  CHECK(run["workspace_path"] == workspace.string());
}

TEST_CASE("a claim that cannot be leaves neither a run nor a directory", "[cli]") {
  const Hermes hermes;
  const std::string parent = hermes.create({"parent"});
  const std::string child = hermes.create({"child", "--parent", parent});
  const std::string nowhere =
      hermes.create({"nowhere", "--workspace", "dir:" + (hermes.dir() / "missing").string()});
  CHECK(hermes.kanban({"claim", child}).status == 1);
  CHECK(hermes.kanban({"claim", nowhere}).status == 1);
  CHECK(!std::filesystem::exists(hermes.board() / "workspaces" / child));
  CHECK(Json::parse(hermes.kanban({"show", nowhere, "--json"}).out)["task"]["status"] == "ready");
  CHECK(Json::parse(hermes.kanban({"runs", nowhere, "--json"}).out).empty());
}

TEST_CASE("why names every hold, claim says the same", "[cli]") {
  const Hermes hermes;
  const std::string parent = hermes.create({"parent"});
  const std::string child = hermes.create({"child", "--parent", parent, "--assignee", "shell"});
  const Json why = Json::parse(hermes.kanban({"why", child, "--json"}).out);
  CHECK(why["task_id"] == child);
  CHECK(why["status"] == "todo");
  CHECK(why["holds"][0]["kind"] == "open_link");
  const std::string text = why["holds"][0]["text"];
  CHECK(text.find(parent) != std::string::npos);
  CHECK(hermes.kanban({"claim", child}).err.find(text) != std::string::npos);
  CHECK(hermes.kanban({"why", child}).out.find(text) != std::string::npos);
}

TEST_CASE("list filters, sorts and limits", "[cli]") {
  const Hermes hermes;
  hermes.create({"low", "--priority", "-5", "--assignee", "Ann"});
  hermes.create({"high", "--priority", "5", "--tenant", "acme"});
  const auto titles = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "list");
    words.emplace_back("--json");
    std::vector<std::string> out;
    for (const Json& task : Json::parse(hermes.kanban(words).out)) {
      out.push_back(task["title"]);
    }
    return out;
  };
  using Titles = std::vector<std::string>;
  CHECK(titles({}) == Titles{"high", "low"});
  CHECK(titles({"--sort", "priority-asc"}) == Titles{"low", "high"});
  CHECK(titles({"--limit", "1"}) == Titles{"high"});
  CHECK(titles({"--assignee", "ANN"}) == Titles{"low"});
  CHECK(titles({"--assignee", "none"}) == Titles{"high"});
  CHECK(titles({"--tenant", "acme"}) == Titles{"high"});
  CHECK(titles({"--status", "done"}).empty());
  CHECK(titles({"--mine"}).empty());
}

TEST_CASE("a comment is cut to the length asked for, with a note", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes.kanban({"comment", id, std::string(200, 'x'), "--max-len", "60"}).status == 0);
  REQUIRE(hermes.kanban({"comment", id, "日本語", "--max-len", "4"}).status == 0);
  const Json comments = Json::parse(hermes.kanban({"show", id, "--json"}).out)["comments"];
  CHECK(comments[0]["body"].get<std::string>().size() <= 60);
  CHECK(comments[0]["body"].get<std::string>().find("cut to 60 bytes") != std::string::npos);
  CHECK(comments[0]["author"] == "tester");
  CHECK(comments[1]["body"] == "日");
}

TEST_CASE("a log is printed as it is, by attempt and by its end", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  std::filesystem::create_directories(hermes.board() / "logs");
  std::ofstream(hermes.board() / "logs" / (id + ".1.log")) << "first\nsecond\nthird";
  CHECK(hermes.kanban({"log", id}).out == "first\nsecond\nthird\n");
  CHECK(hermes.kanban({"log", id, "--tail", "7"}).out == "third\n");
  const Json log = Json::parse(hermes.kanban({"log", id, "--attempt", "1", "--json"}).out);
  CHECK(log["attempt"] == 1);
  CHECK(log["size"] == 18);
  CHECK(log["text"] == "first\nsecond\nthird");
  CHECK(hermes.kanban({"log", id, "--attempt", "2"}).status == 1);
}

}  // namespace hermes::test
