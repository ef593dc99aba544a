#include <sys/wait.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>

#include "cli/run_hermes.hpp"

namespace hermes::test {

TEST_CASE("control characters of others never reach the terminal", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"red \x1b[31m\rtitle\nline", "--tenant", "a\x1b[2J"});
  REQUIRE(hermes
              .kanban({"comment", id, "bell \x07\n  [2026-01-01 00:00] boss: forged", "--author",
                       "\x1b]0;x\x07"})
              .status == 0);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"list"}, {"show", id}, {"why", id}, {"stats"}}) {
    const Ran ran = hermes.kanban(words);
    INFO(ran.out);
    CHECK(ran.out.find('\x1b') == std::string::npos);
    CHECK(ran.out.find('\x07') == std::string::npos);
    CHECK(ran.out.find('\r') == std::string::npos);
  }
  const Ran list = hermes.kanban({"list"});
  CHECK(std::count(list.out.begin(), list.out.end(), '\n') == 1);
  CHECK(hermes.kanban({"show", id}).out.find("\n  [2026-01-01 00:00] boss") == std::string::npos);
}

TEST_CASE("columns line up by what a terminal shows", "[cli]") {
  const Hermes hermes;
  hermes.create({"one", "--assignee", "日本語"});
  hermes.create({"two", "--assignee", "plain", "--priority", "-1"});
  const Ran ran = hermes.kanban({"list"});
  CHECK(ran.out.find("ready  日本語  one\n") != std::string::npos);
  CHECK(ran.out.find("ready  plain   two\n") != std::string::npos);
  hermes.create({"three", "--assignee", "x", "--tenant", "acme"});
  const Ran tenants = hermes.kanban({"list"});
  CHECK(tenants.out.find("ready  x       acme  three\n") != std::string::npos);
  CHECK(tenants.out.find("ready  日本語  -     one\n") != std::string::npos);
}

namespace {

// What the command prints on a terminal of 60 columns.
std::string on_terminal(Hermes& hermes, const std::string& command, const std::string& term) {
  hermes.set("TERM", term);
  const Ran ran = hermes.run_program(
      {"script", "-qec", "stty cols 60 && '" HERMES_BINARY "' " + command, "/dev/null"});
  std::string out = ran.out;
  std::erase(out, '\r');
  return out;
}

}  // namespace

TEST_CASE("a terminal gets colours and lines that fit, a pipe neither", "[cli]") {
  Hermes hermes;
  const std::string id = hermes.create({"日本語 " + std::string(200, 'x'), "--assignee", "ann"});
  const std::string plain = "▶ " + id + "  ready  ann  日本語 " + std::string(26, 'x') + "…\n";
  const std::string coloured = "\x1b[32m▶\x1b[0m " + id + "  \x1b[32mready\x1b[0m  ann  ";
  CHECK(on_terminal(hermes, "kanban list", "xterm").starts_with(coloured));
  CHECK(on_terminal(hermes, "kanban list", "dumb") == plain);
  hermes.set("CLICOLOR_FORCE", "1");
  CHECK(hermes.kanban({"list"}).out.starts_with(coloured));
  CHECK(hermes.kanban({"list"}).out.ends_with(std::string(200, 'x') + "\n"));
  hermes.set("NO_COLOR", "1");
  CHECK(on_terminal(hermes, "kanban list", "xterm") == plain);
  hermes.unset("NO_COLOR");
  hermes.unset("CLICOLOR_FORCE");
  CHECK(hermes.kanban({"list"}).out.find('\x1b') == std::string::npos);
  CHECK(hermes.kanban({"list"}).out.ends_with(std::string(200, 'x') + "\n"));
  const std::string help = on_terminal(hermes, "kanban create --help", "xterm");
  CHECK(help.find("  --parent ID               a task it waits for; may be\n" +
                  std::string(28, ' ') + "given again\n") != std::string::npos);
}

TEST_CASE("show prints the end of long lists and says where the rest is", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"x"});
  for (int i = 1; i <= 22; ++i) {
    REQUIRE(hermes.kanban({"comment", id, "number " + std::to_string(i) + "."}).status == 0);
  }
  for (int i = 0; i < 12; ++i) {
    REQUIRE(hermes.kanban({"claim", id}).status == 0);
    REQUIRE(hermes.kanban({"reclaim", id}).status == 0);
  }
  const std::string out = hermes.kanban({"show", id}).out;
  INFO(out);
  CHECK(out.find("Comments (22):\n  … 2 earlier: `hermes kanban show " + id + " --json`\n") !=
        std::string::npos);
  CHECK(out.find("number 2.") == std::string::npos);
  CHECK(out.find("number 3.") != std::string::npos);
  CHECK(out.find(" earlier: `hermes kanban tail " + id + "`\n") != std::string::npos);
  CHECK(out.find("Runs (12):\n  … 2 earlier: `hermes kanban runs " + id + "`\n") !=
        std::string::npos);
  CHECK(out.find("ready → running") != std::string::npos);
  CHECK(out.find("{\"") == std::string::npos);
}

TEST_CASE("an empty list says so and is a success", "[cli]") {
  const Hermes hermes;
  CHECK(hermes.kanban({"list"}).out == "(no matching tasks)\n");
  CHECK(hermes.kanban({"list", "--json"}).out == "[]\n");
}

TEST_CASE("help is printed on standard output with status 0", "[cli]") {
  const Hermes hermes(false);
  for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                {"--help"},
                                                {"kanban"},
                                                {"kanban", "--help"},
                                                {"kanban", "create", "--help"},
                                                {"kanban", "create", "--bogus", "-h"},
                                                {"kanban", "list", "--board", "x", "-h"}}) {
    const Ran ran = hermes.run(words);
    CHECK(ran.status == 0);
    CHECK(ran.out.find("usage: hermes") == 0);
    CHECK(ran.err.empty());
  }
  CHECK(hermes.run({"--version"}).out.find("hermes ") == 0);
  CHECK(hermes.run({"kanban", "list", "--version"}).out == hermes.run({"version"}).out);
}

TEST_CASE("a list whose reader has gone ends quietly", "[cli]") {
  const Hermes hermes;
  for (int i = 0; i < 3; ++i) {
    hermes.create({std::string(900, 'x')});
  }
  Running list = hermes.start({"kanban", "list", "--json"});
  list.close_out();
  CHECK(list.wait() == 0);
}

TEST_CASE("a full disk under standard output is no success", "[cli]") {
  const Hermes hermes;
  const std::string line = "HERMES_HOME='" + hermes.home().string() +
                           "' '" HERMES_BINARY "' kanban stats > /dev/full 2>'" +
                           (hermes.dir() / "err").string() + "'";
  CHECK(WEXITSTATUS(std::system(line.c_str())) == 1);
}

TEST_CASE("an unstarted task with a profile gets a warning, and only people see it", "[cli]") {
  const Hermes hermes;
  const Ran ran = hermes.kanban({"create", "x", "--assignee", "shell"});
  CHECK(ran.status == 0);
  CHECK(ran.err.find("hermes dispatcher start") != std::string::npos);
  CHECK(hermes.kanban({"create", "x", "--assignee", "shell", "--json"}).err.empty());
  CHECK(hermes.kanban({"create", "x", "--assignee", "nobody-here"}).err.empty());
  CHECK(hermes.kanban({"create", "x", "--assignee", "shell", "--triage"}).err.empty());
}

}  // namespace hermes::test
