#include <catch2/catch.hpp>

#include <fstream>

#include "cli/run_hermes.hpp"

// What each bad input gets: the exit status, a message with the value, the rule and the next step,
// nothing on standard output, and nothing changed on the board.
namespace hermes::test {

namespace {

struct BadInput {
  std::vector<std::string> words;
  int status;
  std::vector<std::string> said;  // on standard error
};

// The ids of the tasks that the rows name.
struct Board {
  Hermes hermes;
  std::string ready = hermes.create({"ready"});
  std::string parent = hermes.create({"parent"});
  std::string todo = hermes.create({"todo", "--parent", parent});
  std::string done = hermes.create({"done"});
  std::string blocked = hermes.create({"blocked", "--initial-status", "blocked"});
  std::string running = hermes.create({"running"});
  std::string archived = hermes.create({"archived"});
  std::string worktree =
      hermes.create({"tree", "--workspace", "worktree:/no/such/tree", "--branch", "b"});
  std::string no_dir = hermes.create({"dir", "--workspace", "dir:/no/such/directory"});
  std::string big = (hermes.dir() / "big").string();

  Board() {
    REQUIRE(hermes.kanban({"complete", done}).status == 0);
    REQUIRE(hermes.kanban({"claim", running}).status == 0);
    REQUIRE(hermes.kanban({"archive", archived}).status == 0);
    std::ofstream(big) << std::string(1024 * 1024 + 1, 'x');
  }

