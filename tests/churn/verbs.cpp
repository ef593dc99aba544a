#include "churn/verbs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

namespace hermes::churn {

namespace {

using Words = std::vector<std::string>;

constexpr std::size_t k_in_play = 40;  // calls are about the newest tasks, so that they meet
constexpr int k_most_hand_runs = 6;

const Words k_reads{"show", "why", "context", "runs", "log", "attachments", "inspect"};
const Words k_writes{"comment",         "comment",       "comment", "link",     "link",
                     "unlink",          "claim",         "claim",   "complete", "block",
                     "unblock",         "unblock",       "edit",    "priority", "priority",
                     "archive",         "delete",        "reclaim", "attach",   "request-review",
                     "request-changes", "reopen-review", "promote", "schedule", "reassign"};
// Of boards, and those that are said otherwise.
const Words k_others{"create", "swarm",  "heartbeat", "list",   "stats",      "watch",
                     "gc",     "backup", "dispatch",  "export", "diagnostics"};

template <class Value>
const Value& one_of(Random& random, const std::vector<Value>& values) {
  return values[random() % values.size()];
}

void say(Call& call, const Words& words) {
  call.words = {"kanban", "--board", call.board};
  call.words.insert(call.words.end(), words.begin(), words.end());
}

void add(Call& call, const Words& words) {
  call.words.insert(call.words.end(), words.begin(), words.end());
}

}  // namespace

std::set<std::string> Verbs::all() {
  std::set<std::string> all;
  for (const Words& verbs : {k_reads, k_writes, k_others}) {
    all.insert(verbs.begin(), verbs.end());
  }
  return all;
}

std::string Verbs::any_task(Random& random, const std::string& board) const {
  const auto& all = ledger_.tasks(board);
  const std::size_t last = std::min(all.size(), k_in_play);
  return all[all.size() - 1 - random() % last];
}

Call Verbs::create(Random& random, const std::string& board) {
  Call call{.verb = "create", .board = board, .tag = next_tag()};
  if (chance(random, 6)) {
    call.verb = "swarm";
    say(call, {"swarm", call.tag, "--worker", "sh:one", "--worker", "agent:two", "--verifier", "sh",
               "--synthesizer", "sh", "--json"});
    return call;
  }
  const int who = static_cast<int>(random() % 100);
  say(call, {"create", call.tag, "--json"});
  if (who < 90) {
    add(call, {"--assignee", who < 55 ? "sh" : who < 87 ? "agent" : "slow"});
  }
  if (!ledger_.tasks(board).empty() && chance(random, 25)) {
    add(call, {"--parent", any_task(random, board), "--link-condition",
               one_of<std::string>(random, {"done", "ended"})});
  }
  const std::vector<Words> extras{{"--idempotency-key", fmt::format("key-{}", random() % 20)},
                                  {"--max-retries", fmt::format("{}", 1 + random() % 3)},
                                  {"--in", "1s"},
                                  {"--triage"},
                                  {"--initial-status", "blocked"},
                                  {"--tenant", "t"},
                                  {"--body", std::string(2000, 'b')},
                                  {"--skill", "a", "--skill", "b"},
                                  {"--model", "m", "--goal"},
                                  {"--workspace", "dir:" + ground_.path("files").string()},
                                  {"--created-by", "somebody"}};
  if (chance(random, 50)) {
    add(call, one_of(random, extras));
  }
  return call;
}

// Runs that were claimed by hand go on by their token.
Call Verbs::by_hand(Random& random) {
  auto& runs = ledger_.hand_runs();
  const std::size_t index = random() % runs.size();
  const HandRun run = runs[index];
  Call call{.verb = one_of<std::string>(random, {"heartbeat", "complete", "block"}),
            .board = run.board,
            .environment = {{"HERMES_KANBAN_BOARD", run.board},
                            {"HERMES_KANBAN_TASK", run.task},
                            {"HERMES_KANBAN_RUN_ID", run.run},
                            {"HERMES_KANBAN_RUN_TOKEN", run.token}},
            .task = run.task};
  say(call, {call.verb, run.task, "--json"});
  if (call.verb != "heartbeat") {
    call.tag = next_tag();
    add(call, call.verb == "complete" ? Words{"--summary", call.tag} : Words{call.tag});
    runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(index));
  }
  return call;
}

