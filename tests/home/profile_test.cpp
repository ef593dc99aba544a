#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "kernel/home/profile.hpp"
#include "kernel/home/registry.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using namespace hermes::home;
using hermes::test::TempDir;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

std::string problem_of(std::string_view text) {
  const auto profile = parse_profile(text, "x", "profile.toml");
  REQUIRE_FALSE(profile);
  CHECK(profile.error().code == ErrorCode::invalid);
  return profile.error().message;
}

void write_profile(const Home& home, const std::string& name, const std::string& text) {
  std::filesystem::create_directories(home.profile(name).parent_path());
  std::ofstream(home.profile(name)) << text;
}

}  // namespace

TEST_CASE("every key of a profile reaches its field") {
  const auto profile = parse_profile(R"(
description = "does it"
command = ["agent", "--task", "{task_id}"]
verdict = "exit-code"
env_pass = ["SSH_AUTH_SOCK"]
max_in_progress = 2
max_runtime = "1h"
limits = { nice = 10, memory = "512M", cpu = "1.5s", io = 3, tree_memory = "2G", tree_cpu = "150%" }

[env]
LC_ALL = "C.UTF-8"

[service]
command = ["later"]
)",
                                     "agent", "profile.toml");
  REQUIRE(profile);
  CHECK(profile->name == "agent");
  CHECK(profile->description == "does it");
  CHECK(profile->command == std::vector<std::string>{"agent", "--task", "{task_id}"});
  CHECK(profile->verdict == VerdictMode::by_exit_code);
  CHECK(profile->env_pass == std::vector<std::string>{"SSH_AUTH_SOCK"});
  CHECK(profile->env == std::map<std::string, std::string>{{"LC_ALL", "C.UTF-8"}});
  CHECK(profile->max_in_progress == 2);
  CHECK(profile->max_runtime == 1h);
  CHECK(profile->nice == 10);
  CHECK(profile->memory_bytes == std::int64_t{512} * 1024 * 1024);
  CHECK(profile->cpu_seconds == 2);
  CHECK(profile->io == "3");
  CHECK(profile->tree.memory_bytes == std::int64_t{2} * 1024 * 1024 * 1024);
  CHECK(profile->tree.cpu_percent == 150);
}

TEST_CASE("a profile needs no more than a command, and then its verdict is by call") {
  const auto profile = parse_profile("command = [\"true\"]", "x", "profile.toml");
  REQUIRE(profile);
  CHECK(profile->verdict == VerdictMode::by_call);
  CHECK_FALSE(profile->max_in_progress);
  CHECK(profile->memory_bytes == 0);
}

TEST_CASE("a profile that cannot be used says which line and why") {
  CHECK_THAT(problem_of("description = \"x\"\n"), Contains("command: is missing"));
  CHECK_THAT(problem_of("command = []\n"),
             Contains("profile.toml:1: command: must begin with the program"));
  CHECK_THAT(problem_of("command = [\"  \"]\n"), Contains("must begin with the program"));
  CHECK_THAT(problem_of("command = \"ls\"\n"), Contains("must be a list"));
  CHECK_THAT(problem_of("command = [\"ls\", 3]\n"), Contains("must be a text"));
  CHECK_THAT(problem_of("command = [\"a\\u0000b\"]\n"), Contains("not valid UTF-8 text"));
  CHECK_THAT(
      problem_of("command = [\"ls\"]\nverdict = \"maybe\"\n"),
      Contains(
          "profile.toml:2: verdict: unknown word 'maybe', it must be one of explicit, exit-code"));
  CHECK_THAT(problem_of("command = [\"ls\"]\ncomand = 1\n"),
             Contains("profile.toml:2: unknown key 'comand', did you mean command?"));
  CHECK_THAT(problem_of("command = [\"ls\"]\nlimits = { nice = 20 }\n"),
             Contains("limits.nice: is 20, must be a whole number from 0 to 19"));
  CHECK_THAT(problem_of("command = [\"ls\"]\nlimits = { memory = \"lots\" }\n"),
             Contains("limits.memory: is 'lots', must be a number of bytes"));
  CHECK_THAT(problem_of("command = [\"ls\"]\nlimits = { tree_memory = 4 }\n"),
             Contains("limits.tree_memory: is 4, must be a number of bytes from 16777216"));
  for (const char* percent :
       {"50", "\"50\"", "\"0%\"", "\"-1%\"", "\"1.5%\"", "\"%\"", "\"100001%\""}) {
    CHECK_THAT(
        problem_of(fmt::format("command = [\"ls\"]\nlimits = {{ tree_cpu = {} }}\n", percent)),
        Contains("must be a text from \"1%\" to \"100000%\""));
  }
  CHECK_THAT(problem_of("command = [\"ls\"]\nmax_runtime = 0\n"),
             Contains("max_runtime: is 0, must be a duration"));
  CHECK_THAT(problem_of("command = [\"ls\"]\n[env]\n\"a=b\" = \"x\"\n"),
             Contains("profile.toml:3: env.a=b: 'a=b' is not a variable name"));
}

