#include <catch2/catch.hpp>

#include <fmt/core.h>

#include "daemon/rig.hpp"

namespace hermes::daemon::test {

namespace {

std::string titled(BoardHand& board, const std::string& title) {
  return board.read([&](db::Reader& tx) {
    auto row = tx.query("SELECT id FROM tasks WHERE title = $1", title);
    return row.next() ? row.text(0) : std::string();
  });
}

}  // namespace

TEST_CASE("agents that speak MCP alone plan, ask, answer, review and finish", "[mcp][daemon]") {
  Rig rig;
  for (const std::string role : {"planner", "researcher", "writer", "reviewer"}) {
    rig.write_profile(role, fmt::format("command = [\"/usr/bin/python3\", \"{}\", \"{}\", \"{}\"]\n"
                                        "verdict = \"explicit\"\n",
                                        MCP_AGENT, Rig::hermes(), role));
  }
  rig.start();
  BoardHand& board = rig.board();
  const std::string lead = board.create({.title = "lead", .assignee = "planner"});
  REQUIRE(board.wait_for(lead, Status::done));

  const std::string figures = titled(board, "figures");
  REQUIRE(board.wait_for(figures, Status::blocked));
  CHECK(board.task(figures).block_reason == "which currency?");
  REQUIRE(rig.run_hermes({"kanban", "comment", figures, "use euros"}).status == 0);
  REQUIRE(rig.run_hermes({"kanban", "unblock", figures}).status == 0);

  const std::string review = titled(board, "review");
  REQUIRE(board.wait_for(review, Status::done));
  for (const std::string title : {"facts", "figures", "text", "changes", "review"}) {
    INFO(title);
    CHECK(board.task(titled(board, title)).status == Status::done);
  }
  CHECK(board.runs(figures).size() == 2);
  CHECK(board.runs(review).size() == 2);
  CHECK(board.last_run(review).summary == "approved");
  CHECK(board.task(titled(board, "changes")).created_by == "reviewer");
  CHECK(board.wait_until_gone(review));
}

}  // namespace hermes::daemon::test
