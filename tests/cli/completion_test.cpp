// Completion, in the words of `__complete` and in the shells themselves.
#include <sys/wait.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/run_hermes.hpp"
#include "support/wait.hpp"

namespace hermes::test {

namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

constexpr const char* k_title = "a: \"b\" 'c' \\d $(e) `f`\tg é日本 %h *";
constexpr const char* k_shown = "a: \"b\" 'c' \\d $(e) `f`\\tg é日本 %h *";

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

Ran complete(const Hermes& hermes, Words words) {
  words.insert(words.begin(), {"__complete", "--"});
  return hermes.run(words);
}

// The candidates without their descriptions.
Words offered(const Hermes& hermes, const Words& words) {
  const Ran ran = complete(hermes, words);
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  Words values = lines_of(ran.out);
  REQUIRE(!values.empty());
  CHECK(values.front() == ":words");
  values.erase(values.begin());
  for (std::string& value : values) {
    value.resize(value.find('\t'));
  }
  return values;
}

bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// hermes in PATH, as the scripts call it, and a locale of UTF-8.
void prepare_for_shells(Hermes& hermes) {
  hermes.set("PATH", fs::path(HERMES_BINARY).parent_path().string() + ":/usr/bin:/bin");
  hermes.set("LC_ALL", "C.UTF-8");
}

bool has_shell(const std::string& shell) {
  if (fs::exists("/usr/bin/" + shell) || fs::exists("/bin/" + shell)) {
    return true;
  }
  WARN(shell + " is not installed: not tested (scripts/install-deps.sh)");
  return false;
}

const std::string k_drivers = HERMES_SOURCE "/tests/cli/completion/";

Words in_bash(const Hermes& hermes, const std::string& line, const Words& words,
              const std::string& type = "9") {
  Words command{"bash", "--norc", k_drivers + "drive.bash", type, line};
  command.insert(command.end(), words.begin(), words.end());
  const Ran ran = hermes.run_program(command);
  CHECK(ran.err.empty());
  return lines_of(ran.out);
}

Words in_fish(const Hermes& hermes, const std::string& line) {
  const Ran ran = hermes.run_program(
      {"fish", "--no-config", "-c", "hermes completion fish | source; complete -C $argv[1]", line});
  CHECK(ran.err.empty());
  return lines_of(ran.out);
}

struct Zsh {
  std::string line;
  std::string screen;
};
// `shown`: waits until this is on the screen.
Zsh in_zsh(const Hermes& hermes, const std::string& line, const std::string& shown = "") {
  Words command{"zsh", "-f", k_drivers + "drive.zsh", line};
  if (!shown.empty()) {
    command.push_back(shown);
  }
  const Ran ran = hermes.run_program(command);
  INFO(ran.err);
  INFO(ran.out);
  CHECK(ran.status == 0);
  const auto end = ran.out.find('\n');
  REQUIRE(end != std::string::npos);
  return {ran.out.substr(0, end), ran.out.substr(end + 1)};
}

}  // namespace

TEST_CASE("completion offers verbs, groups, flags and words of the table", "[cli][completion]") {
  const Hermes hermes;
  CHECK(has(offered(hermes, {""}), "kanban"));
  CHECK(has(offered(hermes, {""}), "doctor"));
  CHECK_FALSE(has(offered(hermes, {""}), "__complete"));
  CHECK(offered(hermes, {"__"}).empty());
  CHECK(offered(hermes, {"kanban", "unl"}) == Words{"unlink"});
  CHECK(offered(hermes, {"kanban", "b"}) == Words{"block", "backup", "boards"});
  CHECK(offered(hermes, {"kanban", "boards", "sw"}) == Words{"switch"});
  CHECK(offered(hermes, {"kanban", "l"}) == Words{"list", "link", "log"});
  CHECK(offered(hermes, {"kanban", "ls"}) == Words{"ls"});  // an alias: only to who has typed it
  CHECK(offered(hermes, {"kanban", "list", "--st"}) == Words{"--status", "--step-key"});
  CHECK(offered(hermes, {"kanban", "list", "--status", "ready", "--st"}) == Words{"--step-key"});
  CHECK(offered(hermes, {"kanban", "ls", "--status=b"}) == Words{"--status=blocked"});
  CHECK(offered(hermes, {"kanban", "list", "--status", "b"}) == Words{"blocked"});
  CHECK(offered(hermes, {"kanban", "create", "x", "--par"}) == Words{"--parent"});
  CHECK(offered(hermes, {"kanban", "create", "x", "--parent", "t_1", "--par"}) ==
        Words{"--parent"});  // may be given again
  CHECK(offered(hermes, {"kanban", "daemon", "-v", "--ver"}).empty());
  CHECK(offered(hermes, {"kanban", "create", "--", "--par"}).empty());
  CHECK(offered(hermes, {"nothing", ""}).empty());
  CHECK(offered(hermes, {"help", "kanban", "unl"}) == Words{"unlink"});
  CHECK(offered(hermes, {"completion", ""}) == Words{"bash", "zsh", "fish"});
  CHECK(complete(hermes, {"kanban", "create", "x", "--body-file", "/et"}).out == ":files\n");
  CHECK(complete(hermes, {}).status == 0);
}

