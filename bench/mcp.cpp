// What agents wait for: latency of show, list and comment over MCP, beside that of ping over the
// same pipes.
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/board.hpp"
#include "bench/child.hpp"
#include "bench/measurements.hpp"

namespace hermes::bench {

namespace {

constexpr int k_tasks_on_board = 1000;

// A session of one orchestrator over a pair of sockets, as agents start it.
class Session {
 public:
  explicit Session(const TempHome& home) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      throw std::runtime_error("cannot make a pair of sockets");
    }
    own_.reset(ends[0]);
    const Fd server(ends[1]);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, server.get(), 0);
    posix_spawn_file_actions_adddup2(&files, server.get(), 1);
    std::string words[] = {BENCH_HERMES, "mcp", "--orchestrator"};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    std::vector<std::string> environment = home.environment();
    std::vector<char*> variables;
    for (std::string& variable : environment) {
      variables.push_back(variable.data());
    }
    variables.push_back(nullptr);
    const int problem = ::posix_spawn(&pid_, BENCH_HERMES, &files, nullptr, argv, variables.data());
    posix_spawn_file_actions_destroy(&files);
    if (problem != 0) {
      throw std::runtime_error("cannot run hermes mcp");
    }
    ask("initialize", {{"protocolVersion", "2025-11-25"}});
  }
  ~Session() {
    own_.reset();
    wait_status(pid_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // From the first byte that is sent to the last that is received.
  Nanos ask(const std::string& method, nlohmann::json params) {
    const std::string line = nlohmann::json{{"jsonrpc", "2.0"},
                                            {"id", ++last_id_},
                                            {"method", method},
                                            {"params", std::move(params)}}
                                 .dump() +
                             "\n";
    const Nanos begin = monotonic_now();
    if (::write(own_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      throw std::runtime_error("hermes mcp takes nothing");
    }
    std::string answer;
    while (!answer.ends_with('\n')) {
      char piece[65536];
      const ssize_t got = ::read(own_.get(), piece, sizeof piece);
      if (got <= 0) {
        throw std::runtime_error("hermes mcp has ended");
      }
      answer.append(piece, static_cast<std::size_t>(got));
    }
    const Nanos taken = monotonic_now() - begin;
    if (answer.find("\"error\":{") != std::string::npos ||
        answer.find("\"isError\":true") != std::string::npos) {
      throw std::runtime_error(method + " was refused: " + answer);
    }
    return taken;
  }
  Nanos call(const std::string& tool, nlohmann::json arguments) {
    return ask("tools/call", {{"name", tool}, {"arguments", std::move(arguments)}});
  }

 private:
  pid_t pid_ = -1;
  Fd own_;
  int last_id_ = 0;
};

}  // namespace

std::vector<Row> measure_mcp(Effort effort) {
  const TempHome home;
  Board board(home);
  board.fill(k_tasks_on_board, "");
  // Each call looks at another task, so that none grows long.
  const std::vector<std::string> tasks = board.read([](db::Reader& tx) {
    std::vector<std::string> ids;
    for (auto row = tx.query("SELECT id FROM tasks"); row.next();) {
      ids.push_back(row.text(0));
    }
    return ids;
  });
  Session session(home);
  Sample pings;
  Sample shows;
  Sample lists;
  Sample comments;
  for (int i = 0; i < effort.of(500, 10); ++i) {
    throw_if_interrupted();
    const std::string& task = tasks[static_cast<std::size_t>(i) % tasks.size()];
    pings.add(session.ask("ping", nlohmann::json::object()));
    shows.add(session.call("kanban_show", {{"task_id", task}}));
    pings.add(session.ask("ping", nlohmann::json::object()));
    lists.add(session.call("kanban_list", {{"limit", 50}}));
    pings.add(session.ask("ping", nlohmann::json::object()));
    comments.add(session.call("kanban_comment", {{"task_id", task}, {"body", "so far"}}));
  }
  std::vector<Row> rows;
  for (const auto& [name, sample] :
       {std::pair{"show", &shows}, {"list", &lists}, {"comment", &comments}}) {
    Row row;
    row.name = fmt::format("mcp {}", name);
    row.figure = {fmt::format("kanban_{} over MCP, {} tasks on the board", name,
                              count_text(k_tasks_on_board)),
                  fmt::format("{}  ({} calls)", spread(*sample), sample->size())};
    row.floor = {"ping over the same pair of sockets", spread(pings)};
    row.expect_below("p99", sample->at(0.99), 10 * k_millisecond);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace hermes::bench
