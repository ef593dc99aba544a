// Who writes for a run shows its id and its token. Every verb that writes, with every pair that is
// not the one it should be.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

struct Claim {
  std::string run;
  std::string token;
};

// A task that was worked on once and is worked on again, and others beside it, here and elsewhere.
struct Scene {
  Hermes hermes;
  std::string own = hermes.create({"own"});
  std::string other = hermes.create({"other"});
  std::string ready = hermes.create({"ready"});
  std::string child = hermes.create({"child", "--parent", own});
  std::string elsewhere;
  std::string attachment;
  Claim earlier;
  Claim live;
  Claim others;
  Claim elsewheres;

  Scene() {
    attachment =
        json_of(hermes.kanban({"attach", own, "-", "--name", "a.txt", "--json"}, "x"))["id"].dump();
    earlier = claim({"claim", own});
    REQUIRE(hermes.kanban({"reclaim", own}).status == 0);
    live = claim({"claim", own});
    others = claim({"claim", other});
    hermes.add_board("second");
    elsewhere = json_of(hermes.kanban({"create", "a", "--board", "second", "--json"}))["id"];
    elsewheres = claim({"claim", elsewhere, "--board", "second"});
  }

  Claim claim(std::vector<std::string> words) const {
    words.emplace_back("--json");
    const Json made = json_of(hermes.kanban(words));
    return {made["run_id"].dump(), made["token"].get<std::string>()};
  }

  void be(const std::string& board, const std::string& task, const Claim& claim) {
    hermes.set("HERMES_KANBAN_BOARD", board);
    hermes.set("HERMES_KANBAN_TASK", task);
    hermes.set("HERMES_KANBAN_RUN_ID", claim.run);
    hermes.set("HERMES_KANBAN_RUN_TOKEN", claim.token);
  }

  // What only the run of the task may do, what any run may, and what none may.
  std::vector<std::vector<std::string>> for_its_task() const {
    return {{"heartbeat", own},
            {"complete", own},
            {"complete", own, "--summary", "s"},
            {"block", own, "because"},
            {"schedule", own, "--in", "1h"},
            {"request-review", own},
            {"request-changes", own, "why"},
            {"edit", own, "--title", "t"},
            {"set-model", own, "m"},
            {"attach", own, "-", "--name", "n.txt"},
            {"attach-rm", attachment},
            {"notify-subscribe", own, "--platform", "telegram", "--chat-id", "1"},
            {"unlink", own, child}};
  }
  std::vector<std::vector<std::string>> that_add() const {
    return {{"create", "new"},
            {"create", "new", "--parent", own},
            {"comment", own, "hello"},
            {"comment", other, "hello"},
            {"link", other, child},
            {"swarm", "goal", "--worker", "a:b", "--verifier", "v", "--synthesizer", "s"}};
  }
  std::vector<std::vector<std::string>> for_people() const {
    return {{"claim", ready},
            {"reclaim", own},
            {"archive", own},
            {"archive", own, "--force"},
            {"unblock", ready},
            {"promote", ready},
            {"assign", own, "x"},
            {"reassign", own, "x"},
            {"reassign", own, "x", "--reclaim"},
            {"notify-subscribe", other, "--platform", "telegram", "--chat-id", "1"},
            {"boards", "create", "b"},
            {"boards", "rename", "default", "x"},
            {"boards", "rm", "second"},
            {"gc"}};
  }
  // All bytes of both boards: what is refused leaves not one of them another.
  std::string bytes() const {
    std::ostringstream all;
    for (const char* board : {"default", "second"}) {
      for (const char* file : {"board.db", "board.db-wal"}) {
        all << std::ifstream(hermes.home() / "boards" / board / file, std::ios::binary).rdbuf();
        all.clear();
      }
    }
    return all.str();
  }
  void check_refused(const std::vector<std::string>& words, const std::string& before) const {
    const Ran ran = hermes.kanban(words, "x");
    INFO(words[0] << " " << words.back() << ": " << ran.out << ran.err);
    CHECK(ran.status != 0);
    const bool names_the_rule = ran.err.find("no longer yours") != std::string::npos ||
                                ran.err.find("not known to be yours") != std::string::npos ||
                                ran.err.find("is not set") != std::string::npos ||
                                ran.err.find("own task") != std::string::npos ||
                                ran.err.find("a worker cannot") != std::string::npos;
    CHECK(names_the_rule);
    for (const Claim* claim : {&earlier, &live, &others, &elsewheres}) {
      CHECK((ran.out + ran.err).find(claim->token) == std::string::npos);
    }
    const bool nothing_changed = bytes() == before;
    CHECK(nothing_changed);
  }
};

