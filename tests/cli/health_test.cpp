#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>
#include <set>

#include "cli/parse.hpp"
#include "cli/run_hermes.hpp"
#include "kernel/base/text.hpp"
#include "kernel/db/connection.hpp"

namespace hermes::test {

namespace {

using Json = nlohmann::json;

void sql(const Hermes& hermes, const std::string& text) {
  db::Connection connection(hermes.board() / "board.db", db::OpenMode::existing);
  connection.execute_script(text.c_str());
}

// One of everything that can be wrong.
void make_ill(const Hermes& hermes) {
  hermes.create({"failing", "--assignee", "shell"});
  hermes.create({"forgotten", "--assignee", "nobody-here"});
  const std::string blocked = hermes.create({"blocked", "--assignee", "shell"});
  hermes.kanban({"block", blocked, "what", "now"});
  const std::string silent = hermes.create({"silent", "--assignee", "shell"});
  hermes.kanban({"claim", silent});
  sql(hermes,
      "UPDATE tasks SET failures = 4, last_failure = 'exit code 3' WHERE title = 'failing';"
      "UPDATE tasks SET ready_since = 1000, eligible_at = 1000 WHERE title = 'forgotten';"
      "UPDATE tasks SET blocked_at = 1000 WHERE title = 'blocked';"
      "DELETE FROM comments;"
      "UPDATE runs SET heartbeat_at = started_at - 7200000;"
      "INSERT INTO profile_gates (profile, paused_until, pause_ms, reason) VALUES ('shell', "
      "9000000000000, 60000, '3 of its tasks failed alike')");
}

}  // namespace

TEST_CASE("diagnostics say what is wrong, the worst first, and the board last", "[cli]") {
  const Hermes hermes;
  CHECK(hermes.kanban({"diagnostics"}).out == "No active diagnostics\n");
  CHECK(json_of(hermes.kanban({"diag", "--json"})) == Json::array());
  make_ill(hermes);
  const Json rows = json_of(hermes.kanban({"diagnostics", "--json"}));
  REQUIRE(rows.size() == 5);
  CHECK(rows[0]["diagnostics"][0]["severity"] == "critical");
  CHECK(rows[4]["task_id"].is_null());
  std::set<std::string> kinds;
  for (const Json& row : rows) {
    std::set<std::string> keys;
    for (const auto& [key, value] : row.items()) {
      keys.insert(key);
    }
    CHECK(keys == std::set<std::string>{"task_id", "title", "status", "assignee", "diagnostics"});
    for (const Json& one : row["diagnostics"]) {
      kinds.insert(one["kind"].get<std::string>());
      for (const char* key : {"severity", "title", "detail", "actions", "first_seen_at",
                              "last_seen_at", "count", "run_id", "data"}) {
        CHECK(one.contains(key));
      }
    }
  }
  CHECK(kinds == std::set<std::string>{"repeated_failures", "stranded_in_ready", "stuck_in_blocked",
                                       "heartbeat_stale", "profile_missing", "profile_paused",
                                       "no_dispatcher"});
  const Ran people = hermes.kanban({"diagnostics"});
  CHECK(people.out.find("active diagnostics\n") != std::string::npos);
  CHECK(people.out.find("!!! [critical] repeated_failures: failed 4 times in a row: exit code 3") !=
        std::string::npos);
  CHECK(people.out.find("hermes profile resume shell") != std::string::npos);
}

TEST_CASE("severity is a floor, --task answers for a healthy task too", "[cli]") {
  const Hermes hermes;
  make_ill(hermes);
  for (const Json& row : json_of(hermes.kanban({"diag", "--severity", "critical", "--json"}))) {
    for (const Json& one : row["diagnostics"]) {
      CHECK(one["severity"] == "critical");
    }
  }
  const std::string sound = hermes.create({"sound", "--triage"});
  const Json one = json_of(hermes.kanban({"diag", "--task", sound, "--json"}));
  REQUIRE(one.size() == 1);
  CHECK(one[0]["diagnostics"] == Json::array());
  CHECK(hermes.kanban({"diag", "--task", "t_00000000"}).status == 1);
  CHECK(hermes.kanban({"diag", "--severity", "bad"}).status == 2);
}

TEST_CASE("show has the findings of its task, the same as diagnostics", "[cli]") {
  const Hermes hermes;
  make_ill(hermes);
  const std::string id = json_of(hermes.kanban({"list", "--status", "blocked", "--json"}))[0]["id"];
  const Json shown = json_of(hermes.kanban({"show", id, "--json"}))["diagnostics"];
  CHECK(shown == json_of(hermes.kanban({"diag", "--task", id, "--json"}))[0]["diagnostics"]);
  const Ran people = hermes.kanban({"show", id});
  CHECK(people.out.find("  diagnostics:\n    ⚠ [warning] stuck_in_blocked") != std::string::npos);
}

TEST_CASE("every command that diagnostics name is understood", "[cli]") {
  Hermes hermes;
  make_ill(hermes);
  int read = 0;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"diag", "--json"}, {"--board", "default", "diag", "--json"}}) {
    for (const Json& row : json_of(hermes.kanban(words))) {
      for (const Json& one : row["diagnostics"]) {
        for (const Json& action : one["actions"]) {
          const auto command = action["payload"]["command"].get<std::string>();
          INFO(command);
          std::vector<std::string> line = split_list(command, ' ');
          REQUIRE(line.front() == "hermes");
          line.erase(line.begin());
          CHECK(cli::parse(line).has_value());
          ++read;
        }
      }
    }
  }
  CHECK(read > 20);
}

