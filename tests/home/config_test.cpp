#include <catch2/catch.hpp>

#include <fstream>

#include "kernel/home/config.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using namespace hermes::home;
using hermes::test::TempDir;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

std::string problem_of(std::string_view text) {
  const auto config = parse_config(text, "config.toml");
  REQUIRE_FALSE(config);
  CHECK(config.error().code == ErrorCode::invalid);
  return config.error().message;
}

}  // namespace

TEST_CASE("without a config file everything has its default") {
  const TempDir dir;
  const auto config = load_config(Home{dir.path()});
  REQUIRE(config);
  CHECK(config->interval == 60s);
  CHECK(config->limits.failure_limit == 5);
  CHECK_FALSE(config->limits.start_rate);
}

TEST_CASE("every key of the config reaches its setting") {
  const auto config = parse_config(R"(
[dispatcher]
interval = "30s"
max_in_progress = 3
max_in_progress_per_profile = 2
start_rate = 7
failure_limit = 4
violation_limit = 2
claim_ttl = 120
stale_timeout = 0
heartbeat_gap = "10m"
rate_limit_cooldown = "250ms"
verdict_grace = "1s"
stop_grace = 0
gate_wait = "2s"
default_assignee = " Shell "
reviewer = "critic"

[retry]
base = "1s"
factor = 2
max = "1m"
fleet_window = "30s"
fleet_cooldown = "90s"

[log]
rotate_bytes = "1M"
keep = 3
)",
                                   "config.toml");
  REQUIRE(config);
  const Limits& limits = config->limits;
  CHECK(config->interval == 30s);
  CHECK(config->gate_wait == 2s);
  CHECK(config->log_rotate_bytes == 1024 * 1024);
  CHECK(limits.max_in_progress == 3);
  CHECK(limits.max_in_progress_per_profile == 2);
  CHECK(limits.start_rate == 7);
  CHECK(limits.failure_limit == 4);
  CHECK(limits.violation_limit == 2);
  CHECK(limits.claim_ttl == 120s);
  CHECK(limits.stale_timeout == 0s);
  CHECK(limits.heartbeat_gap == 10min);
  CHECK(limits.rate_limit_cooldown == 250ms);
  CHECK(limits.verdict_grace == 1s);
  CHECK(limits.stop_grace == 0s);
  CHECK(limits.default_assignee == "shell");
  CHECK(limits.reviewer == "critic");
  CHECK(limits.retry_base == 1s);
  CHECK(limits.retry_factor == 2);
  CHECK(limits.retry_max == 1min);
  CHECK(limits.fleet_window == 30s);
  CHECK(limits.fleet_cooldown == 90s);
}

TEST_CASE("the planner's settings reach it, and a relative path of its program is refused") {
  const auto config = parse_config(R"(
[planner]
command = ["/opt/planner", "--quiet"]
env_pass = ["API_KEY"]
env = { MODEL = "small" }
specify_timeout = "30s"
decompose_timeout = 60
max_output = "64K"
max_children = 7
root_assignee = " Lead "
auto = "decompose"
per_pass = 2
failure_limit = 4
retry_base = "10s"
retry_max = "1m"
)",
                                   "config.toml");
  REQUIRE(config);
  const Planner& planner = config->planner;
  CHECK(planner.command == std::vector<std::string>{"/opt/planner", "--quiet"});
  CHECK(planner.env_pass == std::vector<std::string>{"API_KEY"});
  CHECK(planner.env.at("MODEL") == "small");
  CHECK(planner.specify_timeout == 30s);
  CHECK(planner.decompose_timeout == 60s);
  CHECK(planner.max_output == 64 * 1024);
  CHECK(planner.limits.max_children == 7);
  CHECK(planner.limits.root_assignee == "lead");
  CHECK(planner.automatic == AutoPlan::decompose);
  CHECK(planner.per_pass == 2);
  CHECK(planner.limits.failure_limit == 4);
  CHECK(planner.limits.retry_base == 10s);
  CHECK(planner.limits.retry_max == 1min);
  CHECK(parse_config("[planner]\ncommand = [\"in-path\"]\n", "c"));
  CHECK(parse_config("", "c")->planner.automatic == AutoPlan::off);
  CHECK_THAT(problem_of("[planner]\ncommand = [\"./planner\"]\n"), Contains("is a relative path"));
  CHECK_THAT(problem_of("[planner]\ncommand = []\n"), Contains("must begin with the program"));
  CHECK_THAT(problem_of("[planner]\nauto = true\n"), Contains("must be a text"));
  CHECK_THAT(problem_of("[planner]\nauto = \"yes\"\n"),
             Contains("unknown word 'yes', it must be one of off, specify, decompose"));
}

