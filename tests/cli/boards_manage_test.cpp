// Boards that are renamed, put away and destroyed, and where their tasks work.
#include <unistd.h>

#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/run_hermes.hpp"
#include "kernel/base/files.hpp"
#include "kernel/home/registry.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;

}  // namespace

TEST_CASE("a board is called otherwise, and keeps its slug and its settings", "[cli][store]") {
  const Hermes hermes;
  REQUIRE(hermes.kanban({"boards", "create", "beta", "--description", "kept"}).status == 0);
  CHECK(hermes.kanban({"boards", "rename", "beta", "The", "漢字 board"}).out ==
        "Board beta is called The 漢字 board\n");
  const Json board = json_of(hermes.kanban({"boards", "show", "beta", "--json"}));
  CHECK(board["slug"] == "beta");
  CHECK(board["name"] == "The 漢字 board");
  CHECK(board["description"] == "kept");
  CHECK(hermes.kanban({"boards", "rename", "beta", "  "}).status == 2);
  CHECK(hermes.kanban({"boards", "rename", "beta", "two\nlines"}).status == 1);
  CHECK(hermes.kanban({"boards", "rename", "lost", "x"}).status == 1);
  CHECK(json_of(hermes.kanban({"boards", "show", "beta", "--json"}))["name"] == "The 漢字 board");
}

TEST_CASE("what a person has written into the settings of a board stays when one of them changes",
          "[cli][store]") {
  const Hermes hermes;
  const std::filesystem::path file = hermes.board() / "board.toml";
  const auto text = [&] { return read_file(file, 4096).value_or(""); };
  const std::string rest = "description = \"\"\"\\\nname = none\"\"\"\n# end";
  std::ofstream(file) << "# why it is so\n  name=\"old\"\n" << rest;
  REQUIRE(hermes.kanban({"boards", "rename", "default", "new"}).status == 0);
  CHECK(text() == "# why it is so\nname = \"new\"\n" + rest);
  REQUIRE(hermes.kanban({"boards", "set-default-workdir", "default", "/srv"}).status == 0);
  CHECK(text() == "default_workdir = \"/srv\"\n# why it is so\nname = \"new\"\n" + rest);
  std::ofstream(file) << "name = \"\"\"\\\nlong\"\"\"\n# end";
  const std::string odd = text();
  CHECK(hermes.kanban({"boards", "rename", "default", "x"}).err.find("change it in the file") !=
        std::string::npos);
  CHECK(text() == odd);
}

TEST_CASE("settings of a board that are changed at once are all changed", "[cli][store]") {
  const Hermes hermes;
  for (int i = 0; i < 10; ++i) {
    const std::string name = "n" + std::to_string(i);
    Running one = hermes.start({"kanban", "boards", "rename", "default", name});
    Running two = hermes.start({"kanban", "boards", "set-default-workdir", "default", "/" + name});
    CHECK(one.wait() == 0);
    CHECK(two.wait() == 0);
    const Json board = json_of(hermes.kanban({"boards", "show", "default", "--json"}));
    CHECK(board["name"] == name);
    CHECK(board["default_workdir"] == "/" + name);
  }
}

TEST_CASE("the default workdir is set by a path, cleared by none, and never relative",
          "[cli][store]") {
  const Hermes hermes;
  const auto workdir = [&] {
    return json_of(hermes.kanban({"boards", "show", "default", "--json"}))["default_workdir"];
  };
  const std::string there = (hermes.dir() / "user").string();
  CHECK(hermes.kanban({"boards", "set-default-workdir", "default", there}).status == 0);
  CHECK(workdir() == there);
  const Ran relative = hermes.kanban({"boards", "set-default-workdir", "default", "work"});
  CHECK(relative.status == 2);
  CHECK(relative.err.find("'work'") != std::string::npos);
  CHECK(hermes.kanban({"boards", "set-default-workdir", "default", ""}).status == 2);
  CHECK(workdir() == there);
  CHECK(hermes.kanban({"boards", "set-default-workdir", "default"}).out ==
        "Board default has no default workdir\n");
  CHECK(workdir().is_null());
  CHECK(hermes.kanban({"boards", "set-default-workdir", "default", "/no/such/place"})
            .err.find("/no/such/place") != std::string::npos);
  CHECK(workdir() == "/no/such/place");
}