std::vector<std::pair<std::string, Claim>> wrong_ones(const Scene& scene) {
  const std::string guess = "0123456789abcdef0123456789abcdef";
  std::string nearly = scene.live.token;
  nearly.back() = nearly.back() == '0' ? '1' : '0';
  return {{"no token", {scene.live.run, ""}},
          {"a guess", {scene.live.run, guess}},
          {"one digit wrong", {scene.live.run, nearly}},
          {"in capitals and blanks", {scene.live.run, " " + scene.live.token}},
          {"with a line break", {scene.live.run, scene.live.token + "\n"}},
          {"too long", {scene.live.run, scene.live.token + std::string(100'000, '0')}},
          {"too short", {scene.live.run, scene.live.token.substr(0, 31)}},
          {"SQL", {scene.live.run, "' OR '1'='1"}},
          {"the token of the run before", {scene.live.run, scene.earlier.token}},
          {"the run before", scene.earlier},
          {"the run before, with the token of today", {scene.earlier.run, scene.live.token}},
          {"another task's run", scene.others},
          {"another task's token", {scene.live.run, scene.others.token}},
          {"the token of another board", {scene.live.run, scene.elsewheres.token}},
          {"no run", {"", scene.live.token}},
          {"a run that is none", {"4711", scene.live.token}},
          {"a run that is no number", {"x", scene.live.token}},
          {"a run beyond all numbers", {"99999999999999999999999", scene.live.token}},
          {"nothing but the task", {"", ""}}};
}

}  // namespace

TEST_CASE("without its own run's token no verb writes for a task, and nothing changes", "[cli]") {
  Scene scene;
  const std::string before = scene.bytes();
  for (const auto& [what, claim] : wrong_ones(scene)) {
    INFO(what);
    scene.be("default", scene.own, claim);
    for (const auto& words : scene.for_its_task()) {
      scene.check_refused(words, before);
    }
  }
}

TEST_CASE("who shows a wrong token may not even create, comment and link", "[cli]") {
  Scene scene;
  const std::string before = scene.bytes();
  for (const auto& [what, claim] : wrong_ones(scene)) {
    INFO(what);
    scene.be("default", scene.own, claim);
    for (const auto& words : scene.that_add()) {
      scene.check_refused(words, before);
    }
  }
}

TEST_CASE("a worker of another board, or of none, writes only as the run that its board knows",
          "[cli]") {
  Scene scene;
  const std::string before = scene.bytes();
  const auto at_default = [](std::vector<std::string> words) {
    words.insert(words.end(), {"--board", "default"});
    return words;
  };
  for (const auto& [board, claim] :
       std::vector<std::pair<std::string, Claim>>{{"second", {scene.elsewheres.run, "guess"}},
                                                  {"second", scene.live},
                                                  {"second", {scene.elsewheres.run, ""}},
                                                  {"", scene.elsewheres},
                                                  {"", scene.live},
                                                  {"no-such-board", scene.elsewheres},
                                                  {"../second", scene.elsewheres}}) {
    INFO(board);
    scene.be(board, scene.elsewhere, claim);
    for (const auto& words : scene.that_add()) {
      scene.check_refused(at_default(words), before);
    }
    for (const auto& words : scene.for_its_task()) {
      scene.check_refused(at_default(words), before);
    }
  }
  scene.be("second", scene.elsewhere, scene.elsewheres);
  for (const auto& words : scene.for_its_task()) {
    scene.check_refused(at_default(words), before);
  }
  // With its own token it may add here too, in its own name.
  scene.hermes.set("HERMES_PROFILE", "boss");
  const Ran made = scene.hermes.kanban({"create", "follow-up", "--board", "default", "--json"});
  CHECK(json_of(made)["created_by"] != "boss");
}

TEST_CASE("a worker whose own board cannot be read just now is not told to stop", "[cli]") {
  Scene scene;
  scene.be("second", scene.elsewhere, scene.elsewheres);
  const auto file = scene.hermes.home() / "boards" / "second" / "board.db";
  const auto aside = scene.hermes.home() / "aside";
  std::filesystem::rename(file, aside);
  const Ran made = scene.hermes.kanban({"create", "follow-up", "--board", "default"});
  CHECK(made.status == 1);
  CHECK(made.err.find("is missing") != std::string::npos);
  CHECK(made.err.find("yours") == std::string::npos);
  std::filesystem::rename(aside, file);
  CHECK(scene.hermes.kanban({"create", "follow-up", "--board", "default"}).status == 0);
}

TEST_CASE("no token opens to a worker what is for people", "[cli]") {
  Scene scene;
  const std::string before = scene.bytes();
  scene.be("default", scene.own, scene.live);
  for (const auto& words : scene.for_people()) {
    scene.check_refused(words, before);
  }
}

TEST_CASE("with its own token a worker may do what it is refused with any other", "[cli]") {
  Scene scene;
  scene.be("default", scene.own, scene.live);
  for (const std::vector<std::vector<std::string>>& verbs :
       {scene.that_add(),
        std::vector<std::vector<std::string>>{{"heartbeat", scene.own},
                                              {"edit", scene.own, "--title", "t"},
                                              {"attach", scene.own, "-", "--name", "n.txt"},
                                              {"attach-rm", scene.attachment},
                                              {"complete", scene.own, "--summary", "s"}}}) {
    for (const auto& words : verbs) {
      const Ran ran = scene.hermes.kanban(words, "x");
      INFO(words[0] << ": " << ran.err);
      CHECK(ran.status == 0);
    }
  }
}

}  // namespace hermes::test