TEST_CASE("completion offers what is there: boards, profiles, assignees", "[cli][completion]") {
  Hermes hermes;
  hermes.add_board("second");
  hermes.create({"x", "--assignee", "ann b"});
  CHECK(offered(hermes, {"kanban", "--board", ""}) == Words{"default", "second"});
  CHECK(offered(hermes, {"--board", "s"}) == Words{"second"});
  CHECK(offered(hermes, {"kanban", "boards", "switch", "s"}) == Words{"second"});
  CHECK(offered(hermes, {"kanban", "boards", "create", ""}).empty());  // a new name
  CHECK(offered(hermes, {"profile", "show", ""}) == Words{"shell"});
  CHECK(offered(hermes, {"kanban", "list", "--assignee", ""}) == Words{"shell", "ann b"});
  CHECK(offered(hermes, {"kanban", "list", "--board=second", "--assignee="}) ==
        Words{"--assignee=shell"});
}

TEST_CASE("completion offers the tasks that the verb works on, the last changed first",
          "[cli][completion]") {
  Hermes hermes;
  hermes.add_board("second");
  const std::string ready = hermes.create({"first"});
  const std::string blocked = hermes.create({"second", "--initial-status", "blocked"});
  const std::string other = hermes.create({"third", "--board", "second"});
  CHECK(offered(hermes, {"kanban", "unblock", ""}) == Words{blocked});
  CHECK(offered(hermes, {"kanban", "claim", ""}) == Words{ready});
  CHECK(offered(hermes, {"kanban", "heartbeat", ""}).empty());
  REQUIRE(hermes.kanban({"complete", ready}).status == 0);
  CHECK(offered(hermes, {"kanban", "show", ""}) == Words{ready, blocked});
  CHECK(offered(hermes, {"kanban", "archive", ready, ""}) == Words{blocked});
  CHECK(offered(hermes, {"kanban", "show", ready.substr(0, 6)}) == Words{ready});
  CHECK(offered(hermes, {"kanban", "show", ready.substr(2, 5)}) == Words{ready.substr(2)});
  CHECK(offered(hermes, {"kanban", "create", "x", "--parent=" + blocked.substr(0, 5)}) ==
        Words{"--parent=" + blocked});
  CHECK(offered(hermes, {"kanban", "--board", "second", "show", ""}) == Words{other});
  CHECK(offered(hermes, {"kanban", "--board", "nowhere", "show", ""}).empty());
  REQUIRE(hermes.kanban({"archive", ready}).status == 0);
  CHECK(offered(hermes, {"kanban", "archive", "--rm", ""}) == Words{ready});
  hermes.set("HERMES_KANBAN_BOARD", "second");
  CHECK(offered(hermes, {"kanban", "show", ""}) == Words{other});
  hermes.set("HERMES_HOME", "relative");
  CHECK(offered(hermes, {"kanban", "show", ""}).empty());
}

TEST_CASE("titles are described on one line without control characters", "[cli][completion]") {
  const Hermes hermes;
  const std::string id = hermes.create({k_title});
  const std::string wide = hermes.create({"\x1b[31m\n" + std::string(500, 'x')});
  const Ran ran = complete(hermes, {"kanban", "show", ""});
  CHECK(ran.out.find(id + "\t" + k_shown + "\n") != std::string::npos);
  CHECK(ran.out.find(wide + "\t\\x1b[31m\\n") != std::string::npos);
  for (const std::string& line : lines_of(ran.out)) {
    CHECK(line.size() < 100);
  }
}

TEST_CASE("completion writes nothing and offers at most 200 tasks", "[cli][completion]") {
  const Hermes hermes;
  for (int i = 0; i < 205; ++i) {
    hermes.create({"x"});
  }
  const std::int64_t before = hermes.last_event();
  CHECK(offered(hermes, {"kanban", "show", ""}).size() == 200);
  CHECK(hermes.last_event() == before);
}

TEST_CASE("a damaged or a busy board keeps nobody waiting", "[cli][completion]") {
  const Hermes hermes;
  hermes.create({"x"});
  SECTION("busy") {
    const fs::path locked = hermes.dir() / "locked";
    FILE* sqlite = ::popen(
        ("sqlite3 '" + (hermes.board() / "board.db").string() + "' >'" + locked.string() + "'")
            .c_str(),
        "w");
    REQUIRE(sqlite != nullptr);
    std::fputs("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; SELECT 'held';\n", sqlite);
    std::fflush(sqlite);
    CHECK(wait_until(
        [&] {
          std::ifstream file(locked);
          std::stringstream text;
          text << file.rdbuf();
          return text.str().find("held") != std::string::npos;
        },
        std::chrono::seconds{20}));
    const auto began = std::chrono::steady_clock::now();
    const Ran ran = complete(hermes, {"kanban", "show", ""});
    const auto took = std::chrono::steady_clock::now() - began;
    ::pclose(sqlite);
    CHECK(ran.status == 0);
    CHECK(ran.err.empty());
    CHECK(ran.out.find("t_") == std::string::npos);
    CHECK(took < std::chrono::seconds{4});
  }
  SECTION("damaged") {
    std::ofstream(hermes.board() / "board.db") << "no database";
    const Ran ran = complete(hermes, {"kanban", "show", ""});
    CHECK(ran.status == 0);
    CHECK(ran.out == ":words\n");
    CHECK(ran.err.empty());
  }
}

