// Every call of calls.txt from every state, for everybody: as docs/conformance.md says, and as the
// rules say.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "conformance/page.hpp"
#include "conformance/scene.hpp"
#include "kernel/base/text.hpp"

using namespace hermes;
using namespace hermes::test::conformance;

namespace {

// Verbs that write, and look at no task of the board that they find: they make new ones, concern
// the board as a whole, or (goal) do what complete and block do.
const std::set<std::string_view> k_of_the_board{"swarm", "import", "backup",   "restore", "repair",
                                                "gc",    "daemon", "dispatch", "goal"};

std::string verb_of(const std::string& call) { return call.substr(0, call.find(' ')); }

std::vector<std::string> writing_calls() {
  std::vector<std::string> calls;
  std::ifstream in(HERMES_CONFORMANCE_CALLS);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') {
      calls.push_back(line);
    }
  }
  return calls;
}

std::vector<std::string> reading_calls() {
  std::vector<std::string> calls;
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    if (verb.group == "kanban" && verb.properties.reads_only) {
      const bool of_a_task = std::ranges::any_of(verb.arguments, [](const verbs::Argument& one) {
        return one.positional && (one.name == "task_id" || one.name == "target");
      });
      calls.push_back(std::string(verb.name) + (of_a_task ? " TASK" : ""));
    }
  }
  return calls;
}

std::vector<Cell> look_at(const std::vector<std::string>& calls) {
  std::vector<Cell> cells;
  for (const std::string& call : calls) {
    Scene scene;
    for (std::size_t caller = 0; caller < k_words<Caller>.size(); ++caller) {
      for (std::size_t place = 0; place < k_words<Place>.size(); ++place) {
        cells.push_back(scene.look(call, static_cast<Caller>(caller), static_cast<Place>(place)));
      }
    }
  }
  return cells;
}

const std::vector<Cell>& writing() {
  static const std::vector<Cell> k_cells = look_at(writing_calls());
  return k_cells;
}

const std::vector<Cell>& reading() {
  static const std::vector<Cell> k_cells = look_at(reading_calls());
  return k_cells;
}

// For every cell, with what it came to.
template <class Check>
void each(const std::vector<Cell>& cells, Check check) {
  REQUIRE(cells.size() >= k_words<Caller>.size() * k_words<Place>.size());
  for (const Cell& cell : cells) {
    INFO("`" << cell.call << "` by " << to_word(cell.caller) << " from " << to_word(cell.place)
             << ": exit " << cell.exit_status << " " << cell.refusal << ", state "
             << (cell.to ? to_word(*cell.to) : "gone") << ", events " << join(cell.events, ", "));
    check(cell);
  }
}

bool is_done(const Cell& cell) { return cell.exit_status == 0; }

// A move as the design has it: from where, and to where. "→ ready" of a reviewer's run is review.
struct Rule {
  std::string call;
  std::vector<Place> from;
  std::optional<Status> to;
};

std::vector<Rule> moves_of_people() {
  using enum Place;
  using S = Status;
  return {
      {"claim TASK", {ready, review}, S::running},
      {"complete TASK", {by_hand, ready, blocked, review}, S::done},
      {"complete TASK --force", {running, by_hand, reviewing, ready, blocked, review}, S::done},
      {"block TASK", {running, by_hand, reviewing, ready, todo, review}, S::blocked},
      {"block TASK --kind dependency", {todo}, S::todo},
      {"unblock TASK", {blocked, scheduled}, S::ready},
      {"promote TASK", {triage, blocked}, S::ready},
      {"specify TASK", {triage}, S::ready},
      {"decompose TASK", {triage}, S::todo},
      {"schedule TASK",
       {todo, scheduled, ready, running, by_hand, reviewing, blocked},
       S::scheduled},
      {"request-review TASK", {running, by_hand}, S::review},
      {"request-changes TASK", {review, reviewing}, S::ready},
      {"reopen-review TASK", {done}, S::review},
      {"archive TASK", {triage, todo, scheduled, ready, blocked, review, done}, S::archived},
      {"archive TASK --force",
       {triage, todo, scheduled, ready, running, by_hand, reviewing, blocked, review, done},
       S::archived},
      {"archive --rm TASK", {archived}, {}},
      {"heartbeat TASK", {by_hand}, S::running},
  };
}

std::vector<Rule> moves_of_its_worker() {
  using enum Place;
  using S = Status;
  const std::vector<Place> open{running, by_hand, reviewing};
  return {
      {"heartbeat TASK", open, S::running},
      {"complete TASK", open, S::done},
      {"block TASK", open, S::blocked},
      {"schedule TASK", open, S::scheduled},
      {"request-review TASK", {running, by_hand}, S::review},
      {"request-changes TASK", {reviewing}, S::ready},
      {"edit TASK --title changed", open, S::running},
      {"set-model TASK other-model", open, S::running},
      {"attach TASK - --name note.txt", open, S::running},
      {"unlink PARENT TASK", open, S::running},
      {"claim TASK", {}, {}},
      {"unblock TASK", {}, {}},
      {"promote TASK", {}, {}},
      {"specify TASK", {}, {}},
      {"decompose TASK", {}, {}},
      {"reclaim TASK", {}, {}},
      {"assign TASK somebody", {}, {}},
      {"reassign TASK somebody --reclaim", {}, {}},
      {"archive TASK --force", {}, {}},
      {"archive --rm TASK", {}, {}},
      {"reopen-review TASK", {}, {}},
  };
}

