// Many processes that want the same thing at the same moment. They are held at the write gate until
// all of them stand there, so that the race takes place on any machine.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/run_hermes.hpp"
#include "kernel/base/text.hpp"
#include "kernel/board/invariants.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/home/registry.hpp"
#include "support/wait.hpp"

using Json = nlohmann::json;

namespace hermes::test {

namespace {

// How many wait for a lock on the file: lines of /proc/locks with "->" (proc(5)).
int waiting_at(const std::filesystem::path& path) {
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  const std::string inode = ":" + std::to_string(facts.st_ino);
  std::ifstream locks("/proc/locks");
  int waiting = 0;
  for (std::string line; std::getline(locks, line);) {
    const auto words = split_list(line, ' ');
    waiting += words.size() >= 7 && words[1] == "->" && words[6].ends_with(inode) ? 1 : 0;
  }
  return waiting;
}

struct Outcomes {
  std::vector<int> statuses;
  std::vector<std::string> outs;

  long successes() const { return std::ranges::count(statuses, 0); }
};

// Runs all at once: none gets through the gate before the last one stands there.
Outcomes race(const Hermes& hermes, const std::vector<std::vector<std::string>>& commands) {
  const auto gate = hermes.board() / "board.lock";
  Fd held(::open(gate.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(held);
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  std::vector<Running> runners;
  for (const auto& words : commands) {
    runners.push_back(hermes.start(words));
  }
  const int number = static_cast<int>(commands.size());
  REQUIRE(wait_until([&] { return waiting_at(gate) == number; }, std::chrono::seconds{30}));
  held.reset();
  Outcomes outcomes;
  for (Running& runner : runners) {
    (void)runner.wait_for("\x1f");  // what no answer holds: until it ends
    outcomes.outs.push_back(runner.out());
    outcomes.statuses.push_back(runner.wait());
  }
  return outcomes;
}

template <class Read>
auto read_board(const Hermes& hermes, Read body) {
  auto database = db::Database::open(home::files_of(home::Home{hermes.home()}.board("default")),
                                     db::Database::Access::read, wall_clock_now());
  REQUIRE(database);
  return database->read([&](db::Reader& tx) -> Result<decltype(body(tx))> { return body(tx); })
      .value();
}

void check_board(const Hermes& hermes) {
  CHECK(read_board(hermes, [](db::Reader& tx) { return board::check_invariants(tx); }).empty());
}

std::size_t number_of(const Hermes& hermes, Status status) {
  return read_board(
      hermes, [&](db::Reader& tx) { return board::list_tasks(tx, {.status = status})->size(); });
}

}  // namespace

TEST_CASE("whoever only reads is answered while somebody else is at the write gate", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"shown"});
  const std::vector<std::vector<std::string>> commands = {
      {"list"},        {"show", id},       {"context", id}, {"runs", id},        {"why", id},
      {"log", id},     {"stats"},          {"assignees"},   {"attachments", id}, {"diagnostics"},
      {"notify-list"}, {"boards", "list"},
  };
  Fd held(::open((hermes.board() / "board.lock").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(held);
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  for (const auto& words : commands) {
    const Ran ran = hermes.kanban(words);
    CAPTURE(words, ran.out, ran.err);
    CHECK((ran.status == 0 || ran.err.find("no log") != std::string::npos));
  }
  CHECK(hermes.run({"doctor"}).status == 0);
  // The gate is really held: who writes stands there.
  Running writer = hermes.start({"kanban", "comment", id, "later"});
  REQUIRE(wait_until([&] { return waiting_at(hermes.board() / "board.lock") == 1; },
                     std::chrono::seconds{30}));
  held.reset();
  CHECK(writer.wait() == 0);
}

TEST_CASE("of 64 processes that claim one task at the same moment exactly one gets it", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"wanted"});
  const Outcomes outcomes = race(
      hermes, std::vector<std::vector<std::string>>(64, {"kanban", "claim", id, "--as", "ann"}));
  CHECK(outcomes.successes() == 1);
  CHECK(std::ranges::count(outcomes.statuses, 1) == 63);
  CHECK(Json::parse(hermes.kanban({"runs", id, "--json"}).out).size() == 1);
  check_board(hermes);
}

TEST_CASE("of 24 processes that create under one idempotency key all get the same task", "[cli]") {
  const Hermes hermes;
  const Outcomes outcomes =
      race(hermes, std::vector<std::vector<std::string>>(
                       24, {"kanban", "create", "alarm", "--idempotency-key", "disk", "--json"}));
  CHECK(outcomes.successes() == 24);
  std::set<std::string> ids;
  int made = 0;
  for (const std::string& out : outcomes.outs) {
    const Json task = Json::parse(out);
    ids.insert(task["id"].get<std::string>());
    made += task["existing"] == false ? 1 : 0;
  }
  CHECK(ids.size() == 1);
  CHECK(made == 1);
  CHECK(number_of(hermes, Status::ready) == 1);
}

TEST_CASE("bursts of 24 parallel creates, comments and completions all succeed and all are kept",
          "[cli]") {
  const Hermes hermes;
  std::vector<std::vector<std::string>> creates;
  for (int i = 0; i < 24; ++i) {
    creates.push_back({"kanban", "create", "task " + std::to_string(i), "--json"});
  }
  const Outcomes created = race(hermes, creates);
  REQUIRE(created.successes() == 24);
  std::set<std::string> ids;
  std::vector<std::vector<std::string>> comments;
  std::vector<std::vector<std::string>> completions;
  for (const std::string& out : created.outs) {
    const auto id = Json::parse(out)["id"].get<std::string>();
    ids.insert(id);
    comments.push_back({"kanban", "comment", *ids.begin(), "from " + id});
    completions.push_back({"kanban", "complete", id, "--summary", "s"});
  }
  CHECK(ids.size() == 24);
  CHECK(race(hermes, comments).successes() == 24);
  CHECK(race(hermes, completions).successes() == 24);
  CHECK(number_of(hermes, Status::done) == 24);
  std::size_t kept = 0;
  for (const std::string& id : ids) {
    kept += Json::parse(hermes.kanban({"show", id, "--json"}).out)["comments"].size();
  }
  CHECK(kept == 24);
  check_board(hermes);
}

TEST_CASE("a success can be read by whoever asks next, also while others write", "[cli]") {
  const Hermes hermes;
  std::vector<Running> others;
  for (int i = 0; i < 4; ++i) {
    others.push_back(hermes.start({"kanban", "create", "noise " + std::to_string(i)}));
  }
  const std::string id = hermes.create({"mine"});
  REQUIRE(hermes.kanban({"comment", id, "a note"}).status == 0);
  const Json shown = Json::parse(hermes.kanban({"show", id, "--json"}).out);
  CHECK(shown["comments"][0]["body"] == "a note");
  REQUIRE(hermes.kanban({"complete", id, "--summary", "made it"}).status == 0);
  CHECK(Json::parse(hermes.kanban({"show", id, "--json"}).out)["task"]["status"] == "done");
  for (Running& other : others) {
    CHECK(other.wait() == 0);
  }
  CHECK(number_of(hermes, Status::ready) == 4);
}

}  // namespace hermes::test
