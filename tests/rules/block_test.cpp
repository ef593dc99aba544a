#include <catch2/catch.hpp>

#include "kernel/rules/block.hpp"
#include "rules/every.hpp"

using namespace hermes;
using hermes::rules::BlockRoute;
using hermes::rules::route_block;
using hermes::test::every_or_none;
using hermes::test::word_or_none;

namespace {

using Kind = std::optional<BlockKind>;

// A task whose worker blocks it time and again, as the board remembers it.
struct Blocked {
  Task task;

  BlockRoute by_worker(Kind kind) {
    const BlockRoute route = route_block(task, BlockSource::worker, kind);
    task.block_kind = kind;
    task.block_streak = route.streak;
    task.block_total = route.total;
    return route;
  }
};

Status resting_place(Kind kind) {
  return kind == BlockKind::dependency ? Status::todo : Status::blocked;
}

}  // namespace

TEST_CASE("a worker's first block rests in blocked, on a dependency in todo") {
  for (const Kind kind : every_or_none<BlockKind>()) {
    INFO(word_or_none(kind));
    const BlockRoute route = Blocked{}.by_worker(kind);
    CHECK(route.to == resting_place(kind));
    CHECK(route.streak == 1);
    CHECK(route.total == 1);
  }
}

TEST_CASE("the same kind twice in a row leads to triage, another kind begins anew") {
  for (const Kind first : every_or_none<BlockKind>()) {
    for (const Kind second : every_or_none<BlockKind>()) {
      INFO(word_or_none(first) << ", then " << word_or_none(second));
      Blocked blocked;
      blocked.by_worker(first);
      const BlockRoute route = blocked.by_worker(second);
      CHECK(route.streak == (first == second ? 2 : 1));
      CHECK(route.total == 2);
      CHECK(route.to == (first == second ? Status::triage : resting_place(second)));
    }
  }
}

TEST_CASE("the fourth block leads to triage even when the kinds change") {
  for (const Kind last : {Kind{}, Kind{BlockKind::needs_input}, Kind{BlockKind::dependency}}) {
    Blocked blocked;
    blocked.by_worker(BlockKind::needs_input);
    blocked.by_worker(BlockKind::capability);
    const BlockRoute third = blocked.by_worker(BlockKind::transient);
    CHECK(third.to == Status::blocked);
    CHECK(third.total == 3);
    const BlockRoute fourth = blocked.by_worker(last);
    INFO(word_or_none(last));
    CHECK(fourth.to == Status::triage);
    CHECK(fourth.streak == 1);
    CHECK(fourth.total == 4);
  }
}

TEST_CASE("a kind that was left for another one counts from one again") {
  Blocked blocked;
  blocked.by_worker(BlockKind::needs_input);
  blocked.by_worker(BlockKind::transient);
  const BlockRoute route = blocked.by_worker(BlockKind::needs_input);
  CHECK(route.streak == 1);
  CHECK(route.total == 3);
  CHECK(route.to == Status::blocked);
}

TEST_CASE("what a person or the breaker blocks is not counted and never leads to triage") {
  for (const BlockSource source : {BlockSource::human, BlockSource::breaker}) {
    for (const Kind kind : every_or_none<BlockKind>()) {
      INFO(to_word(source) << ", " << word_or_none(kind));
      Blocked blocked;
      blocked.by_worker(kind);
      blocked.task.block_total = 3;
      const BlockRoute route = route_block(blocked.task, source, kind);
      CHECK(route.to == resting_place(kind));
      CHECK(route.streak == 1);
      CHECK(route.total == 3);
    }
  }
}

TEST_CASE("once the counters were zeroed the kind of last time is forgotten") {
  for (const Kind kind : every_or_none<BlockKind>()) {
    INFO(word_or_none(kind));
    Blocked blocked;
    blocked.by_worker(kind);
    blocked.by_worker(kind);
    blocked.task.block_streak = 0;
    blocked.task.block_total = 0;
    const BlockRoute route = blocked.by_worker(kind);
    CHECK(route.to == resting_place(kind));
    CHECK(route.streak == 1);
    CHECK(route.total == 1);
  }
}
