#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("boards are created, listed, shown and switched between", "[cli]") {
  const Hermes hermes;
  const Ran made =
      hermes.kanban({"boards", "create", "Proj-A", "--description", "漢字", "--switch"});
  CHECK(made.status == 0);
  CHECK(made.out.find("Created board proj-a") != std::string::npos);
  const Json boards = json_of(hermes.kanban({"boards", "list", "--json"}));
  REQUIRE(boards.size() == 2);
  CHECK(boards[0]["slug"] == "default");
  CHECK(boards[1]["slug"] == "proj-a");
  CHECK(boards[1]["is_current"] == true);
  CHECK(boards[1]["description"] == "漢字");
  CHECK(boards[1]["created_at"].is_number_integer());

  hermes.create({"there"});  // on the current board
  CHECK(json_of(hermes.kanban({"boards", "show", "--json"}))["counts"] == Json({{"ready", 1}}));
  CHECK(json_of(hermes.kanban({"boards", "show", "default", "--json"}))["total"] == 0);
  CHECK(hermes.kanban({"boards", "switch", "default"}).status == 0);
  CHECK(json_of(hermes.kanban({"boards", "show", "--json"}))["slug"] == "default");
  // The group alone is its list.
  CHECK(hermes.kanban({"boards"}).out == hermes.kanban({"boards", "list"}).out);
}

TEST_CASE("a board that exists keeps its settings and its tasks", "[cli]") {
  const Hermes hermes;
  hermes.create({"kept"});
  const Ran again = hermes.kanban({"boards", "create", "default", "--name", "other"});
  CHECK(again.status == 0);
  CHECK(again.out.find("There was already") != std::string::npos);
  CHECK(again.err.find("keeps its settings") != std::string::npos);
  const Json board = json_of(hermes.kanban({"boards", "show", "--json"}));
  CHECK(board["name"] == "default");
  CHECK(board["total"] == 1);
}

TEST_CASE("board names are refused before anything is made", "[cli]") {
  const Hermes hermes;
  CHECK(hermes.kanban({"boards", "create", "bad name"}).status == 2);
  CHECK(hermes.kanban({"boards", "create", ".."}).status == 2);
  CHECK(hermes.kanban({"boards", "switch", "nowhere"}).status == 1);
  CHECK(hermes.kanban({"boards", "show", "nowhere"}).status == 1);
  CHECK(hermes.kanban({"boards", "create", "x", "--default-workdir", "relative"}).status == 1);
  CHECK(hermes.kanban({"boards", "create", "x", "--name", "two\nlines"}).status == 1);
  CHECK(json_of(hermes.kanban({"boards", "list", "--json"})).size() == 1);
  CHECK(!std::filesystem::exists(hermes.home() / "current"));
}

TEST_CASE("one damaged board keeps nobody from seeing the others", "[cli]") {
  const Hermes hermes;
  hermes.kanban({"boards", "create", "broken"});
  write(hermes.home() / "boards/broken/board.db", "this is no database");
  const Json boards = json_of(hermes.kanban({"boards", "list", "--json"}));
  REQUIRE(boards.size() == 2);
  CHECK(boards[0]["error"].is_null());
  CHECK(boards[1]["error"].is_string());
  CHECK(hermes.kanban({"boards", "show", "broken"}).status == 1);
}

