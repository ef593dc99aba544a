#include "kernel/base/time.hpp"

#include <catch2/catch.hpp>
#include <ctime>
#include <string>

using namespace hermes;

TEST_CASE("a time is RFC 3339 with an offset, or seconds since the epoch") {
  const Instant wanted{1'795'200'000'000};  // 2026-11-20T18:40:00Z
  CHECK(parse_time("2026-11-20T18:40:00Z") == wanted);
  CHECK(parse_time(" 2026-11-20t18:40:00z ") == wanted);
  CHECK(parse_time("2026-11-20T19:40:00+01:00") == wanted);
  CHECK(parse_time("2026-11-20 13:10:00-05:30") == wanted);
  CHECK(parse_time("2026-11-20T18:40:00.25Z") == wanted + Millis{250});
  CHECK(parse_time("2026-11-20T18:40:00.123456789Z") == wanted + Millis{123});
  CHECK(parse_time("1795200000") == wanted);
  CHECK(parse_time("0") == Instant{0});
  CHECK(parse_time("2024-02-29T00:00:00Z") == Instant{1'709'164'800'000});
  CHECK(parse_time("2016-12-31T23:59:60Z") == Instant{1'483'228'800'000});  // a leap second
  CHECK(parse_time("9999-12-31T23:59:59Z") == parse_time("253402300799"));
}

TEST_CASE("a time without an offset is local") {
  const auto local = [](int hour, int minute, int second) {
    std::tm at{};
    at.tm_year = 2026 - 1900;
    at.tm_mon = 10;
    at.tm_mday = 20;
    at.tm_hour = hour;
    at.tm_min = minute;
    at.tm_sec = second;
    at.tm_isdst = -1;
    return Instant{std::mktime(&at) * std::int64_t{1000}};
  };
  CHECK(parse_time("2026-11-20 18:40") == local(18, 40, 0));
  CHECK(parse_time("2026-11-20 18:40:30") == local(18, 40, 30));
}

TEST_CASE("a malformed time is a usage error that names the text and the forms") {
  for (const char* text : {"",
                           "soon",
                           "tomorrow",
                           "-1",
                           "1.5",
                           "1e9",
                           "99999999999999",
                           "9999-12-31T23:59:59-00:01",  // in the year 10000 of UTC
                           "9999-12-31T23:59:60Z",
                           "2026-11-20",
                           "18:40",
                           "2026-11-20T18:40",
                           "2026-11-20T18:40:00",
                           "2026-11-20T18:40Z",
                           "2026-13-01 00:00",
                           "2026-00-01 00:00",
                           "2026-02-29 00:00",
                           "2026-04-31 00:00",
                           "2026-11-20 24:00",
                           "2026-11-20 18:60",
                           "2026-11-20 18:40:61",
                           "1969-12-31 23:59",
                           "2026-1-2 03:04",
                           "2026-11-20  18:40",
                           "2026-11-20 18:40:00+1",
                           "2026-11-20 18:40:00+24:00",
                           "2026-11-20T18:40:00Zx",
                           "2026-11-20T18:40:00.Z",
                           "2026/11/20 18:40",
                           "+5",
                           "0x10"}) {
    INFO(text);
    const auto parsed = parse_time(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::usage);
    CHECK(parsed.error().message.find(text) != std::string::npos);
    CHECK(parsed.error().hint.find("2026-11-20 18:40") != std::string::npos);
  }
}
