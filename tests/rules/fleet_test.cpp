#include "kernel/rules/fleet.hpp"

#include <catch2/catch.hpp>

#include "rules/every.hpp"

using namespace hermes;
using namespace hermes::rules;
using namespace std::chrono_literals;

namespace {

ExitFacts says(const std::string& line, int code = 1) {
  return {.kind = ExitKind::exited, .code = code, .last_output = line};
}

EndedRun fails(std::int64_t id, const std::string& fingerprint = "a") {
  return {id, "t_" + std::to_string(id), Sign::fails, fingerprint};
}

EndedRun works(std::int64_t id) { return {id, "t_" + std::to_string(id), Sign::works, ""}; }

}  // namespace

TEST_CASE("numbers and hexadecimal runs are folded, words are not") {
  CHECK(fold_numbers("no such key") == "no such key");
  CHECK(fold_numbers("12:33:55 pid 4711 at 0x7ffe") == "#:#:# pid # at #x#");
  CHECK(fold_numbers("/boards/a/workspaces/t_1a2b3c4d/x") == "/boards/a/workspaces/t_#/x");
  CHECK(fold_numbers("added deadbeef") == "added #");
  CHECK(fold_numbers("bad face") == "bad face");
  CHECK(fold_numbers("").empty());
}

TEST_CASE("failures of one cause have one fingerprint, others have another") {
  const auto print = [](const ExitFacts& exit) { return fingerprint(Outcome::failed, exit); };
  CHECK(print(says("t_00000001: no key (pid 12)")) == print(says("t_0000ff02: no key (pid 9999)")));
  CHECK(print(says("no key")) != print(says("no disk")));
  CHECK(print(says("no key", 1)) != print(says("no key", 2)));
  CHECK(fingerprint(Outcome::crashed, says("no key")) != print(says("no key")));
  CHECK(print({.kind = ExitKind::exec_failed, .code = 2, .detail = "x: no such file"}) !=
        print({.kind = ExitKind::exec_failed, .code = 2, .detail = "y: no such file"}));
}

TEST_CASE("three tasks that fail alike pause a profile, two do not, nor one that fails thrice") {
  CHECK(judge(std::nullopt, fails(2), {fails(2), fails(1)}) == GateChange::none);
  CHECK(judge(std::nullopt, fails(3), {fails(3), fails(2), fails(1)}) == GateChange::pause);
  EndedRun again = fails(4);
  again.task_id = "t_3";
  CHECK(judge(std::nullopt, again, {again, fails(3), fails(2)}) == GateChange::none);
}

TEST_CASE("a success between forgets what failed before, other failures are passed over") {
  CHECK(judge(std::nullopt, fails(4), {fails(4), works(3), fails(2), fails(1)}) ==
        GateChange::none);
  CHECK(judge(std::nullopt, fails(5),
              {fails(5), fails(4, "b"), fails(3), fails(2, "c"), fails(1)}) == GateChange::pause);
  CHECK(judge(std::nullopt, fails(3, ""), {fails(3, ""), fails(2, ""), fails(1, "")}) ==
        GateChange::none);
}

TEST_CASE("the probe decides over a pause, a run from before does not prolong it") {
  const Gate paused{.paused_until = Instant{1000}, .pause = 60s, .probe_run = 7};
  const std::vector<EndedRun> many{fails(9), fails(8), fails(7)};
  CHECK(judge(paused, fails(7), many) == GateChange::pause_longer);
  CHECK(judge(paused, fails(9), many) == GateChange::none);
  CHECK(judge(paused, works(7), {}) == GateChange::resume);
  CHECK(judge(paused, works(9), {}) == GateChange::resume);
  CHECK(judge(paused, {7, "t_7", Sign::none, ""}, {}) == GateChange::probe_decided);
  // A probe that failed for its own directory says nothing.
  CHECK(judge(paused, fails(7, ""), many) == GateChange::probe_decided);
}

TEST_CASE("after a person has resumed it, a profile is judged as any other") {
  const Gate open{};
  CHECK(judge(open, fails(3), {fails(3), fails(2), fails(1)}) == GateChange::pause);
  CHECK(judge(open, works(3), {}) == GateChange::none);
}

TEST_CASE("a pause doubles up to one hour, or stays at a longer cool-down") {
  Limits limits;
  CHECK(next_pause(std::nullopt, limits) == 1min);
  CHECK(next_pause(1min, limits) == 2min);
  CHECK(next_pause(32min, limits) == 1h);
  CHECK(next_pause(1h, limits) == 1h);
  limits.fleet_cooldown = 2h;
  CHECK(next_pause(2h, limits) == 2h);
}

TEST_CASE("every outcome says of its profile that it works, that it fails, or nothing") {
  CHECK(sign_of(Outcome::completed) == Sign::works);
  CHECK(sign_of(Outcome::blocked) == Sign::works);
  CHECK(sign_of(Outcome::failed) == Sign::fails);
  CHECK(sign_of(Outcome::protocol_violation) == Sign::fails);
  CHECK(sign_of(Outcome::spawn_failed) == Sign::fails);
  CHECK(sign_of(Outcome::rate_limited) == Sign::none);
  CHECK(sign_of(Outcome::reclaimed) == Sign::none);
  CHECK(sign_of(Outcome::aborted) == Sign::none);
}