TEST_CASE("a profile is written, shown, and refused to be removed while it is needed", "[cli]") {
  const Hermes hermes;
  const Ran made = hermes.run({"profile", "create", "Writer", "--description", "says \"hi\"",
                               "--verdict", "exit-code", "--max-in-progress", "2", "--max-runtime",
                               "90s", "--env", "LC_ALL=C.UTF-8", "--env-pass", "SSH_AUTH_SOCK",
                               "--", "bash", "-c", "echo \\ \"{title}\" 'x'"});
  INFO(made.err);
  CHECK(made.status == 0);
  const Json profile = json_of(hermes.run({"profile", "show", "writer", "--json"}));
  CHECK(profile["description"] == "says \"hi\"");
  CHECK(profile["command"] == Json({"bash", "-c", "echo \\ \"{title}\" 'x'"}));
  CHECK(profile["verdict"] == "exit-code");
  CHECK(profile["max_in_progress"] == 2);
  CHECK(profile["max_runtime_ms"] == 90'000);
  CHECK(profile["env"] == Json({{"LC_ALL", "C.UTF-8"}}));
  CHECK(profile["env_pass"] == Json({"SSH_AUTH_SOCK"}));
  CHECK(hermes.run({"profile", "create", "writer", "--", "true"}).status == 1);

  const std::string id = hermes.create({"t", "--assignee", "writer"});
  CHECK(json_of(hermes.run({"profile", "list", "--json"}))[1]["waiting"] == 1);
  const Ran refused = hermes.run({"profile", "delete", "writer"});
  CHECK(refused.status == 1);
  CHECK(refused.err.find("1 of its tasks") != std::string::npos);
  CHECK(hermes.kanban({"assign", id, "none"}).status == 0);
  CHECK(hermes.run({"profile", "delete", "writer"}).status == 0);
  CHECK(!std::filesystem::exists(hermes.home() / "profiles/writer"));
  CHECK(hermes.run({"profile", "delete", "writer"}).status == 1);
}

TEST_CASE("a profile that could not be used is not written", "[cli]") {
  const Hermes hermes;
  CHECK(hermes.run({"profile", "create", "x", "--env", "HERMES_HOME=/y", "--", "true"}).status ==
        1);
  CHECK(hermes.run({"profile", "create", "x", "--env", "novalue", "--", "true"}).status == 2);
  CHECK(hermes.run({"profile", "create", "../x", "--", "true"}).status == 2);
  CHECK(hermes.run({"profile", "create", "x"}).status == 2);
  CHECK(json_of(hermes.run({"profile", "list", "--json"})).size() == 1);
}

TEST_CASE("of several who create a profile of one name at once one succeeds", "[cli]") {
  const Hermes hermes;
  std::vector<Running> creators;
  for (int i = 0; i < 8; ++i) {
    creators.push_back(
        hermes.start({"profile", "create", "same", "--", "echo", std::to_string(i)}));
  }
  int made = 0;
  for (Running& creator : creators) {
    made += creator.wait() == 0 ? 1 : 0;
  }
  CHECK(made == 1);
}

TEST_CASE("what is wrong with a flag is told by the flag's name", "[cli]") {
  const Hermes hermes;
  CHECK(hermes.run({"profile", "create", "x", "--env-pass", "A B", "--", "true"})
            .err.find("--env-pass: 'A B'") != std::string::npos);
  CHECK(hermes.kanban({"boards", "create", "x", "--default-workdir", "rel"})
            .err.find("--default-workdir: 'rel'") != std::string::npos);
  CHECK(hermes.run({"profile", "create", "y", "--", "echo", "{taskid}", "${shell}"})
            .err.find("'{taskid}' is no placeholder") != std::string::npos);
}

TEST_CASE("a profile that a board needs unseen, or the settings name, is not removed", "[cli]") {
  const Hermes hermes;
  write(hermes.home() / "config.toml", "[dispatcher]\ndefault_assignee = \"shell\"\n");
  CHECK(hermes.run({"profile", "delete", "shell"}).err.find("default assignee") !=
        std::string::npos);
  std::filesystem::remove(hermes.home() / "config.toml");
  hermes.kanban({"boards", "create", "broken"});
  write(hermes.home() / "boards/broken/board.db", "this is no database");
  CHECK(hermes.run({"profile", "delete", "shell"}).err.find("cannot be read") != std::string::npos);
  CHECK(hermes.run({"profile", "delete", "shell", "--force"}).status == 0);
}

TEST_CASE("deleting a profile leaves other people's files where they are", "[cli]") {
  const Hermes hermes;
  write(hermes.home() / "profiles/shell/notes.txt", "mine");
  const Ran ran = hermes.run({"profile", "delete", "shell"});
  CHECK(ran.status == 0);
  CHECK(ran.err.find("stays") != std::string::npos);
  CHECK(std::filesystem::exists(hermes.home() / "profiles/shell/notes.txt"));
}

TEST_CASE("config show names every value and the line it comes from", "[cli]") {
  const Hermes hermes;
  write(hermes.home() / "config.toml", "[dispatcher]\n\nmax_in_progress = 3\nreviewer = \"Ann\"\n");
  const Json shown = json_of(hermes.run({"config", "show", "--json"}));
  std::map<std::string, Json> by_key;
  for (const Json& one : shown["settings"]) {
    by_key[one["key"]] = one;
  }
  CHECK(by_key["dispatcher.max_in_progress"]["value"] == "3");
  CHECK(by_key["dispatcher.max_in_progress"]["line"] == 3);
  CHECK(by_key["dispatcher.reviewer"]["value"] == "\"ann\"");
  CHECK(by_key["dispatcher.stop_grace"]["value"] == "\"10s\"");
  CHECK(by_key["dispatcher.stop_grace"]["source"] == "default");
  CHECK(by_key["dispatcher.start_rate"]["value"].is_null());
  write(hermes.home() / "config.toml", "[dispatcher]\nmax_in_progres = 3\n");
  const Ran wrong = hermes.run({"config", "show"});
  CHECK(wrong.status == 1);
  CHECK(wrong.err.find("config.toml:2") != std::string::npos);
  CHECK(wrong.err.find("max_in_progress") != std::string::npos);
}

TEST_CASE("a running task is assigned only after it was taken away", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"t", "--assignee", "ann"});
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  const std::int64_t before = hermes.last_event();
  const Ran refused = hermes.kanban({"assign", id, "bob"});
  CHECK(refused.status == 1);
  CHECK(refused.err.find("--reclaim") != std::string::npos);
  CHECK(hermes.last_event() == before);
  const Json moved = json_of(hermes.kanban({"reassign", id, "bob", "--reclaim", "--json"}));
  CHECK(moved["assignee"] == "bob");
  CHECK(moved["status"] == "ready");
  CHECK(moved["reclaimed"] == true);
  CHECK(hermes.kanban({"assign", "t_00000000", "bob"}).status == 1);
}

