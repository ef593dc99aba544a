#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "kernel/board/claims.hpp"
#include "kernel/board/runs.hpp"
#include "kernel/db/database.hpp"
#include "mcp/client.hpp"
#include "support/wait.hpp"

namespace hermes::test {

namespace {

// Keeps every writer of the default board waiting while it lives.
class HeldGate {
 public:
  explicit HeldGate(const Hermes& hermes)
      : fd_(::open((hermes.board() / "board.lock").c_str(), O_RDWR | O_CLOEXEC)) {
    REQUIRE(::flock(fd_.get(), LOCK_EX) == 0);
  }
  void let_go() { fd_.reset(); }

 private:
  Fd fd_;
};

Json create_params(const std::string& title) {
  return {{"name", "kanban_create"}, {"arguments", {{"title", title}}}};
}

// The task is claimed as by a dispatcher, which is gone: its run has a process that is to be
// stopped.
void start_as_dispatcher(const Hermes& hermes, const std::string& id) {
  auto database = db::Database::open({hermes.board() / "board.db", hermes.board() / "board.lock"},
                                     db::Database::Access::write, Instant{1'800'000'000'000});
  REQUIRE(database);
  SeededRandom random(1);
  const Actor actor{"dispatcher", std::nullopt};
  const Limits limits;
  const std::string board = "default";
  REQUIRE(database->write([&](db::Writer& tx) {
    board::Change change{tx, Instant{1'800'000'000'000}, actor, board, limits, random};
    return board::claim(change, id,
                        {.holder_kind = HolderKind::dispatcher,
                         .profile = "sh",
                         .holder = "an earlier dispatcher",
                         .ttl = std::chrono::minutes{15}});
  }));
}

// A call of the process waits for the gate.
bool waits_at_gate(const Hermes& hermes) {
  std::ifstream locks("/proc/locks");
  std::ostringstream text;
  text << locks.rdbuf();
  struct stat facts {};
  ::stat((hermes.board() / "board.lock").c_str(), &facts);
  const std::string inode = ":" + std::to_string(facts.st_ino) + " ";
  std::istringstream lines(text.str());
  for (std::string line; std::getline(lines, line);) {
    if (line.find("-> FLOCK") != std::string::npos && line.find(inode) != std::string::npos) {
      return true;
    }
  }
  return false;
}

// CPU time of a process so far, in clock ticks (proc(5): utime and stime).
long ticks(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string word;
  for (int i = 0; i < 11; ++i) {
    rest >> word;
  }
  long user = 0;
  long system = 0;
  rest >> user >> system;
  return user + system;
}

bool is_stopped(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  return text.substr(text.rfind(')') + 2, 1) == "T";
}

}  // namespace

TEST_CASE("ping is answered while a call waits at the write gate", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  HeldGate gate(hermes);
  const int create = client.ask("tools/call", create_params("waits"));
  REQUIRE(wait_until([&] { return waits_at_gate(hermes); }));
  CHECK(client.request("ping").contains("result"));
  CHECK(client.request("tools/list").contains("result"));
  gate.let_go();
  const Json made = client.receive();
  CHECK(made["id"] == create);
  CHECK(made["result"]["isError"] == false);
}

TEST_CASE("a call that is cancelled at the write gate changes nothing and is not answered",
          "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  HeldGate gate(hermes);
  const int running = client.ask("tools/call", create_params("cancelled while it waits"));
  REQUIRE(wait_until([&] { return waits_at_gate(hermes); }));
  const int queued = client.ask("tools/call", create_params("cancelled before it begins"));
  const int list = client.ask("tools/call", {{"name", "kanban_list"}});
  const int kept = client.ask("tools/call", create_params("kept"));
  client.notify("notifications/cancelled", {{"requestId", running}, {"reason", "changed my mind"}});
  client.notify("notifications/cancelled", {{"requestId", queued}});
  CHECK(client.request("ping").contains("result"));  // both were heard
  CHECK(client.receive()["id"] == list);             // the wait at the gate ended with the call
  gate.let_go();
  CHECK(client.receive()["id"] == kept);
  const Json tasks = client.ask_tool("kanban_list");
  REQUIRE(tasks["count"] == 1);
  CHECK(tasks["tasks"][0]["title"] == "kept");
}

TEST_CASE("an id is answered once, also when it is given to two requests", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  HeldGate gate(hermes);
  const int id = client.ask("tools/call", create_params("first"));
  REQUIRE(wait_until([&] { return waits_at_gate(hermes); }));
  client.send({{"jsonrpc", "2.0"}, {"id", id}, {"method", "ping"}});
  Json refused = client.receive();
  CHECK(refused["error"]["code"] == -32600);
  CHECK(!refused.contains("id"));
  gate.let_go();
  CHECK(client.receive()["id"] == id);
  // Answered, it may be used again.
  client.send({{"jsonrpc", "2.0"}, {"id", id}, {"method", "ping"}});
  CHECK(client.receive()["id"] == id);
}

TEST_CASE("when input ends, all that was asked is done and answered, and the status is 0",
          "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  std::set<int> asked;
  for (int i = 0; i < 20; ++i) {
    asked.insert(client.ask("tools/call", create_params("t")));
  }
  client.close_input();
  while (const auto line = client.receive_line()) {
    asked.erase(Json::parse(*line)["id"].get<int>());
  }
  CHECK(asked.empty());
  CHECK(client.wait() == 0);
  CHECK(Json::parse(hermes.kanban({"list", "--json"}).out).size() == 20);
}

TEST_CASE("SIGTERM ends a session in order, also while a call waits", "[mcp]") {
  const Hermes hermes;
  {
    McpClient idle(hermes);
    idle.initialize();
    idle.signal(SIGTERM);
    CHECK(idle.wait() == 0);
  }
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  HeldGate gate(hermes);
  client.ask("tools/call", create_params("cut off"));
  REQUIRE(wait_until([&] { return waits_at_gate(hermes); }));
  client.signal(SIGTERM);
  CHECK(client.wait() == 0);  // it does not stay for the gate
  gate.let_go();
  CHECK(Json::parse(hermes.kanban({"list", "--json"}).out).empty());
}

TEST_CASE("a client that is gone ends its session", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  client.close_output();
  CHECK(client.wait() == 0);
}

TEST_CASE("a client that reads late loses no answer", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const std::string id = client.ask_tool(
      "kanban_create", {{"title", "t"}, {"body", std::string(50'000, 'b')}})["task_id"];
  // More than a pipe holds, and nobody reads.
  std::set<int> asked;
  for (int i = 0; i < 60; ++i) {
    asked.insert(
        client.ask("tools/call", {{"name", "kanban_show"}, {"arguments", {{"task_id", id}}}}));
  }
  while (!asked.empty()) {
    const Json response = client.receive();
    CHECK(response["result"]["structuredContent"]["task"]["body"].get<std::string>().size() ==
          50'000);
    REQUIRE(asked.erase(response["id"].get<int>()) == 1);
  }
}

TEST_CASE("a client that asks no more and takes no answers does not keep its session alive",
          "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const std::string id = client.ask_tool(
      "kanban_create", {{"title", "t"}, {"body", std::string(60'000, 'b')}})["task_id"];
  // More than is kept unsent: calls wait when the input ends.
  for (int i = 0; i < 120; ++i) {
    client.ask("tools/call", {{"name", "kanban_show"}, {"arguments", {{"task_id", id}}}});
  }
  client.close_input();
  CHECK(client.wait() == 0);
}

TEST_CASE("Ctrl-Z stops a session between calls, never while it may hold the write gate", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  HeldGate gate(hermes);
  const int create = client.ask("tools/call", create_params("not stopped"));
  REQUIRE(wait_until([&] { return waits_at_gate(hermes); }));
  client.signal(SIGTSTP);
  CHECK(client.request("ping").contains("result"));
  gate.let_go();
  REQUIRE(wait_until([&] { return is_stopped(client.pid()); }));
  CHECK(Json::parse(hermes.kanban({"list", "--json"}).out).size() == 1);
  const int list = client.ask("tools/call", {{"name", "kanban_list"}});
  client.signal(SIGCONT);
  CHECK(client.receive()["id"] == create);
  CHECK(client.receive()["id"] == list);
}

TEST_CASE("an orchestrator that stops a worker is answered at once, and starts nothing", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  const std::string id = hermes.create({"t"});
  start_as_dispatcher(hermes, id);
  CHECK(client.refusal("kanban_complete", {{"task_id", id}, {"summary", "x"}})
            .find("is being worked on by run") != std::string::npos);
  const Json blocked = client.ask_tool("kanban_block", {{"task_id", id}, {"reason", "wait"}});
  CHECK(blocked["status"] == "blocked");
  REQUIRE(blocked.contains("notes"));
  CHECK(blocked["notes"][0].get<std::string>().find("a server of agents does not start one") !=
        std::string::npos);
}

TEST_CASE("an idle session uses no processor time", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  client.ask_tool("kanban_list");
  const long before = ticks(client.pid());
  CHECK(client.stays_silent(std::chrono::milliseconds{500}));
  CHECK(ticks(client.pid()) - before <= 1);
}

TEST_CASE("nothing but messages is written to standard output", "[mcp]") {
  const Hermes hermes;
  McpClient client(hermes, {"--orchestrator"});
  client.initialize();
  // Advice and warnings are part of the answer.
  const Json made = client.ask_tool("kanban_create", {{"title", "t"}, {"assignee", "shel"}});
  CHECK(made["notes"][0].get<std::string>().find("shell") != std::string::npos);
  client.send_bytes("nonsense\n");
  CHECK(client.receive().contains("error"));
  CHECK(client.errors().find("refused") != std::string::npos);
}

TEST_CASE("20 sessions at once on one board lose and double nothing", "[mcp]") {
  const Hermes hermes;
  constexpr int k_sessions = 20;
  constexpr int k_each = 10;
  std::vector<std::unique_ptr<McpClient>> clients;
  for (int i = 0; i < k_sessions; ++i) {
    clients.push_back(
        std::make_unique<McpClient>(hermes, std::vector<std::string>{"--orchestrator"}));
  }
  for (auto& client : clients) {
    client->initialize();
  }
  for (int i = 0; i < k_each; ++i) {
    for (auto& client : clients) {
      client->ask("tools/call", create_params("t"));
    }
  }
  std::set<std::string> ids;
  for (auto& client : clients) {
    for (int i = 0; i < k_each; ++i) {
      const Json response = client->receive();
      INFO(response.dump());
      REQUIRE(response["result"]["isError"] == false);
      ids.insert(response["result"]["structuredContent"]["task_id"].get<std::string>());
    }
    client->close_input();
  }
  for (auto& client : clients) {
    CHECK(client->wait() == 0);
  }
  CHECK(ids.size() == k_sessions * k_each);
  CHECK(Json::parse(hermes.kanban({"list", "--json"}).out).size() == k_sessions * k_each);
  CHECK(hermes.kanban({"doctor"}).status == 0);
}

}  // namespace hermes::test