void follows(const std::vector<Rule>& rules, Caller caller) {
  for (const Rule& rule : rules) {
    std::size_t looked_at = 0;
    each(writing(), [&](const Cell& cell) {
      if (cell.call != rule.call || cell.caller != caller) {
        return;
      }
      ++looked_at;
      const bool legal = std::ranges::find(rule.from, cell.place) != rule.from.end();
      CHECK(is_done(cell) == legal);
      if (legal) {
        CHECK(cell.to == rule.to);
      }
    });
    INFO(rule.call);
    CHECK(looked_at == k_words<Place>.size());
  }
}

void follows_page() {
  const std::string text = page(writing(), reading());
  std::ifstream in(HERMES_CONFORMANCE_PAGE);
  const std::string kept{std::istreambuf_iterator<char>(in), {}};
  if (std::getenv("HERMES_REWRITE") != nullptr) {
    if (text != kept) {
      std::ofstream(HERMES_CONFORMANCE_PAGE) << text;
      WARN("rewritten: docs/conformance.md");
    }
    return;
  }
  std::istringstream now(text);
  std::istringstream then(kept);
  for (std::string ours, theirs; std::getline(now, ours);) {
    std::getline(then, theirs);
    REQUIRE(ours == theirs);
  }
  CHECK(text == kept);
}

bool adds_only(const std::string& call) {
  const std::string verb = verb_of(call);
  return verb == "create" || verb == "comment" || verb == "link";
}

}  // namespace

TEST_CASE("every verb does from every state what the conformance page says and the rules allow",
          "[conformance]") {
  SECTION("the page says what was seen") { follows_page(); }
  SECTION("every verb that writes to a task is looked at") {
    std::set<std::string> seen;
    std::ranges::transform(writing_calls(), std::inserter(seen, seen.end()), verb_of);
    for (const verbs::Verb& verb : verbs::all_verbs()) {
      if (verb.group == "kanban" && !verb.properties.reads_only &&
          !k_of_the_board.contains(verb.name)) {
        INFO("a verb that writes needs a line in tests/conformance/calls.txt: " << verb.name);
        CHECK(seen.contains(std::string(verb.name)));
      }
    }
  }
  SECTION("a refused call changes no row and writes no event") {
    each(writing(), [](const Cell& cell) {
      CHECK(is_done(cell) == cell.refusal.empty());
      if (!is_done(cell)) {
        CHECK(cell.exit_status == 1);
        CHECK_FALSE(cell.changed);
        CHECK(cell.events.empty());
        CHECK(cell.runs.empty());
      }
    });
  }
  SECTION("a call that is not refused has done something") {
    each(writing(), [](const Cell& cell) {
      const bool asks_only = cell.call.ends_with("--dry-run");
      CHECK(cell.changed == (is_done(cell) && !asks_only));
    });
  }
  SECTION(
      "a task that is in another state has an event of its own, and one that is gone leaves one") {
    each(writing(), [](const Cell& cell) {
      if (!cell.to) {
        CHECK(cell.events == std::vector<std::string>{"board: deleted"});
      } else if (*cell.to != status_of(cell.place)) {
        CHECK(std::ranges::any_of(cell.events, [](const std::string& event) {
          return event.find(':') == std::string::npos;
        }));
      }
    });
  }
  SECTION("a replaced worker changes nothing at all") {
    each(writing(), [](const Cell& cell) {
      if (cell.caller == Caller::replaced_worker) {
        CHECK_FALSE(is_done(cell));
        CHECK_FALSE(cell.changed);
      }
    });
  }
  SECTION("a worker of another task may create, link and comment, and nothing else") {
    each(writing(), [](const Cell& cell) {
      if (cell.caller == Caller::other_worker && !adds_only(cell.call)) {
        CHECK_FALSE(cell.changed);
        CHECK(cell.refusal == "forbidden");
      }
    });
  }
  SECTION("a worker whose run has ended may create, link and comment, and nothing else") {
    each(writing(), [](const Cell& cell) {
      if (cell.caller == Caller::its_worker && status_of(cell.place) != Status::running &&
          !adds_only(cell.call)) {
        CHECK_FALSE(cell.changed);
      }
    });
  }
  SECTION(
      "a task leaves archived only by being deleted, and done only by its review or archiving") {
    each(writing(), [](const Cell& cell) {
      if (cell.place == Place::archived && verb_of(cell.call) != "archive") {
        CHECK(cell.to == Status::archived);
      }
      if (cell.place == Place::done && verb_of(cell.call) != "archive" &&
          verb_of(cell.call) != "reopen-review") {
        CHECK(cell.to == Status::done);
      }
    });
  }
  SECTION("only a claim opens a run, one, and no call touches the run of another task") {
    each(writing(), [](const Cell& cell) {
      CHECK(cell.opened == (verb_of(cell.call) == "claim" && is_done(cell) ? 1 : 0));
      for (const std::string& run : cell.runs) {
        CHECK(run.find("another task") == std::string::npos);
      }
      CHECK(cell.runs.size() <= 1);
    });
  }
  SECTION("all invariants hold afterwards") {
    each(writing(), [](const Cell& cell) {
      CHECK_THAT(cell.broken, Catch::Matchers::Equals(std::vector<std::string>{}));
    });
  }
  SECTION("people make the moves of the design") { follows(moves_of_people(), Caller::person); }
  SECTION("a worker makes the moves of the design") {
    follows(moves_of_its_worker(), Caller::its_worker);
  }
  SECTION("verbs that read change nothing") {
    each(reading(), [](const Cell& cell) {
      CHECK_FALSE(cell.changed);
      const bool has_no_log = verb_of(cell.call) == "log" && cell.place == Place::by_hand;
      CHECK(cell.exit_status == (has_no_log ? 1 : 0));
    });
  }
}
