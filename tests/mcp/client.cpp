#include "mcp/client.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/wait.hpp"

namespace hermes::test {

namespace {

constexpr std::chrono::milliseconds k_limit = std::chrono::seconds{120};

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw std::runtime_error("cannot make a pipe");
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) {
    out.push_back(const_cast<char*>(word.c_str()));
  }
  out.push_back(nullptr);
  return out;
}

bool has_type(const Json& value, const std::string& type) {
  return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
         (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
         (type == "integer" && value.is_number_integer()) || (type == "null" && value.is_null());
}

// What our schemas of answers say: which keys there are, and their types.
void check_form(const Json& answer, const Json& schema) {
  REQUIRE(!schema["required"].empty());
  for (const Json& key : schema["required"]) {
    INFO(key << " in " << answer.dump());
    CHECK(answer.contains(key.get<std::string>()));
  }
  for (const auto& [key, form] : schema["properties"].items()) {
    if (answer.contains(key)) {
      const Json types = form["type"].is_array() ? form["type"] : Json::array({form["type"]});
      INFO(key << ": " << answer[key].dump() << " " << types.dump());
      CHECK(std::ranges::any_of(
          types, [&](const Json& type) { return has_type(answer[key], type.get<std::string>()); }));
    }
  }
}

}  // namespace

McpClient::McpClient(const Hermes& hermes, const std::vector<std::string>& flags) {
  static std::atomic<int> number = 0;
  error_file_ = hermes.dir() / ("mcp_errors_" + std::to_string(++number));
  Pipe to_server = make_pipe();
  Pipe from_server = make_pipe();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, to_server.read.get(), 0);
  posix_spawn_file_actions_adddup2(&files, from_server.write.get(), 1);
  posix_spawn_file_actions_addopen(&files, 2, error_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  std::vector<std::string> argv{HERMES_BINARY, "mcp"};
  argv.insert(argv.end(), flags.begin(), flags.end());
  const std::vector<std::string> environment = hermes.environment();
  const int problem = posix_spawn(&pid_, HERMES_BINARY, &files, nullptr, pointers(argv).data(),
                                  pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  if (problem != 0) {
    throw std::runtime_error("cannot run hermes mcp");
  }
  in_ = std::move(to_server.write);
  out_ = std::move(from_server.read);
  ::fcntl(in_.get(), F_SETFL, O_NONBLOCK);
}

McpClient::~McpClient() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

bool McpClient::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd item{in_.get(), POLLOUT, 0};
    const ssize_t wrote = ::write(in_.get(), bytes.data(), bytes.size());
    if (wrote > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EAGAIN || ::poll(&item, 1, static_cast<int>(k_limit.count())) <= 0) {
      return false;
    }
  }
  return true;
}

void McpClient::notify(const std::string& method, Json params) {
  send({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

int McpClient::ask(const std::string& method, Json params) {
  send({{"jsonrpc", "2.0"}, {"id", ++last_id_}, {"method", method}, {"params", std::move(params)}});
  return last_id_;
}

bool McpClient::fill(std::chrono::milliseconds limit) {
  pollfd item{out_.get(), POLLIN, 0};
  if (::poll(&item, 1, static_cast<int>(limit.count())) <= 0) {
    return false;
  }
  char piece[65536];
  const ssize_t got = ::read(out_.get(), piece, sizeof piece);
  received_.append(piece, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

std::optional<std::string> McpClient::receive_line() {
  std::size_t searched = 0;
  while (true) {
    if (const std::size_t end = received_.find('\n', searched); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    searched = received_.size();
    if (!fill(k_limit)) {
      return std::nullopt;
    }
  }
}

Json McpClient::receive() {
  const auto line = receive_line();
  INFO("standard error: " << errors());
  REQUIRE(line);
  return Json::parse(*line);
}

bool McpClient::stays_silent(std::chrono::milliseconds time) {
  return received_.empty() && !fill(time);
}

Json McpClient::request(const std::string& method, Json params) {
  const int id = ask(method, std::move(params));
  Json response = receive();
  INFO(response.dump());
  REQUIRE(response.value("id", Json()) == id);
  return response;
}

Json McpClient::initialize(const std::string& version) {
  const Json response = request("initialize", {{"protocolVersion", version},
                                               {"capabilities", Json::object()},
                                               {"clientInfo", {{"name", "t"}, {"version", "1"}}}});
  INFO(response.dump());
  REQUIRE(response.contains("result"));
  notify("notifications/initialized");
  return response["result"];
}

Json McpClient::call(const std::string& tool, Json arguments) {
  const Json response =
      request("tools/call", {{"name", tool}, {"arguments", std::move(arguments)}});
  INFO(response.dump());
  REQUIRE(response.contains("result"));
  return response["result"];
}

Json McpClient::ask_tool(const std::string& tool, Json arguments) {
  const Json result = call(tool, std::move(arguments));
  INFO(tool << ": " << result.dump());
  REQUIRE(result["isError"] == false);
  CHECK(Json::parse(result["content"][0]["text"].get<std::string>()) ==
        result["structuredContent"]);
  check_form(result["structuredContent"], output_schema(tool));
  return result["structuredContent"];
}

Json McpClient::output_schema(const std::string& tool) {
  if (tools_.is_null()) {
    tools_ = request("tools/list")["result"]["tools"];
  }
  for (const Json& one : tools_) {
    if (one["name"] == tool) {
      return one["outputSchema"];
    }
  }
  FAIL("no tool " << tool);
  return nullptr;
}

std::string McpClient::refusal(const std::string& tool, Json arguments) {
  const Json result = call(tool, std::move(arguments));
  INFO(tool << ": " << result.dump());
  REQUIRE(result["isError"] == true);
  CHECK(!result.contains("structuredContent"));
  return result["content"][0]["text"];
}

std::vector<std::string> McpClient::tool_names() {
  std::vector<std::string> names;
  const Json tools = request("tools/list")["result"]["tools"];
  for (const Json& tool : tools) {
    names.push_back(tool["name"]);
  }
  return names;
}

void McpClient::signal(int number) const { ::kill(pid_, number); }

std::optional<int> McpClient::wait() {
  int status = 0;
  if (!wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) {
    return std::nullopt;
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string McpClient::errors() const {
  std::ifstream file(error_file_);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

McpWorker::McpWorker() {
  const Json claim = Json::parse(hermes.kanban({"claim", own, "--as", "robot", "--json"}).out);
  hermes.set("HERMES_KANBAN_BOARD", "default");
  hermes.set("HERMES_KANBAN_TASK", own);
  hermes.set("HERMES_KANBAN_RUN_ID", claim["run_id"].dump());
  hermes.set("HERMES_KANBAN_RUN_TOKEN", claim["token"].get<std::string>());
  hermes.set("HERMES_PROFILE", "boss");  // which it is not
}

}  // namespace hermes::test