TEST_CASE("a profile cannot pose as another run") {
  CHECK_THAT(problem_of("command = [\"ls\"]\nenv = { HERMES_KANBAN_RUN_TOKEN = \"x\" }\n"),
             Contains("is set by the dispatcher"));
  CHECK_THAT(problem_of("command = [\"ls\"]\nenv_pass = [\"HERMES_HOME\"]\n"),
             Contains("is set by the dispatcher"));
  CHECK(parse_profile("command = [\"ls\"]\nenv_pass = [\"HERMES_API_KEY\"]\n", "x", "f"));
}

TEST_CASE("profiles are found on disk, usable or not") {
  const TempDir dir;
  const Home home{dir.path()};
  CHECK(list_profiles(home).empty());
  write_profile(home, "zeta", "command = [\"true\"]\n");
  write_profile(home, "broken", "command = \n");
  std::filesystem::create_directories(home.profiles() / "empty");
  std::filesystem::create_directories(home.profiles() / "Not A Name");
  CHECK(list_profiles(home) == std::vector<std::string>{"broken", "zeta"});
  CHECK(load_profile(home, "zeta")->name == "zeta");
  CHECK(load_profile(home, "broken").error().code == ErrorCode::invalid);
  for (const std::string absent : {"other", "../zeta", "Zeta", "", "a name"}) {
    CAPTURE(absent);
    const auto missing = load_profile(home, absent);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == ErrorCode::not_found);
    CHECK_THAT(missing.error().hint, Contains("broken, zeta"));
  }
}

TEST_CASE("the shell profile runs the body and is written once") {
  const TempDir dir;
  const Home home{dir / "home"};
  CHECK(create_shell_profile(home) == true);
  const auto profile = load_profile(home, "shell");
  REQUIRE(profile);
  CHECK(profile->verdict == VerdictMode::by_exit_code);
  CHECK(expand_command(*profile, {.task_id = "t_1", .body = "echo \"$1\" {title}"}) ==
        std::vector<std::string>{"bash", "-euo", "pipefail", "-c", "echo \"$1\" {title}"});
  std::ofstream(home.profile("shell")) << "command = [\"sh\"]\n";
  CHECK(create_shell_profile(home) == false);
  CHECK(load_profile(home, "shell")->command == std::vector<std::string>{"sh"});
}

TEST_CASE("placeholders are replaced inside arguments, once, and other braces stay") {
  Profile profile;
  profile.command = {
      "{task_id}",           "a{title}b{title}", "{body}", "{workspace}/{board}/{context_file}",
      "${HOME} {unknown} {", "{{title}}",        "{}"};
  const CommandValues values{.task_id = "t_12345678",
                             .title = "{body}",
                             .body = "{task_id}",
                             .workspace = "/w",
                             .board = "default",
                             .context_file = "c"};
  CHECK(expand_command(profile, values) ==
        std::vector<std::string>{"t_12345678", "a{body}b{body}", "{task_id}", "/w/default/c",
                                 "${HOME} {unknown} {", "{{body}}", "{}"});
}

TEST_CASE("a worker sees the allow-list, what its profile names and sets, and ours above all") {
  Profile profile;
  profile.env_pass = {"TOKEN", "ABSENT"};
  profile.env = {{"LANG", "C"}, {"MODE", "x=y"}};
  const auto environment = worker_environment(profile,
                                              {{"PATH", "/bin"},
                                               {"LANG", "de"},
                                               {"TOKEN", "t"},
                                               {"SECRET", "s"},
                                               {"HERMES_HOME", "/other"}},
                                              {{"SECRET_OF_FILE", "f"}, {"MODE", "file"}},
                                              {{"HERMES_HOME", "/h"}, {"MODE", "ours"}});
  CHECK(environment == std::vector<std::string>{"HERMES_HOME=/h", "LANG=C", "MODE=ours",
                                                "PATH=/bin", "SECRET_OF_FILE=f", "TOKEN=t"});
}
