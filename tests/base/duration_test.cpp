#include <catch2/catch.hpp>

#include "kernel/base/duration.hpp"

using namespace hermes;

TEST_CASE("a duration is a number of seconds or a number with a unit") {
  CHECK(parse_duration("90") == Millis{90'000});
  CHECK(parse_duration(" 30s ") == Millis{30'000});
  CHECK(parse_duration("1.5h") == Millis{5'400'000});
  CHECK(parse_duration("250ms") == Millis{250});
  CHECK(parse_duration("2d") == Millis{172'800'000});
  CHECK(parse_duration("0") == Millis{0});
}

TEST_CASE("a malformed duration is a usage error that names the text and the form") {
  for (const char* text :
       {"soon", "", "-5", "-0", "5 s", "1e3", "nan", "inf", "5x", "99999d", "h", "1.2.3"}) {
    INFO(text);
    const auto parsed = parse_duration(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::usage);
    CHECK(parsed.error().message.find(text) != std::string::npos);
    CHECK(parsed.error().hint.find("1.5h") != std::string::npos);
  }
  CHECK(parse_duration(std::string(100'000, 'x')).error().message.size() < 1000);
}

TEST_CASE("durations and ages read as people say them") {
  CHECK(format_duration(Millis{250}) == "250 ms");
  CHECK(format_duration(Millis{45'000}) == "45 s");
  CHECK(format_duration(Millis{180'000}) == "3 min");
  CHECK(format_age(Instant{1'000'000}, Instant{990'000}) == "just now");
  CHECK(format_age(Instant{0}, Instant{300'000}) == "5 min ago");
}
