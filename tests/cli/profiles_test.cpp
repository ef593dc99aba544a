// The verbs about profiles, as a person types them.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "cli/run_hermes.hpp"

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Catch::Matchers::Contains;

namespace hermes::test {

namespace {

std::string read(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

void write(const fs::path& file, const std::string& text, mode_t mode = 0600) {
  std::ofstream(file) << text;
  REQUIRE(::chmod(file.c_str(), mode) == 0);
}

Json shown(const Hermes& hermes, const std::string& name) {
  return Json::parse(hermes.run({"profile", "show", name, "--json"}).out);
}

}  // namespace

TEST_CASE("a profile begins with a template, and flags go before what it says", "[cli]") {
  const Hermes hermes;
  const Json templates = json_of(hermes.run({"profile", "templates", "--json"}));
  CHECK(templates.size() == 7);
  const Ran made = hermes.run({"profile", "create", "coder", "--template", "claude-code",
                               "--description", "Ours", "--max-in-progress", "1", "--env-pass",
                               "EXTRA", "--env", "MODE=fast", "--verdict", "exit-code"});
  INFO(made.err);
  REQUIRE(made.status == 0);
  const Json coder = shown(hermes, "coder");
  CHECK(coder["description"] == "Ours");
  CHECK(coder["max_in_progress"] == 1);
  CHECK(coder["verdict"] == "exit-code");
  CHECK(coder["env_pass"] == Json({"ANTHROPIC_API_KEY", "EXTRA"}));
  CHECK(coder["env"] == Json({{"MODE", "fast"}}));
  CHECK(coder["command"][0] == "claude");
  CHECK_THAT(read(hermes.home() / "profiles/coder/profile.toml"), Contains("# Needs the program"));
  CHECK(hermes.run({"profile", "create", "x", "--template", "clade"}).status == 2);
  CHECK_THAT(hermes.run({"profile", "create", "x"}).err, Contains("COMMAND is missing"));
}

TEST_CASE(
    "a profile may have a program of its task's workspace, no secret that is shown, no name "
    "that means nobody",
    "[cli]") {
  const Hermes hermes;
  REQUIRE(hermes
              .run({"profile", "create", "rel", "--", "./worker.sh",
                    "Bearer sk-abcdef1234567890abcdef1234567890"})
              .status == 0);
  CHECK(shown(hermes, "rel")["error"].is_null());
  CHECK(hermes.run({"profile", "check", "rel"}).status == 0);
  for (const char* verb : {"show", "check"}) {
    CHECK(hermes.run({"profile", verb, "rel"}).out.find("abcdef1234567890abcdef") ==
          std::string::npos);
  }
  CHECK(hermes.run({"profile", "create", "none", "--", "true"}).status == 2);
  REQUIRE(hermes
              .run({"profile", "edit", "rel", "--set", "env_pass=[\"TOKEN_A\", \"LOST\"]", "--set",
                    "env.TOKEN_A=x"})
              .status == 0);
  const std::string checked = hermes.run({"profile", "check", "rel"}).out;
  CHECK_THAT(checked, Contains("LOST is to be passed"));
  CHECK(checked.find("TOKEN_A is to be passed") == std::string::npos);
}

TEST_CASE("a profile is edited by key, and a bad value changes nothing", "[cli]") {
  const Hermes hermes;
  REQUIRE(hermes
              .run({"profile", "edit", "shell", "--set", "max_runtime=2h", "--set",
                    "limits.io=idle", "--set", "description=3", "--set", "env.LANG=C"})
              .status == 0);
  Json shell = shown(hermes, "shell");
  CHECK(shell["max_runtime_ms"] == 7'200'000);
  CHECK(shell["io"] == "idle");
  CHECK(shell["description"] == "3");
  CHECK(shell["env"]["LANG"] == "C");
  const std::string before = read(hermes.home() / "profiles/shell/profile.toml");
  const Ran bad = hermes.run({"profile", "edit", "shell", "--set", "limits.io=9"});
  CHECK(bad.status == 1);
  CHECK_THAT(bad.err, Contains("limits.io: must be \"idle\" or a level"));
  CHECK(hermes.run({"profile", "edit", "shell", "--set", "comand=x"}).status == 1);
  CHECK(hermes.run({"profile", "edit", "shell", "--set", "command="}).status == 1);
  CHECK(hermes.run({"profile", "edit", "shell"}).status == 2);  // no terminal
  CHECK(read(hermes.home() / "profiles/shell/profile.toml") == before);
  REQUIRE(hermes.run({"profile", "edit", "shell", "--set", "max_runtime="}).status == 0);
  CHECK(shown(hermes, "shell")["max_runtime_ms"].is_null());
  REQUIRE(hermes.run({"profile", "describe", "shell", "runs", "scripts"}).status == 0);
  CHECK(shown(hermes, "shell")["description"] == "runs scripts");
}

TEST_CASE("a profile is edited at a terminal, and what could not be used is kept beside it",
          "[cli]") {
  Hermes hermes;
  const fs::path editor = hermes.dir() / "editor";
  const fs::path file = hermes.home() / "profiles/shell/profile.toml";
  // An editor with arguments, as many people have one.
  write(editor, "#!/bin/sh\n[ \"$1\" = -x ] && cat \"$NEW\" >\"$2\"\n", 0700);
  hermes.set("VISUAL", editor.string() + " -x");
  hermes.set("NEW", (hermes.dir() / "new").string());
  hermes.set("HERMES", HERMES_BINARY);
  const auto edit = [&](const std::string& text) {
    write(hermes.dir() / "new", text);
    return hermes.run_program({"python3", "-c",
                               "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn("
                               "[os.environ['HERMES'], 'profile', 'edit', 'shell'])))"});
  };
  const Ran good = edit("command = [\"true\"]\n");
  INFO(good.out << good.err);
  REQUIRE(good.status == 0);
  CHECK(read(file) == "command = [\"true\"]\n");
  const Ran bad = edit("command = [\"true\"]\nverdict = \"maybe\"\n");
  CHECK(bad.status == 1);
  CHECK_THAT(bad.out, Contains("profile.toml:2: verdict: unknown word 'maybe'") &&
                          Contains("profile.toml.rejected"));
  CHECK(read(file) == "command = [\"true\"]\n");
  CHECK_THAT(read(file.string() + ".rejected"), Contains("maybe"));
}

TEST_CASE("renaming a profile takes its open tasks along, and leaves history alone", "[cli]") {
  const Hermes hermes;
  hermes.add_board("other");
  const std::string open = hermes.create({"a", "--assignee", "shell"});
  const std::string done = hermes.create({"b", "--assignee", "shell"});
  REQUIRE(hermes.kanban({"complete", done}).status == 0);
  REQUIRE(hermes.kanban({"--board", "other", "create", "c", "--assignee", "shell"}).status == 0);
  write(hermes.home() / "config.toml", "[dispatcher]\ndefault_assignee = \"shell\"\n");
  const Ran renamed = hermes.run({"profile", "rename", "shell", "bash"});
  INFO(renamed.err);
  REQUIRE(renamed.status == 0);
  CHECK_THAT(renamed.out, Contains("with 2 open tasks"));
  CHECK_THAT(renamed.err, Contains("default_assignee"));
  CHECK(json_of(hermes.kanban({"show", open, "--json"}))["task"]["assignee"] == "bash");
  CHECK(json_of(hermes.kanban({"show", done, "--json"}))["task"]["assignee"] == "shell");
  CHECK(fs::exists(hermes.home() / "profiles/bash/profile.toml"));
  CHECK_FALSE(fs::exists(hermes.home() / "profiles/shell"));
  CHECK(hermes.run({"kanban", "doctor"}).status == 0);
  CHECK(hermes.run({"profile", "rename", "shell", "x"}).status == 1);
  CHECK(hermes.run({"profile", "rename", "bash", "bash"}).status == 2);
  REQUIRE(hermes.run({"init"}).status == 0);
  CHECK(hermes.run({"profile", "rename", "bash", "shell"}).status == 1);
}

TEST_CASE("a profile is carried elsewhere as a file that holds none of its secrets", "[cli]") {
  const Hermes hermes;
  const std::string key = std::string("gh") + "p_a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6";
  REQUIRE(hermes
              .run({"profile", "create", "net", "--description", "for nets", "--env",
                    "API_TOKEN=hunter22", "--env", "MODE=x", "--env", "OTHER=" + key, "--", "true",
                    "{task_id}"})
              .status == 0);
  REQUIRE(hermes.run({"profile", "edit", "net", "--set", "env_file=secrets.env"}).status == 0);
  write(hermes.home() / "profiles/net/secrets.env", "A=deepsecret\n");
  const fs::path file = hermes.dir() / "net.toml";
  const Ran out = hermes.run({"profile", "export", "net", file.string()});
  INFO(out.err);
  REQUIRE(out.status == 0);
  CHECK_THAT(out.err, Contains("env.API_TOKEN was left out"));
  CHECK_THAT(out.err, Contains("env_file was left out"));
  const std::string text = read(file);
  for (const std::string& secret : {std::string("hunter22"), key, std::string("deepsecret")}) {
    CHECK(text.find(secret) == std::string::npos);
  }
  CHECK(hermes.run({"profile", "export", "net", file.string()}).status == 1);
  CHECK(hermes.run({"profile", "install", file.string()}).status == 1);  // it is there
  REQUIRE(hermes.run({"profile", "install", file.string(), "--name", "net2"}).status == 0);
  CHECK(shown(hermes, "net2")["command"] == Json({"true", "{task_id}"}));
  CHECK(shown(hermes, "net2")["env"] == Json({{"MODE", "x"}}));
  REQUIRE(hermes.run({"profile", "delete", "net"}).status == 0);
  CHECK(hermes.run({"profile", "install", "-"}, text).status == 0);  // named by its first line
  CHECK(hermes.run({"profile", "install", "-"}, "command = [\"true\"]\n").status == 2);
}

TEST_CASE("check says whether a profile can work, and shows no secret", "[cli]") {
  Hermes hermes;
  hermes.set("PASSED_PASSWORD", "hunter22");
  REQUIRE(hermes
              .run({"profile", "edit", "shell", "--set", "env_file=s.env", "--set",
                    R"(env_pass=["PASSED_PASSWORD", "ABSENT"])"})
              .status == 0);
  const fs::path file = hermes.home() / "profiles/shell/s.env";
  CHECK_THAT(hermes.run({"profile", "check", "shell"}).out, Contains("cannot be read"));
  write(file, "PLAIN=deepsecret\n", 0640);
  const Ran refused = hermes.run({"profile", "check", "shell"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.out, Contains("can be used by others (mode 0640)"));
  write(file, "# mine\nPLAIN=\"deepsecret\"\n");
  const Ran good = hermes.run({"profile", "check", "shell"});
  INFO(good.out << good.err);
  CHECK(good.status == 0);
  CHECK_THAT(good.out, Contains("PLAIN=***  (env_file)"));
  CHECK_THAT(good.out, Contains("PASSED_PASSWORD=***  (dispatcher)"));
  CHECK_THAT(good.out, Contains("ABSENT is to be passed, and is not set"));
  CHECK_THAT(good.out, Contains("bash, version") || Contains("GNU bash"));
  CHECK_THAT(good.out, Contains("| echo hello"));
  CHECK(good.out.find("deepsecret") == std::string::npos);
  CHECK(good.out.find("hunter22") == std::string::npos);
  write(file, "no equals sign deepsecret\n");
  const Ran broken = hermes.run({"profile", "check", "shell"});
  CHECK(broken.status == 1);
  CHECK_THAT(broken.out, Contains("s.env:1: is not NAME=VALUE"));
  CHECK(broken.out.find("deepsecret") == std::string::npos);
  const std::string id = hermes.create({"mine", "--body", "uname -a"});
  write(file, "");
  CHECK_THAT(hermes.run({"profile", "check", "shell", "--task", id}).out, Contains("| uname -a"));
  for (const std::string program : {"no-such-program", "/no/such/program"}) {
    REQUIRE(
        hermes.run({"profile", "edit", "shell", "--set", "command=[\"" + program + "\"]"}).status ==
        0);
    const Ran lost = hermes.run({"profile", "check", "shell"});
    CHECK(lost.status == 1);
    CHECK_THAT(lost.out, Contains(program));
  }
}

}  // namespace hermes::test