TEST_CASE("sections kept for later are accepted without effect") {
  for (const std::string& section : reserved_sections()) {
    CAPTURE(section);
    CHECK(parse_config("[" + section + "]\nanything = true\n", "config.toml"));
  }
  CHECK(parse_config("[notify.phone]\nurl = \"x\"\n[[hooks]]\nrun = [\"a\"]\n", "config.toml"));
}

TEST_CASE("an unknown key is an error that names file, line, key and what was meant") {
  const auto config = parse_config("# a comment\n[dispatcher]\nintervall = 3\n", "/h/config.toml");
  REQUIRE_FALSE(config);
  CHECK(config.error().message ==
        "/h/config.toml:3: unknown key 'intervall' in [dispatcher], did you mean interval?");
  CHECK_THAT(config.error().hint, Contains("failure_limit"));
  CHECK_THAT(problem_of("[despatcher]\n"),
             Contains("config.toml:1: unknown key 'despatcher', did you mean dispatcher?"));
  CHECK(problem_of("x = 3\n") == "config.toml:1: unknown key 'x'");
  CHECK_THAT(problem_of("[dispatcher]\nmax_in = 3\n"), Contains("max_in_progress"));
  CHECK_THAT(problem_of("[retry]\nzzzzzzzzzzzz = 3\n"),
             Contains("unknown key 'zzzzzzzzzzzz' in [retry]"));
}

TEST_CASE("a wrong type or range is an error that names the line and the rule") {
  CHECK(problem_of("[dispatcher]\nfailure_limit = 0\n") ==
        "config.toml:2: dispatcher.failure_limit: is 0, must be a whole number from 1 to 1000");
  CHECK_THAT(problem_of("[dispatcher]\nfailure_limit = \"5\"\n"),
             Contains("must be a whole number"));
  CHECK_THAT(problem_of("[dispatcher]\n\n\ninterval = -5\n"),
             Contains("config.toml:4: dispatcher.interval: is -5, must be"));
  CHECK_THAT(problem_of("[dispatcher]\ninterval = \"soon\"\n"),
             Contains("must be a duration from 1 s to 24.0 h"));
  CHECK_THAT(problem_of("[dispatcher]\ninterval = 1.5\n"), Contains("must be a duration"));
  CHECK_THAT(problem_of("[dispatcher]\ninterval = 0\n"), Contains("must be a duration"));
  CHECK_THAT(problem_of("[dispatcher]\nreviewer = 3\n"), Contains("must be a text"));
  CHECK_THAT(problem_of("[dispatcher]\nreviewer = \"a\\u0000b\"\n"), Contains("not valid UTF-8"));
  CHECK_THAT(problem_of("[dispatcher]\nreviewer = \"a\\nb\"\n"), Contains("control characters"));
  CHECK_THAT(problem_of("[log]\nrotate_bytes = 1024\n"),
             Contains("must be a number of bytes from 65536"));
  CHECK_THAT(problem_of("[log]\nrotate_bytes = \"9999999999T\"\n"),
             Contains("must be a number of bytes"));
  CHECK_THAT(problem_of("dispatcher = 3\n"), Contains("must be a section"));
  CHECK_THAT(problem_of("[retry]\nbase = \"1h\"\nmax = \"1m\"\n"),
             Contains("config.toml:3: retry.max (60 s) is shorter than retry.base (60 min)"));
}

TEST_CASE("what is not TOML is an error that names the line") {
  CHECK_THAT(problem_of("[dispatcher]\ninterval = \n"), Contains("config.toml:2: "));
  CHECK_THAT(problem_of("[dispatcher]\ninterval = 1\ninterval = 2\n"), Contains("config.toml:3: "));
  CHECK_THAT(problem_of("a = \"\xff\"\n"), Contains("config.toml:1: "));
}

TEST_CASE("input made to exhaust the parser is refused") {
  std::string deep = "a";
  for (int i = 0; i < 400'000; ++i) {
    deep += ".a";
  }
  CHECK_THAT(problem_of("\n" + deep + " = 1\n"), Contains("config.toml:2: more than 1000 dots"));
  CHECK_THAT(problem_of("a = " + std::string(100'000, '[')), Contains("config.toml:1: "));
  CHECK_THAT(problem_of(std::string(1024 * 1024 + 1, '#')), Contains("longer than 1048576 bytes"));
}

TEST_CASE("a config file that cannot be read is an error, not the defaults") {
  const TempDir dir;
  std::filesystem::create_directory(dir / "config.toml");
  CHECK_FALSE(load_config(Home{dir.path()}));
}
