#include <sys/wait.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>

#include "cli/run_hermes.hpp"

namespace hermes::test {

TEST_CASE("control characters of others never reach the terminal", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"red \x1b[31m\rtitle\nline", "--assignee", "a\x1b[2J"});
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
  CHECK(ran.out.find("ready      日本語" + std::string(16, ' ') + "one\n") != std::string::npos);
  CHECK(ran.out.find("ready      plain" + std::string(17, ' ') + "two\n") != std::string::npos);
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
