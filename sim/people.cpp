#include "sim/people.hpp"

#include <fmt/core.h>

#include <array>

#include "kernel/board/assign.hpp"
#include "kernel/board/claims.hpp"
#include "kernel/board/comments.hpp"
#include "kernel/board/edit.hpp"
#include "kernel/board/links.hpp"
#include "kernel/board/remove.hpp"
#include "kernel/board/review.hpp"
#include "kernel/board/schedule.hpp"
#include "kernel/board/tasks.hpp"
#include "kernel/board/verdicts.hpp"

namespace hermes::sim {

namespace {

constexpr std::size_t k_most_tasks = 8;

// What a verb is done with, drawn before the transaction.
struct Choice {
  World& world;
  std::string task;
  std::string other;
};
using Deed = Result<void> (*)(board::Change&, const Choice&);

template <class T>
Result<void> ignore(const Result<T>& result) {
  TRY(result);
  return {};
}

LinkCondition some_condition(const Choice& choice) {
  return choice.world.one_in(3) ? LinkCondition::ended : LinkCondition::done;
}

Result<void> create(board::Change& change, const Choice& choice) {
  static const std::vector<std::string> k_assignees{"exits", "exits", "calls",
                                                    "calls", "",      "nobody-here"};
  board::NewTask task{.title = "task", .assignee = choice.world.any_of(k_assignees)};
  if (!choice.task.empty() && choice.world.one_in(2)) {
    task.parents = {choice.task};
    task.condition = some_condition(choice);
  }
  task.priority = static_cast<std::int64_t>(choice.world.below(3));
  task.triage = choice.world.one_in(10);
  task.scheduled = !task.triage && choice.world.one_in(10);
  if (task.scheduled) {
    task.wake_at = change.now + std::chrono::seconds{choice.world.below(3600)};
  }
  return ignore(board::create(change, task));
}
Result<void> complete(board::Change& change, const Choice& choice) {
  return ignore(board::complete(change, choice.task, {}, choice.world.one_in(2)));
}
Result<void> block(board::Change& change, const Choice& choice) {
  return ignore(board::block(
      change, choice.task, choice.world.one_in(4) ? BlockKind::dependency : BlockKind::needs_input,
      "wait"));
}
Result<void> unblock(board::Change& change, const Choice& choice) {
  return ignore(board::unblock(change, choice.task, std::nullopt, choice.world.one_in(2)));
}
Result<void> promote(board::Change& change, const Choice& choice) {
  const bool waits = board::has_open_links(change.tx, choice.task);
  const auto promoted = board::promote(change, choice.task, std::nullopt, false);
  if (promoted && waits) {
    choice.world.violated(choice.task + " was promoted while it waits for a parent");
  }
  return ignore(promoted);
}
Result<void> reclaim(board::Change& change, const Choice& choice) {
  return ignore(board::reclaim(change, choice.task, std::nullopt));
}
Result<void> archive(board::Change& change, const Choice& choice) {
  return ignore(board::archive(change, choice.task, choice.world.one_in(2)));
}
Result<void> remove(board::Change& change, const Choice& choice) {
  return ignore(board::remove_task(change, choice.task));
}
Result<void> schedule(board::Change& change, const Choice& choice) {
  std::optional<Instant> at;
  if (choice.world.one_in(2)) {
    at = change.now + std::chrono::seconds{choice.world.below(3600)};
  }
  return ignore(board::schedule(change, choice.task, at, std::nullopt));
}
Result<void> assign(board::Change& change, const Choice& choice) {
  static const std::vector<std::string> k_assignees{"exits", "calls"};
  return ignore(board::assign(
      change, choice.task,
      {.assignee = choice.world.any_of(k_assignees), .reclaim = choice.world.one_in(2)}));
}
Result<void> link(board::Change& change, const Choice& choice) {
  return ignore(board::link(change, choice.other, choice.task, some_condition(choice)));
}
Result<void> unlink(board::Change& change, const Choice& choice) {
  return board::unlink(change, choice.other, choice.task);
}
Result<void> request_review(board::Change& change, const Choice& choice) {
  return ignore(board::request_review(change, choice.task, std::nullopt));
}
Result<void> request_changes(board::Change& change, const Choice& choice) {
  return ignore(board::request_changes(change, choice.task, std::nullopt));
}
Result<void> reopen_review(board::Change& change, const Choice& choice) {
  return ignore(board::reopen_review(change, choice.task, std::nullopt));
}
Result<void> comment(board::Change& change, const Choice& choice) {
  return ignore(board::add_comment(change, choice.task, "alice", "hello"));
}
Result<void> claim(board::Change& change, const Choice& choice) {
  return ignore(board::claim(change, choice.task,
                             {.profile = "alice",
                              .host = choice.world.host,
                              .holder = "outside",
                              .ttl = std::chrono::seconds{1 + choice.world.below(1200)}}));
}
Result<void> heartbeat(board::Change& change, const Choice& choice) {
  return ignore(board::heartbeat(change, choice.task, std::nullopt));
}

struct Verb {
  const char* name;
  Deed deed;
  int weight;
};
constexpr std::array k_verbs{Verb{"create", create, 12},
                             Verb{"complete", complete, 4},
                             Verb{"block", block, 4},
                             Verb{"unblock", unblock, 6},
                             Verb{"promote", promote, 4},
                             Verb{"reclaim", reclaim, 4},
                             Verb{"archive", archive, 4},
                             Verb{"delete", remove, 2},
                             Verb{"schedule", schedule, 3},
                             Verb{"assign", assign, 3},
                             Verb{"link", link, 5},
                             Verb{"unlink", unlink, 3},
                             Verb{"comment", comment, 1},
                             Verb{"claim", claim, 3},
                             Verb{"heartbeat", heartbeat, 2},
                             Verb{"reopen-review", reopen_review, 2},
                             Verb{"request-review", request_review, 2},
                             Verb{"request-changes", request_changes, 2}};

const Verb& some_verb(World& world) {
  std::uint64_t sum = 0;
  for (const Verb& verb : k_verbs) {
    sum += static_cast<std::uint64_t>(verb.weight);
  }
  std::uint64_t at = world.below(sum);
  for (const Verb& verb : k_verbs) {
    if (at < static_cast<std::uint64_t>(verb.weight)) {
      return verb;
    }
    at -= static_cast<std::uint64_t>(verb.weight);
  }
  return k_verbs.front();
}

std::vector<std::string> tasks_of(World& world) {
  return world.read([](db::Reader& tx) {
    std::vector<std::string> ids;
    auto row = tx.query("SELECT id FROM tasks ORDER BY id");
    while (row.next()) {
      ids.push_back(row.text(0));
    }
    return ids;
  });
}

}  // namespace

void step_person(World& world) {
  const std::vector<std::string> tasks = tasks_of(world);
  const Verb& verb = tasks.empty() ? k_verbs.front() : some_verb(world);
  if (verb.deed == create && tasks.size() >= k_most_tasks) {
    return;
  }
  Choice choice{.world = world};
  if (!tasks.empty()) {
    choice.task = world.any_of(tasks);
    choice.other = world.any_of(tasks);
  }
  const auto done = world.write(Actor{"alice", std::nullopt},
                                [&](board::Change& change) { return verb.deed(change, choice); });
  world.tell(fmt::format("alice: {} {}: {}", verb.name, choice.task,
                         done ? std::string("ok") : one_line(done.error())));
}

}  // namespace hermes::sim