Call Verbs::writing(Random& random, const std::string& verb, Call call) {
  // What few tasks are in a state for is tried on those.
  if (verb == "delete" || verb == "request-changes" || verb == "reopen-review") {
    const auto& fit =
        ledger_.tasks_after(call.board, verb == "delete" ? "archive" : "request-review");
    if (!fit.empty() && chance(random, 80)) {
      call.task = fit[fit.size() - 1 - random() % std::min(fit.size(), k_in_play)];
    }
  }
  const std::string& id = call.task;
  call.verb = verb;
  call.tag = next_tag();
  if (verb == "comment" || verb == "block" || verb == "promote" || verb == "schedule" ||
      verb == "request-review" || verb == "request-changes" || verb == "reopen-review") {
    say(call, {verb, id, call.tag});
  } else if (verb == "unblock" || verb == "reclaim") {
    say(call, {verb, id, "--reason", call.tag});
  } else if (verb == "complete") {
    say(call, {verb, id, "--summary", call.tag});
    add(call, chance(random, 50) ? Words{"--force"} : Words{});
  } else if (verb == "edit") {
    say(call, {verb, id, "--title", call.tag});
  } else if (verb == "claim") {
    call.tag.clear();
    say(call, {verb, id, "--ttl", "2s"});
  } else if (verb == "attach") {
    say(call, {verb, id, CHURN_WORKER, "--name", call.tag});
  } else if (verb == "reassign") {
    call.tag.clear();
    call.value = one_of<std::string>(random, {"sh", "agent"});
    say(call, {verb, id, call.value, "--reclaim"});
  } else if (verb == "priority") {
    call.tag.clear();
    call.value = std::to_string(random() % 1'000'000 + 1);
    say(call, {"edit", id, "--priority", call.value});
  } else if (verb == "archive") {
    call.tag.clear();
    say(call, {verb, id});
    add(call, chance(random, 50) ? Words{"--force"} : Words{});
  } else if (verb == "delete") {
    call.tag.clear();
    say(call, {"archive", "--rm", id});
  } else {
    call.tag.clear();
    call.child = any_task(random, call.board);
    if (const auto& links = ledger_.links(call.board); verb == "unlink" && !links.empty()) {
      std::tie(call.task, call.child) =
          links[links.size() - 1 - random() % std::min(links.size(), k_in_play)];
    }
    say(call, {verb, call.task, call.child});
  }
  if (verb == "schedule") {
    add(call, {"--in", "1s"});
  }
  call.words.emplace_back("--json");
  return call;
}

Call Verbs::about_task(Random& random, const std::string& board) {
  Call call{.board = board, .task = any_task(random, board)};
  if (chance(random, 70)) {
    const std::string& verb = one_of(random, k_writes);
    const bool enough = static_cast<int>(ledger_.hand_runs().size()) >= k_most_hand_runs;
    return writing(random, verb == "claim" && enough ? "comment" : verb, std::move(call));
  }
  call.verb = one_of(random, k_reads);
  call.must_succeed = call.verb != "inspect" && call.verb != "log";  // there may be no run yet
  say(call, {call.verb, call.task, "--json"});
  return call;
}

Call Verbs::about_board(Random& random, const std::string& board) {
  Call call{.board = board, .must_succeed = true};
  const int what = static_cast<int>(random() % 100);
  if (what < 40) {
    say(call, {"list", "--json"});
  } else if (what < 60) {
    say(call, {"stats", "--json"});
  } else if (what < 75) {
    call.streams = true;
    say(call, {"watch", "--json"});
  } else if (what < 82) {
    call.must_succeed = false;  // another dispatcher runs
    say(call, {"dispatch", "--json"});
  } else if (what < 87) {
    say(call, {"gc", "--json"});
  } else if (what < 92) {
    say(call, {"backup", ground_.path("files/backup-" + next_tag()).string(), "--json"});
  } else if (what < 95) {
    call.words = {
        "kanban", "boards", "export", board, ground_.path("files/export-" + next_tag()).string(),
        "--json"};
  } else {
    say(call, {"diagnostics", "--json"});
  }
  call.verb = call.words[1] == "boards" ? "export" : call.words[3];
  return call;
}

Call Verbs::next(Random& random, bool may_create) {
  const std::string& board = one_of(random, k_boards);
  const int what = static_cast<int>(random() % 100);
  if (ledger_.tasks(board).empty() || (what < 25 && may_create)) {
    return create(random, board);
  }
  if (what < 32 && !ledger_.hand_runs().empty()) {
    return by_hand(random);
  }
  return what < 82 ? about_task(random, board) : about_board(random, board);
}

}  // namespace hermes::churn
