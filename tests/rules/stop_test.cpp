#include "kernel/rules/stop.hpp"

#include <catch2/catch.hpp>

#include "rules/every.hpp"

using namespace hermes;
using rules::second_stop;
using rules::SecondStop;

TEST_CASE("archiving goes before every other stop, and a person before the clock") {
  for (const StopKind kind : hermes::test::every<StopKind>()) {
    INFO(to_word(kind));
    CHECK(second_stop(kind, kind) == SecondStop::joins);
    CHECK(second_stop(kind, StopKind::stale) == SecondStop::joins);
    if (kind != StopKind::archive) {
      CHECK(second_stop(kind, StopKind::archive) == SecondStop::replaces);
    }
    if (kind != StopKind::archive && kind != StopKind::stale) {
      CHECK(second_stop(StopKind::archive, kind) == SecondStop::refused);
      CHECK(second_stop(StopKind::stale, kind) == SecondStop::replaces);
    }
  }
  CHECK(second_stop(StopKind::reclaim, StopKind::reassign) == SecondStop::joins);
  CHECK(second_stop(StopKind::reassign, StopKind::reclaim) == SecondStop::joins);
}
