#include "kernel/board/import_values.hpp"

#include <catch2/catch.hpp>

using namespace hermes;
using board::parse_timestamp;

TEST_CASE("a moment of a foreign board is known in its usual forms, and has a range") {
  const Instant wanted{1'795'200'000'000};  // 2026-11-20T18:40:00Z
  CHECK(parse_timestamp("2026-11-20T18:40:00Z") == wanted);
  CHECK(parse_timestamp("2026-11-20 18:40:00") == wanted);
  CHECK(parse_timestamp("2026-11-20 19:40:00.250+0100") == wanted + Millis{250});
  CHECK(parse_timestamp("2026-11-20T13:10:00-05:30") == wanted);
  CHECK(parse_timestamp("9999-12-31T23:59:59.999") == Instant{253'402'300'799'999});
  for (const char* text : {"9999-12-31T23:59:59-9999",   // no such offset
                           "9999-12-31T23:59:59-00:01",  // in the year 10000 of UTC
                           "1970-01-01T00:00:00+00:01", "2026-11-20T18:40:00+00:60", "2026-02-29",
                           "2026-11-20T18:40", "soon"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_timestamp(text));
  }
}