  void refuses(const std::vector<BadInput>& rows) const {
    const std::int64_t before = hermes.last_event();
    for (const BadInput& row : rows) {
      std::string line;
      for (const std::string& word : row.words) {
        line += " '" + word.substr(0, 60) + "'";
      }
      INFO("hermes kanban" << line);
      const Ran ran = hermes.kanban(row.words);
      CHECK(ran.status == row.status);
      CHECK(ran.out.empty());
      for (const std::string& text : row.said) {
        INFO("standard error: " << ran.err);
        CHECK(ran.err.find(text) != std::string::npos);
      }
    }
    CHECK(hermes.last_event() == before);
  }
};

const std::string k_forms = "scratch, worktree, worktree:PATH, dir and dir:PATH";

}  // namespace

TEST_CASE("create refuses bad arguments with the value, the rule and the next step", "[cli]") {
  const Board board;
  board.refuses({
      {{"create"}, 2, {"TITLE"}},
      {{"create", ""}, 1, {"title"}},
      {{"create", "   "}, 1, {"title"}},
      {{"create", "a", "b"}, 2, {"'b'", "usage: hermes kanban create"}},
      {{"create", "a", "--bogus"}, 2, {"'--bogus'", "usage:"}},
      {{"create", "-x"}, 2, {"'-x'", "after '--'"}},
      {{"create", "\xff\xfe"}, 1, {"title", "UTF-8"}},
      {{"create", std::string(1001, 'x')}, 1, {"title", "1000"}},
      {{"create", "a", "--body", "\xff"}, 1, {"UTF-8"}},
      {{"create", "a", "--assignee", " "}, 1, {"assignee"}},
      {{"create", "a", "--parent", "t_11111111", "--parent", board.ready, "--parent", "22222222",
        "--parent", "../x"},
       1,
       {"t_11111111", "22222222", "../x"}},
      {{"create", "a", "--triage", "--parent", "t_11111111"}, 1, {"t_11111111"}},
      {{"create", "a", "--initial-status", "blocked", "--parent", "t_11111111"}, 1, {"t_11111111"}},
      {{"create", "a", "--link-condition", "sometime"}, 2, {"sometime", "done, ended"}},
      {{"create", "a", "--workspace", "cloud"}, 2, {"cloud", k_forms}},
      {{"create", "a", "--workspace", "dir"}, 2, {"path", "set-default-workdir"}},
      {{"create", "a", "--workspace", "dir:"}, 2, {"path is needed after the colon", k_forms}},
      {{"create", "a", "--workspace", "worktree: "}, 2, {"path is needed", k_forms}},
      {{"create", "a", "--workspace", "dir:some/where"}, 2, {"absolute", k_forms}},
      {{"create", "a", "--branch", "b"}, 2, {"'b'", "a branch needs worktree"}},
      {{"create", "a", "--workspace", "worktree", "--branch", ""}, 2, {"branch ''", "empty"}},
      {{"create", "a", "--workspace", "worktree", "--branch", "a b"}, 2, {"'a b'", "white space"}},
      {{"create", "a", "--workspace", "worktree", "--branch", "-b"}, 2, {"'-b'", "begin with '-'"}},
      {{"create", "a", "--max-runtime", "soon"}, 2, {"soon", "1.5h"}},
      {{"create", "a", "--max-runtime", "-5"}, 2, {"-5", "1.5h"}},
      {{"create", "a", "--max-runtime", "0"}, 2, {"at least 1 s"}},
      {{"create", "a", "--max-retries", "0"}, 2, {"'0'", "at least 1", "first"}},
      {{"create", "a", "--max-retries", "-1"}, 2, {"'-1'", "at least 1"}},
      {{"create", "a", "--skill", "a,b"}, 1, {"a,b", "comma"}},
      {{"create", "a", "--priority", "high"}, 2, {"high", "whole number"}},
      {{"create", "a", "--priority", "99999999999"}, 2, {"99999999999", "1000000000"}},
      {{"create", "a", "--priority", "1", "--priority", "2"}, 2, {"'2'", "given before"}},
      {{"create", "a", "--initial-status", "done"}, 2, {"done", "running, blocked"}},
      {{"create", "a", "--body", "x", "--body-file", "y"}, 2, {"--body", "one of them"}},
      {{"create", "a", "--body-file", "/no/such/file"}, 1, {"/no/such/file"}},
      {{"create", "a", "--body-file", board.big}, 1, {"1048576"}},
      {{"create", "a", "--json=yes"}, 2, {"--json takes no value"}},
  });
}

TEST_CASE("an unknown board or verb is refused before anything else", "[cli]") {
  const Board board;
  board.refuses({
      {{"--board", "nope", "list"}, 1, {"nope", "the boards are default"}},
      {{"list", "--board", "nope"}, 1, {"nope"}},
      {{"create", "a", "--board", "nope"}, 1, {"nope"}},
      {{"list", "--board", ""}, 2, {"malformed board name ''"}},
      {{"list", "--board="}, 2, {"malformed board name ''"}},
      {{"list", "--board", "b@d!"}, 2, {"b@d!", "a-z, 0-9"}},
      {{"list", "--board", "../x"}, 2, {"../x"}},
      {{"--board", "a", "list", "--board", "b"}, 2, {"--board was given more than once"}},
      {{"--board"}, 2, {"--board"}},
      {{"create", "a", "--board"}, 2, {"--board needs a value"}},
      {{"lst"}, 2, {"unknown verb 'lst'", "usage: hermes kanban"}},
      {{"--frob", "list"}, 2, {"--frob", "usage:"}},
  });
  CHECK(!std::filesystem::exists(board.hermes.home() / "boards" / "nope"));
}

TEST_CASE("verbs on unknown ids or in the wrong state say which and change nothing", "[cli]") {
  const Board board;
  const std::string& unknown = "t_00000000";
  std::vector<BadInput> rows;
  for (const std::string verb :
       {"show", "claim", "context", "reclaim", "heartbeat", "block", "unblock", "archive",
        "complete", "promote", "runs", "log", "why"}) {
    rows.push_back({{verb, unknown}, 1, {unknown}});
    rows.push_back({{verb, "../../x"}, 1, {"../../x", "hexadecimal"}});
    rows.push_back({{verb, "t_"}, 1, {"t_"}});
    const int missing = verb == "archive" ? 1 : 2;  // as scripts know it
    rows.push_back({{verb}, missing, {verb == "archive" ? "needs at least one task id" : "ID"}});
  }
  board.refuses(rows);
  board.refuses({
      {{"comment", unknown, "x"}, 1, {unknown}},
      {{"reclaim", board.ready}, 1, {"cannot reclaim", board.ready, "ready"}},
      {{"heartbeat", board.ready}, 1, {"cannot heartbeat", "ready"}},
      {{"block", board.done}, 1, {"cannot block", "done"}},
      {{"block", board.ready, "--kind", "whatever"}, 2, {"whatever", "needs_input"}},
      {{"block", board.ready, "--kind", "dependency"}, 1, {"dependency", "link"}},
      {{"unblock", board.ready}, 1, {"cannot unblock", "ready"}},
      {{"archive", board.archived}, 1, {"cannot archive", "archived"}},
      {{"archive", board.running}, 1, {board.running, "--force"}},
      {{"complete", board.todo}, 1, {"cannot complete", "todo"}},
      {{"complete", board.archived}, 1, {"cannot complete", "archived"}},
      {{"promote", board.todo}, 1, {board.parent}},
      {{"promote", board.ready}, 1, {"cannot promote", "ready"}},
      {{"claim", board.running}, 1, {"cannot claim", "running"}},
      {{"claim", board.todo}, 1, {board.parent}},
      {{"claim", board.worktree}, 1, {"worktree"}},
      {{"claim", board.no_dir}, 1, {"/no/such/directory"}},
      {{"claim", board.ready, "--ttl", "0"}, 2, {"at least 1 s"}},
      {{"claim", board.ready, "--ttl", "long"}, 2, {"long"}},
      {{"log", board.ready}, 1, {"no log", board.ready}},
  });
  CHECK(!std::filesystem::exists(board.hermes.board() / "workspaces" / board.todo));
}

TEST_CASE("links that cannot be are refused, each with its own sentence", "[cli]") {
  const Board board;
  board.refuses({
      {{"link", board.ready, board.ready}, 1, {"itself"}},
      {{"link", board.todo, board.parent}, 1, {"cycle", board.todo, board.parent}},
      {{"link", "t_11111111", board.ready}, 1, {"t_11111111"}},
      {{"link", "t_11111111", "t_22222222"}, 1, {"t_11111111", "t_22222222"}},
      {{"link", board.ready, board.done}, 1, {board.done, "done"}},
      {{"link", board.ready}, 2, {"CHILD"}},
      {{"link", board.ready, board.todo, "--condition", "never"}, 2, {"never"}},
      {{"unlink", board.ready, board.todo}, 1, {board.ready, board.todo}},
  });
}

TEST_CASE("values of flags are judged before any task is touched", "[cli]") {
  const Board board;
  board.refuses({
      {{"complete", board.ready, "--metadata", "{"}, 2, {"JSON"}},
      {{"complete", board.ready, "--metadata", "[1]"}, 2, {"JSON object"}},
      {{"complete", board.ready, board.blocked, "--summary", "x"}, 2, {"2 tasks", "one by one"}},
      {{"complete", board.ready, board.blocked, "--metadata", "{}"}, 2, {"2 tasks"}},
      {{"complete", board.ready, "--summary", "\xff"}, 1, {"UTF-8"}},
      {{"comment", board.ready}, 2, {"TEXT"}},
      {{"comment", board.ready, "  "}, 1, {"comment"}},
      {{"comment", board.ready, "x", "--max-len", "0"}, 2, {"'0'", "at least 1"}},
      {{"show", board.ready, "--state-type", "outcome"}, 2, {"together"}},
      {{"runs", board.ready, "--state-name", "done"}, 2, {"together"}},
      {{"show", board.ready, "--state-type", "mood", "--state-name", "x"},
       2,
       {"mood", "status, outcome"}},
      {{"list", "--status", "finished"}, 2, {"finished", "triage, todo"}},
      {{"list", "--sort", "luck"}, 2, {"luck", "priority"}},
      {{"list", "--limit", "0"}, 2, {"'0'"}},
      {{"list", "--limit", "-3"}, 2, {"'-3'"}},
      {{"list", "extra"}, 2, {"extra"}},
      {{"log", board.ready, "--tail", "-1"}, 2, {"'-1'"}},
      {{"log", board.ready, "--attempt", "x"}, 2, {"'x'"}},
      {{"watch", "--kinds", "created,nonsense"}, 2, {"nonsense", "created, promoted"}},
      {{"watch", "--kinds", ","}, 2, {"--kinds"}},
      {{"watch", "--since", "-1"}, 2, {"'-1'"}},
      {{"daemon", "--interval", "0"}, 2, {"at least 1 s"}},
      {{"dispatch", "--max", "0"}, 2, {"'0'"}},
      {{"dispatch", "--failure-limit", "none"}, 2, {"none"}},
  });
}

TEST_CASE("errors go to standard error with --json too", "[cli]") {
  const Board board;
  board.refuses({
      {{"show", "t_00000000", "--json"}, 1, {"kanban: no such task: t_00000000\n  → "}},
      {{"create", "", "--json"}, 1, {"title"}},
      {{"list", "--json", "--sort", "luck"}, 2, {"luck"}},
  });
}

}  // namespace hermes::test