TEST_CASE("subscriptions are made, listed and ended", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"t"});
  CHECK(hermes.kanban({"notify-list"}).out == "(no subscriptions)\n");
  const Ran made = hermes.kanban({"notify-subscribe", id, "--platform", "telegram", "--chat-id",
                                  "123", "--thread-id", "7", "--notifier-profile", "writer"});
  CHECK(made.out == "Subscribed telegram:123:7 to " + id + "\n");
  const Json rows = json_of(hermes.kanban({"notify-list", id, "--json"}));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["task_id"] == id);
  CHECK(rows[0]["platform"] == "telegram");
  CHECK(rows[0]["chat_id"] == "123");
  CHECK(rows[0]["thread_id"] == "7");
  CHECK(rows[0]["user_id"].is_null());
  CHECK(rows[0]["notifier_profile"] == "writer");
  CHECK(rows[0]["last_event_id"] == hermes.last_event());
  hermes.kanban({"complete", id});
  CHECK(json_of(hermes.kanban({"notify-list", "--json"}))[0]["pending"] == 1);
  CHECK(hermes.kanban({"notify-list"}).out.find("1 pending") != std::string::npos);
  CHECK(hermes.kanban({"notify-unsubscribe", id, "--platform", "telegram", "--chat-id", "123"})
            .status == 1);
  CHECK(hermes
            .kanban({"notify-unsubscribe", id, "--platform", "telegram", "--chat-id", "123",
                     "--thread-id", "7"})
            .status == 0);
  CHECK(json_of(hermes.kanban({"notify-list", "--json"})).empty());
}

TEST_CASE("a subscription names a task or the board, and a target", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"t"});
  const auto subscribe = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "notify-subscribe");
    return hermes.kanban(words).status;
  };
  CHECK(subscribe({"--platform", "x", "--chat-id", "1"}) == 2);
  CHECK(subscribe({id, "--board-wide", "--platform", "x", "--chat-id", "1"}) == 2);
  CHECK(subscribe({id, "--chat-id", "1"}) == 2);
  CHECK(subscribe({id, "--platform", "x", "--chat-id", " "}) == 1);
  CHECK(subscribe({"t_00000000", "--platform", "x", "--chat-id", "1"}) == 1);
  CHECK(subscribe({id, "--platform", "x", "--chat-id", "1", "--kinds", "nonsense"}) == 2);
  CHECK(subscribe({"--board-wide", "--platform", "x", "--chat-id", "1"}) == 0);
  CHECK(hermes.kanban({"notify-list"}).out.find("(board)") != std::string::npos);
}

TEST_CASE("inspect shows how a run ended, and says when there was none", "[cli]") {
  const Hermes hermes;
  const std::string id = hermes.create({"t"});
  const Ran none = hermes.kanban({"inspect", id});
  CHECK(none.status == 1);
  CHECK(none.err.find("never been started") != std::string::npos);
  hermes.kanban({"claim", id});
  const Json open = json_of(hermes.kanban({"inspect", id, "--json"}));
  CHECK(open["process"].is_null());
  CHECK(open["lease"]["holder"].is_string());
  CHECK(hermes.kanban({"inspect", id}).out.find("claimed by hand") != std::string::npos);
  hermes.kanban({"complete", id, "--summary", "x"});
  const std::string run = open["run"]["id"].dump();
  CHECK(hermes.kanban({"inspect", run}).out.find("completed") != std::string::npos);
  CHECK(json_of(hermes.kanban({"inspect", run, "--json"}))["lease"].is_null());
  CHECK(hermes.kanban({"inspect", "99"}).status == 1);
}

}  // namespace hermes::test
