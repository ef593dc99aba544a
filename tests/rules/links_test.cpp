#include <catch2/catch.hpp>

#include "kernel/rules/links.hpp"
#include "rules/every.hpp"

using namespace hermes;
using hermes::rules::satisfies;
using hermes::test::every;
using hermes::test::every_or_none;
using hermes::test::word_or_none;

TEST_CASE("a done link is satisfied by done alone, whatever blocked its parent") {
  for (const Status parent : every<Status>()) {
    for (const auto source : every_or_none<BlockSource>()) {
      INFO(to_word(parent) << ", blocked by " << word_or_none(source));
      CHECK(satisfies(LinkCondition::done, parent, source) == (parent == Status::done));
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
      CHECK(satisfies(LinkCondition::ended, parent, source) == expected);
    }
  }
}

TEST_CASE("a parent that its worker or a person blocked has not ended") {
  CHECK_FALSE(satisfies(LinkCondition::ended, Status::blocked, BlockSource::worker));
  CHECK_FALSE(satisfies(LinkCondition::ended, Status::blocked, BlockSource::human));
  CHECK_FALSE(satisfies(LinkCondition::ended, Status::blocked, std::nullopt));
}
