#include <catch2/catch.hpp>

#include <fstream>

#include "mcp/client.hpp"

namespace hermes::test {

// Each file holds what that agent has really sent to `hermes mcp --orchestrator`, byte for byte,
// until it called the server connected: Claude Code 2.1.329 (`claude mcp list`), Gemini CLI 0.61.0
// (`gemini mcp list`), Codex CLI 0.169.0 (`codex exec`).
TEST_CASE("agents find the server as they look for it", "[mcp]") {
  const Hermes hermes;
  for (const std::string agent : {"claude-code", "gemini-cli", "codex"}) {
    std::ifstream file(std::string(MCP_TRANSCRIPTS) + "/handshake_" + agent + ".jsonl");
    McpClient client(hermes, {"--orchestrator"});
    int answered = 0;
    for (std::string line; std::getline(file, line);) {
      INFO(agent << ": " << line);
      client.send_bytes(line + "\n");
      const Json sent = Json::parse(line);
      if (!sent.contains("id")) {
        continue;
      }
      const Json response = client.receive();
      INFO(response.dump());
      REQUIRE(response["id"] == sent["id"]);
      REQUIRE(response.contains("result"));
      ++answered;
      if (sent["method"] == "tools/list") {
        CHECK(response["result"]["tools"].size() == 11);
      }
      if (sent["method"] == "initialize") {
        CHECK(response["result"]["protocolVersion"] == sent["params"]["protocolVersion"]);
      }
    }
    INFO(agent);
    CHECK(answered >= 2);
    CHECK(client.stays_silent(std::chrono::milliseconds{0}));
  }
}

}  // namespace hermes::test