TEST_CASE("tail prints what one task has been through, and ends when it is done", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"watched"});
  const std::string other = hermes.create({"other"});
  Running tail = hermes.start({"kanban", "tail", id, "--until-terminal"});
  CHECK(tail.wait_for("created"));
  hermes.kanban({"comment", other, "not shown"});
  hermes.kanban({"comment", id, "seen"});
  CHECK(tail.wait_for("commented"));
  hermes.kanban({"complete", id});
  CHECK(tail.wait_for("completed"));
  CHECK(tail.wait() == 0);
  CHECK(tail.out().find(other) == std::string::npos);
  CHECK(hermes.kanban({"tail", "t_00000000"}).status == 1);
}

TEST_CASE("a slip in a verb, a flag or an assignee is answered with what was perhaps meant",
          "[cli]") {
  const Hermes hermes;
  CHECK(hermes.kanban({"lst"}).err.find("did you mean list?") != std::string::npos);
  CHECK(hermes.kanban({"list", "--assigne", "x"}).err.find("--assignee") != std::string::npos);
  CHECK(hermes.run({"list"}).err.find("hermes kanban list") != std::string::npos);
  CHECK(hermes.run({"boards"}).err.find("hermes kanban boards") != std::string::npos);
  CHECK(hermes.kanban({"--board", "defualt", "list"}).err.find("did you mean default?") !=
        std::string::npos);
  CHECK(hermes.run({"profile", "show", "shel"}).err.find("did you mean shell?") !=
        std::string::npos);
  CHECK(hermes.run({"profile", "delete", "shel"}).err.find("did you mean shell?") !=
        std::string::npos);
  CHECK(hermes.kanban({"--board", "qqqqqq", "list"}).err.find("did you mean") == std::string::npos);
  CHECK(hermes.kanban({"create", "t", "--assignee", "shel"}).err.find("did you mean shell?") !=
        std::string::npos);
  CHECK(hermes.run({"--board", "x", "doctor"}).status == 2);
}

}  // namespace hermes::test