TEST_CASE("dir and worktree without a path work in the board's default workdir, scratch never",
          "[cli][store]") {
  const Hermes hermes;
  const auto created = [&](const std::string& form) {
    return hermes.kanban({"create", "x", "--workspace", form, "--json"});
  };
  for (const std::string form : {"dir", "worktree"}) {
    const Ran refused = created(form);
    CHECK(refused.status == 2);
    CHECK(refused.err.find("set-default-workdir") != std::string::npos);
  }
  CHECK(hermes.last_event() == 0);
  const std::string there = (hermes.dir() / "user").string();
  REQUIRE(hermes.kanban({"boards", "set-default-workdir", "default", there}).status == 0);
  for (const std::string form : {"dir", "worktree"}) {
    const Json task = json_of(created(form));
    CHECK(task["workspace_kind"] == form);
    CHECK(task["workspace_path"] == there);
  }
  CHECK(json_of(created("dir:/tmp"))["workspace_path"] == "/tmp");
  CHECK(json_of(created("scratch"))["workspace_path"].is_null());
  CHECK(json_of(hermes.kanban({"create", "x", "--json"}))["workspace_path"].is_null());
}

TEST_CASE("a board that is put away is listed among all, and can be put back", "[cli][store]") {
  Hermes hermes;
  REQUIRE(hermes.kanban({"boards", "create", "beta", "--switch"}).status == 0);
  const std::string id = hermes.create({"of beta"});
  const Json gone = json_of(hermes.kanban({"boards", "rm", "Beta", "--json"}));
  CHECK(gone["action"] == "archived");
  const std::filesystem::path kept = gone["path"].get<std::string>();
  CHECK(kept.parent_path() == hermes.home() / "boards" / "_archived");
  CHECK(kept.filename().string().find("beta-") == 0);
  CHECK(std::filesystem::exists(kept / "board.db"));
  CHECK(!std::filesystem::exists(hermes.home() / "current"));
  CHECK(json_of(hermes.kanban({"boards", "list", "--json"})).size() == 1);
  CHECK(hermes.kanban({"--board", "beta", "list"}).status == 1);
  CHECK(!std::filesystem::exists(hermes.home() / "boards" / "beta"));

  const Json all = json_of(hermes.kanban({"boards", "list", "--all", "--json"}));
  REQUIRE(all.size() == 2);
  CHECK(all[0]["archived"] == false);
  CHECK(all[1]["archived"] == true);
  CHECK(all[1]["slug"] == kept.filename().string());
  CHECK(all[1]["total"] == 1);
  CHECK(hermes.kanban({"boards", "list", "--all"}).out.find(kept.filename().string()) !=
        std::string::npos);

  // A board of the same name is another board; the same second gives another name.
  REQUIRE(hermes.kanban({"boards", "create", "beta"}).status == 0);
  REQUIRE(hermes.kanban({"boards", "remove", "beta"}).status == 0);
  CHECK(json_of(hermes.kanban({"boards", "list", "--all", "--json"})).size() == 3);

  std::filesystem::rename(kept, hermes.home() / "boards" / "beta");
  CHECK(hermes.kanban({"--board", "beta", "show", id}).status == 0);
}

TEST_CASE("only --delete with --yes destroys a board", "[cli][store]") {
  const Hermes hermes;
  hermes.add_board("beta");
  REQUIRE(hermes.kanban({"--board", "beta", "create", "x"}).status == 0);
  const auto dir = hermes.home() / "boards" / "beta";
  const Ran asked = hermes.kanban({"boards", "rm", "beta", "--delete"});
  CHECK(asked.status == 1);
  CHECK(asked.err.find("1 task") != std::string::npos);
  CHECK(asked.err.find("--yes") != std::string::npos);
  CHECK(std::filesystem::exists(dir / "board.db"));
  CHECK(hermes.kanban({"boards", "delete", "beta"}).status == 2);  // no other word destroys
  CHECK(hermes.kanban({"boards", "rm", "beta", "--yes"}).status == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(hermes.home() / "boards" / "_archived"),
                      {}) == 1);
  hermes.add_board("beta");
  CHECK(hermes.kanban({"boards", "rm", "beta", "--delete", "--yes"}).out.find("Deleted board") ==
        0);
  CHECK(!std::filesystem::exists(dir));
  for (const auto& entry : std::filesystem::directory_iterator(hermes.home() / "boards")) {
    CHECK(!entry.path().filename().string().starts_with(".deleted"));
  }
}

