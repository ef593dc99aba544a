#include <catch2/catch.hpp>

#include "kernel/rules/links.hpp"
#include "rules/every.hpp"

using namespace hermes;
using hermes::rules::satisfies;
using hermes::test::every;
using hermes::test::every_or_none;
using hermes::test::word_or_none;

namespace {

Task parent_of(Status status, std::optional<BlockSource> source, bool was_done = false) {
  Task parent;
  parent.status = status;
  parent.block_source = source;
  if (was_done) {
    parent.completed_at = Instant{1};
  }
  return parent;
}

}  // namespace

TEST_CASE("a done link is satisfied by done alone, whatever blocked its parent") {
  for (const Status parent : every<Status>()) {
    for (const auto source : every_or_none<BlockSource>()) {
      INFO(to_word(parent) << ", blocked by " << word_or_none(source));
      CHECK(satisfies(LinkCondition::done, parent_of(parent, source)) == (parent == Status::done));
    }
  }
}

TEST_CASE(
    "an ended link is satisfied by done, by archived and by a parent that the breaker gave up") {
  for (const Status parent : every<Status>()) {
    for (const auto source : every_or_none<BlockSource>()) {
      INFO(to_word(parent) << ", blocked by " << word_or_none(source));
      const bool given_up = parent == Status::blocked && source == BlockSource::breaker;
      const bool expected = parent == Status::done || parent == Status::archived || given_up;
      CHECK(satisfies(LinkCondition::ended, parent_of(parent, source)) == expected);
    }
  }
}

TEST_CASE("a parent that its worker or a person blocked has not ended") {
  CHECK_FALSE(satisfies(LinkCondition::ended, parent_of(Status::blocked, BlockSource::worker)));
  CHECK_FALSE(satisfies(LinkCondition::ended, parent_of(Status::blocked, BlockSource::human)));
  CHECK_FALSE(satisfies(LinkCondition::ended, parent_of(Status::blocked, std::nullopt)));
}

TEST_CASE("a parent that was done stays done when it is archived, and not when it was reopened") {
  CHECK(satisfies(LinkCondition::done, parent_of(Status::archived, {}, true)));
  CHECK_FALSE(satisfies(LinkCondition::done, parent_of(Status::archived, {})));
  for (const Status parent : every<Status>()) {
    INFO(to_word(parent));
    CHECK(satisfies(LinkCondition::done, parent_of(parent, {}, true)) ==
          (parent == Status::done || parent == Status::archived));
  }
}
