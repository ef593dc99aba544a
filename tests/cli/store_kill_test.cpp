// Commands that are killed while they move boards and files, or that run beside each other.
#include <signal.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/run_hermes.hpp"
#include "kernel/base/files.hpp"
#include "support/wait.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

// Runs the command and kills it after `turns` moments: the turns are what is tried.
void killed_after(const Hermes& hermes, const std::vector<std::string>& words, int turns) {
  Running running = hermes.start(words);
  wait_until([] { return false; }, std::chrono::milliseconds{turns});
  running.signal(SIGKILL);
  running.wait();
}

std::size_t tasks(const Hermes& hermes, const std::string& board) {
  return json_of(hermes.kanban({"--board", board, "list", "--json"})).size();
}

}  // namespace

TEST_CASE("a restore that is killed leaves the one board or the other, whole", "[cli][store]") {
  const Hermes hermes;
  hermes.create({"of the backup"});
  const std::string file = (hermes.dir() / "b.db").string();
  REQUIRE(hermes.kanban({"backup", file}).status == 0);
  hermes.create({"later"});
  std::set<std::size_t> seen;
  for (int turns = 0; turns < 60; turns += 3) {
    killed_after(hermes, {"kanban", "restore", file, "--force"}, turns);
    INFO(turns);
    seen.insert(tasks(hermes, "default"));
    CHECK(hermes.kanban({"doctor"}).status == 0);
    if (tasks(hermes, "default") == 1) {
      hermes.create({"later"});
    }
  }
  for (const std::size_t n : seen) {
    CHECK((n == 1 || n == 2));
  }
  REQUIRE(hermes.kanban({"restore", file, "--force"}).status == 0);
  CHECK(tasks(hermes, "default") == 1);
  for (const auto& kept : fs::directory_iterator(hermes.home() / "boards" / "_archived")) {
    INFO(kept.path());
    CHECK(fs::exists(kept.path() / "logs"));  // made last: none of them is a part of a board
  }
}

TEST_CASE("an import that is killed leaves a whole board or none", "[cli][store]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  REQUIRE(hermes.kanban({"attach", id, "-", "--name", "a"}, std::string(1 << 20, 'x')).status == 0);
  const std::string file = (hermes.dir() / "x").string();
  REQUIRE(hermes.kanban({"boards", "export", "default", file}).status == 0);
  for (int turns = 0; turns < 60; turns += 4) {
    const std::string name = "copy" + std::to_string(turns);
    killed_after(hermes, {"kanban", "boards", "import", file, name}, turns);
    INFO(turns);
    if (fs::exists(hermes.home() / "boards" / name)) {
      CHECK(tasks(hermes, name) == 1);
      CHECK(fs::file_size(hermes.home() / "boards" / name / "attachments" / id / "a") == 1 << 20);
      CHECK(hermes.kanban({"--board", name, "doctor"}).status == 0);
    }
  }
  CHECK(hermes.kanban({"boards", "import", file, "last"}).status == 0);
}

TEST_CASE("a backup that is killed leaves no file under its name, or a whole one", "[cli][store]") {
  const Hermes hermes;
  hermes.create({"x"});
  for (int turns = 0; turns < 40; turns += 4) {
    const fs::path file = hermes.dir() / ("b" + std::to_string(turns));
    killed_after(hermes, {"kanban", "backup", file.string()}, turns);
    if (fs::exists(file)) {
      CHECK(
          hermes.kanban({"boards", "import", file.string(), "of" + std::to_string(turns)}).status ==
          0);
    }
  }
  CHECK(hermes.kanban({"backup", (hermes.dir() / "b").string()}).status == 0);
}

TEST_CASE(
    "attachments of one name that are added at once all stand, and one that is killed has no "
    "row without its file",
    "[cli][attach]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  const fs::path source = hermes.dir() / "a.txt";
  REQUIRE(write_file_atomically(source, std::string(1 << 20, 'x')));
  std::vector<Running> running;
  for (int i = 0; i < 6; ++i) {
    running.push_back(hermes.start({"kanban", "attach", id, source.string()}));
  }
  for (Running& one : running) {
    CHECK(one.wait() == 0);
  }
  for (int turns = 0; turns < 30; turns += 3) {
    killed_after(hermes, {"kanban", "attach", id, source.string()}, turns);
  }
  const Json all = json_of(hermes.kanban({"attachments", id, "--json"}));
  CHECK(all.size() >= 6);
  std::set<std::string> names;
  for (const Json& one : all) {
    INFO(one.dump());
    CHECK(names.insert(one["filename"].get<std::string>()).second);
    CHECK(fs::file_size(one["stored_path"].get<std::string>()) == 1 << 20);
  }
}

}  // namespace hermes::test
