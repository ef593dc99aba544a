#pragma once

#include <sys/types.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/run_hermes.hpp"
#include "kernel/base/fd.hpp"

namespace hermes::test {

using Json = nlohmann::ordered_json;

// A client of a real `hermes mcp` over pipes. It is killed and reaped at the end.
class McpClient {
 public:
  explicit McpClient(const Hermes& hermes, const std::vector<std::string>& flags = {});
  ~McpClient();
  McpClient(const McpClient&) = delete;
  McpClient& operator=(const McpClient&) = delete;

  // As they are; false when nobody reads.
  bool send_bytes(std::string_view bytes);
  void send(const Json& message) { send_bytes(message.dump() + "\n"); }
  void notify(const std::string& method, Json params = Json::object());
  // Sends a request without waiting; its id.
  int ask(const std::string& method, Json params = Json::object());

  // The next message of the server; fails the test after 20 s, or at the end of the stream.
  Json receive();
  // The next line as it came; nothing at the end of the stream.
  std::optional<std::string> receive_line();
  // Nothing comes within that time.
  bool stays_silent(std::chrono::milliseconds time);

  // Sends and receives: the whole response, whose id must be the request's.
  Json request(const std::string& method, Json params = Json::object());
  // The handshake of that revision, and its result.
  Json initialize(const std::string& version = "2025-11-25");

  // tools/call: the `result`.
  Json call(const std::string& tool, Json arguments = Json::object());
  // Its structured content; fails the test when the tool refuses, or answers what its schema does
  // not say.
  Json ask_tool(const std::string& tool, Json arguments = Json::object());
  // Its text; fails the test unless the tool refuses.
  std::string refusal(const std::string& tool, Json arguments = Json::object());
  std::vector<std::string> tool_names();

  void close_input() { in_.reset(); }
  void close_output() { out_.reset(); }
  void signal(int number) const;
  pid_t pid() const { return pid_; }
  // Exit status, 128 + signal; nothing when it lives on for 20 s.
  std::optional<int> wait();
  std::string errors() const;  // standard error so far

 private:
  Json output_schema(const std::string& tool);
  bool fill(std::chrono::milliseconds limit);

  pid_t pid_ = -1;
  Fd in_;
  Fd out_;
  std::string received_;
  std::filesystem::path error_file_;
  int last_id_ = 0;
  Json tools_;  // once they were asked for
};

// A task that is claimed by hand, and the environment of a worker that has it.
struct McpWorker {
  Hermes hermes;
  std::string own = hermes.create({"own", "--body", "do it"});
  std::string foreign = hermes.create({"foreign"});

  McpWorker();
};

}  // namespace hermes::test