TEST_CASE("completion works in bash", "[cli][completion]") {
  Hermes hermes;
  prepare_for_shells(hermes);
  const std::string id = hermes.create({k_title, "--assignee", "a b"});
  CHECK(in_bash(hermes, "hermes kan", {"hermes", "kan"}) == Words{"kanban"});
  CHECK(in_bash(hermes, "hermes kanban show ", {"hermes", "kanban", "show", ""}) == Words{id});
  CHECK(in_bash(hermes, "hermes kanban list --status=bl",
                {"hermes", "kanban", "list", "--status", "=", "bl"}) == Words{"blocked"});
  CHECK(in_bash(hermes, "hermes kanban list --sort=", {"hermes", "kanban", "list", "--sort", "="})
            .size() == 8);
  CHECK(in_bash(hermes, "hermes kanban list --assignee a",
                {"hermes", "kanban", "list", "--assignee", "a"}) == Words{"a\\ b"});
  const std::string other = hermes.create({"other"});
  CHECK(in_bash(hermes, "hermes kanban show ", {"hermes", "kanban", "show", ""}) ==
        Words{other, id});
  CHECK(in_bash(hermes, "hermes kanban show ", {"hermes", "kanban", "show", ""}, "63") ==
        Words{other + "  (other)", id + "  (" + k_shown + ")"});
  std::ofstream(hermes.dir() / "some file").close();
  const std::string path = (hermes.dir() / "some").string();
  CHECK(in_bash(hermes, "hermes kanban create x --body-file " + path,
                {"hermes", "kanban", "create", "x", "--body-file", path}) ==
        Words{(hermes.dir() / "some file").string()});
}

TEST_CASE("completion works in fish", "[cli][completion]") {
  if (!has_shell("fish")) {
    return;
  }
  Hermes hermes;
  prepare_for_shells(hermes);
  const std::string id = hermes.create({k_title, "--assignee", "a b"});
  const std::string other = hermes.create({"other"});
  CHECK(in_fish(hermes, "hermes kan") == Words{"kanban\tthe tasks of a board"});
  CHECK(in_fish(hermes, "hermes kanban show ") == Words{other + "\tother", id + "\t" + k_shown});
  CHECK(in_fish(hermes, "hermes kanban list --status=bl") == Words{"--status=blocked"});
  CHECK(in_fish(hermes, "hermes kanban list --st").size() == 2);
  CHECK(in_fish(hermes, "hermes kanban list --assignee a") ==
        Words{"a b\thas tasks on this board"});
  std::ofstream(hermes.dir() / "some-file").close();
  const std::string path = (hermes.dir() / "some").string();
  for (const std::string between : {" ", "="}) {
    const Words found = in_fish(hermes, "hermes kanban create x --body-file" + between + path);
    REQUIRE(found.size() == 1);
    CHECK(found[0].find(path + "-file") != std::string::npos);
  }
}

TEST_CASE("completion works in zsh", "[cli][completion]") {
  if (!has_shell("zsh")) {
    return;
  }
  Hermes hermes;
  prepare_for_shells(hermes);
  const std::string id = hermes.create({k_title, "--assignee", "a b"});
  CHECK(in_zsh(hermes, "hermes kan").line == "hermes kanban ");
  CHECK(in_zsh(hermes, "hermes kanban show ").line == "hermes kanban show " + id + " ");
  CHECK(in_zsh(hermes, "hermes kanban list --status=bl").line ==
        "hermes kanban list --status=blocked ");
  CHECK(in_zsh(hermes, "hermes kanban list --assignee a").line ==
        "hermes kanban list --assignee a\\ b ");
  std::ofstream(hermes.dir() / "some-file").close();
  const std::string path = (hermes.dir() / "some").string();
  for (const std::string between : {" ", "="}) {
    CHECK(in_zsh(hermes, "hermes kanban create x --body-file" + between + path).line ==
          "hermes kanban create x --body-file" + between + path + "-file ");
  }
  const std::string other = hermes.create({"other"});
  const Zsh list = in_zsh(hermes, "hermes kanban show ", "  -- a:");
  INFO(list.screen);
  const auto [differ, ignored] = std::ranges::mismatch(id, other);
  CHECK(list.line == "hermes kanban show " + std::string(id.begin(), differ));
  CHECK(list.screen.find(id + "  -- " + k_shown) != std::string::npos);
  CHECK(list.screen.find(other) < list.screen.find(id));  // the last changed first
}

}  // namespace hermes::test