TEST_CASE("the default board, an unknown one and a link are not removed", "[cli][store]") {
  const Hermes hermes;
  const Ran main = hermes.kanban({"boards", "rm", "default"});
  CHECK(main.status == 1);
  CHECK(main.err.find("default board") != std::string::npos);
  CHECK(hermes.kanban({"boards", "rm", "default", "--delete", "--yes"}).status == 1);
  CHECK(hermes.kanban({"boards", "rm", "lost"}).status == 1);
  CHECK(hermes.kanban({"boards", "rm", "../x"}).status == 2);
  hermes.add_board("beta");
  std::filesystem::rename(hermes.home() / "boards" / "beta", hermes.dir() / "elsewhere");
  std::filesystem::create_symlink(hermes.dir() / "elsewhere", hermes.home() / "boards" / "beta");
  CHECK(hermes.kanban({"boards", "rm", "beta", "--delete", "--yes"}).err.find("link") !=
        std::string::npos);
  CHECK(std::filesystem::exists(hermes.dir() / "elsewhere" / "board.db"));
}

TEST_CASE("a worker leaves boards alone", "[cli][store]") {
  Hermes hermes;
  hermes.add_board("beta");
  const std::string id = hermes.create({"mine"});
  hermes.set("HERMES_KANBAN_TASK", id);
  hermes.set("HERMES_KANBAN_RUN_ID", "1");
  hermes.set("HERMES_KANBAN_RUN_TOKEN", "00000000000000000000000000000000");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"kanban", "boards", "rm", "beta"},
        {"kanban", "boards", "create", "gamma"},
        {"kanban", "boards", "switch", "beta"},
        {"kanban", "boards", "rename", "beta", "x"},
        {"kanban", "boards", "set-default-workdir", "beta", "/tmp"},
        {"kanban", "boards", "import", "x", "gamma"},
        {"kanban", "restore", "x"},
        {"kanban", "repair"},
        {"kanban", "gc"},
        {"kanban", "import", "x"},
        {"kanban", "daemon"},
        {"kanban", "dispatch", "--dry-run"},
        {"profile", "create", "evil", "--", "/bin/sh"},
        {"profile", "delete", "shell"},
        {"profile", "resume", "shell"},
        {"dispatcher", "install"},
        {"dispatcher", "uninstall"},
        {"dispatcher", "start"},
        {"dispatcher", "stop"},
        {"dispatcher", "restart"}}) {
    const Ran ran = hermes.run(words);
    INFO(words.front() << " " << words[1] << " " << ran.err);
    CHECK(ran.status == 1);
    CHECK(ran.err.find("a worker cannot use") != std::string::npos);
  }
  CHECK(std::filesystem::exists(hermes.home() / "boards" / "beta"));
  CHECK_FALSE(std::filesystem::exists(hermes.home() / "boards" / "gamma"));
  CHECK_FALSE(std::filesystem::exists(hermes.home() / "profiles" / "evil"));
  CHECK_FALSE(std::filesystem::exists(hermes.home() / "current"));
}

TEST_CASE("who has a board open while it is put away writes to nothing", "[cli][store]") {
  const Hermes hermes;
  hermes.add_board("beta");
  const home::Home where{hermes.home()};
  auto open = db::Database::open(home::files_of(where.board("beta")), db::Database::Access::write,
                                 wall_clock_now());
  REQUIRE(open);
  REQUIRE(hermes.kanban({"boards", "rm", "beta"}).status == 0);
  const auto write = [&] {
    return open->write([](db::Writer& tx) -> Result<int> {
      return tx.execute("INSERT INTO board_facts (name, value, at) VALUES ('x', 'y', 1)");
    });
  };
  CHECK(write().error().message.find("moved away or replaced") != std::string::npos);
  hermes.add_board("beta");  // another one, with a gate of its own
  CHECK(write().error().code == ErrorCode::unavailable);
  CHECK(open->truncate_wal(std::chrono::seconds{1}).error().code == ErrorCode::unavailable);
  CHECK_FALSE(
      open->read([](db::Reader& tx) -> Result<bool> { return tx.query("SELECT 1").next(); }));
}

TEST_CASE("watching ends when the board is put away", "[cli][store]") {
  const Hermes hermes;
  hermes.add_board("beta");
  Running watch = hermes.start({"kanban", "--board", "beta", "watch", "--since", "0", "--json"});
  REQUIRE(hermes.kanban({"--board", "beta", "create", "seen"}).status == 0);
  REQUIRE(watch.wait_for("created"));
  REQUIRE(hermes.kanban({"boards", "rm", "beta"}).status == 0);
  CHECK(watch.wait() == 1);
}

}  // namespace hermes::test
