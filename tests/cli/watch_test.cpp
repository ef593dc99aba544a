#include <signal.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/run_hermes.hpp"

using Json = nlohmann::json;

namespace hermes::test {

TEST_CASE("watch prints each event once it is committed", "[cli]") {
  const Hermes hermes;
  hermes.create({"before"});
  Running watch = hermes.start({"kanban", "watch"});
  REQUIRE(watch.wait_for("Watching board default"));
  for (int i = 0; i < 5; ++i) {
    const std::string id = hermes.create({"new " + std::to_string(i), "--assignee", "ann"});
    REQUIRE(watch.wait_for(id + " created             (@ann)"));
  }
  CHECK(watch.out().find("before") == std::string::npos);
  watch.signal(SIGINT);
  CHECK(watch.wait() == 0);
}

TEST_CASE("watch tells of a commit within a tenth of a second, into a pipe that nobody flushes",
          "[cli]") {
  const Hermes hermes;
  Running watch = hermes.start({"kanban", "watch", "--since", "0"});
  REQUIRE(watch.wait_for("Watching board default"));
  constexpr int k_commits = 40;
  int late = 0;
  for (int i = 0; i < k_commits; ++i) {
    const std::string id = hermes.create({"a"});  // committed before it answers
    const auto answered = std::chrono::steady_clock::now();
    REQUIRE(watch.wait_for(id));
    late += std::chrono::steady_clock::now() - answered > std::chrono::milliseconds{100} ? 1 : 0;
  }
  // A busy machine may hold up a few; polling or a buffer would hold up most.
  CHECK(late <= k_commits / 4);
}

TEST_CASE("a stream into a pipe holds events alone, and its header goes to standard error",
          "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"a"});
  REQUIRE(hermes.kanban({"claim", id}).status == 0);
  REQUIRE(hermes.kanban({"complete", id}).status == 0);
  const Ran tail = hermes.kanban({"tail", id, "--until-terminal"});
  CHECK(tail.status == 0);
  CHECK(tail.err.find("Watching ") == 0);
  CHECK(tail.out.find("Watching") == std::string::npos);
  CHECK(tail.out.find("claimed") != std::string::npos);
  CHECK(tail.out.find("lock=") == std::string::npos);
  CHECK(tail.out.find("expires=") == std::string::npos);
  CHECK(hermes.kanban({"tail", id, "--until-terminal", "--json"}).out.find("\"lock\"") !=
        std::string::npos);
}

TEST_CASE("watch --since replays, in order and without a gap to what follows", "[cli]") {
  const Hermes hermes;
  const std::string first = hermes.create({"a"});
  hermes.create({"b"});
  Running watch = hermes.start({"kanban", "watch", "--since", "0", "--json"});
  REQUIRE(watch.wait_for(first));
  const std::string last = hermes.create({"c"});
  REQUIRE(watch.wait_for(last));
  watch.signal(SIGTERM);
  CHECK(watch.wait() == 0);
  std::istringstream lines(watch.out());
  std::string line;
  std::int64_t expected = 1;
  while (std::getline(lines, line)) {
    const Json event = Json::parse(line);
    CHECK(event["seq"] == expected++);
    for (const std::string key : {"task_id", "kind", "payload", "run_id", "assignee", "tenant",
                                  "created_at", "created_at_ms"}) {
      CHECK(event.contains(key));
    }
  }
  CHECK(expected == 4);
}

TEST_CASE("watch filters by kind, assignee and tenant", "[cli]") {
  const Hermes hermes;
  Running watch = hermes.start({"kanban", "watch", "--since=0", "--json", "--kinds",
                                "completed,blocked", "--assignee", "Ann", "--tenant", "acme"});
  const std::string other = hermes.create({"a", "--assignee", "bob", "--tenant", "acme"});
  const std::string wanted = hermes.create({"b", "--assignee", "ann", "--tenant", "acme"});
  REQUIRE(hermes.kanban({"complete", other}).status == 0);
  REQUIRE(hermes.kanban({"complete", wanted}).status == 0);
  REQUIRE(watch.wait_for(wanted));
  CHECK(watch.out().find(other) == std::string::npos);
  CHECK(watch.out().find("created\"") == std::string::npos);
}

TEST_CASE("watch ends by itself when its reader goes, also while nothing happens", "[cli]") {
  const Hermes hermes;
  hermes.create({"a"});
  Running idle = hermes.start({"kanban", "watch"});
  REQUIRE(idle.wait_for("Watching"));
  idle.close_out();
  CHECK(idle.wait() == 0);

  Running busy = hermes.start({"kanban", "watch", "--since", "0"});
  busy.close_out();
  CHECK(busy.wait() == 0);
}

TEST_CASE("a signal ends a watch whose reader takes nothing", "[cli]") {
  const Hermes hermes;
  for (int i = 0; i < 40; ++i) {
    hermes.create({"filler", "--assignee", std::string(190, 'x'), "--tenant", std::string(190, 'y'),
                   "--skill", "s"});
  }
  for (int i = 0; i < 3; ++i) {  // enough to fill a pipe of 64 KiB
    std::vector<std::string> words{"block"};
    for (const auto& task : Json::parse(hermes.kanban({"list", "--json"}).out)) {
      words.push_back(words.size() == 1 ? task["id"].get<std::string>() : "");
      if (words.size() == 2) {
        words.insert(words.end(), {std::string(300, 'z'), "--ids"});
      } else {
        words.back() = task["id"].get<std::string>();
      }
    }
    REQUIRE(hermes.kanban(words).status == 0);
    words = {"unblock"};
    for (const auto& task : Json::parse(hermes.kanban({"list", "--json"}).out)) {
      words.push_back(task["id"].get<std::string>());
    }
    REQUIRE(hermes.kanban(words).status == 0);
  }
  Running watch = hermes.start({"kanban", "watch", "--since", "0", "--json"});
  REQUIRE(watch.wait_for("created"));
  watch.signal(SIGTERM);
  CHECK(watch.wait() == 0);
}

TEST_CASE("readers work while a writer works", "[cli]") {
  const Hermes hermes;
  Running watch = hermes.start({"kanban", "watch", "--json"});
  for (int i = 0; i < 10; ++i) {
    hermes.create({"a"});
    CHECK(hermes.kanban({"list"}).status == 0);
    CHECK(hermes.kanban({"stats"}).status == 0);
  }
}

}  // namespace hermes::test
