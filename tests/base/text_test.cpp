#include <catch2/catch.hpp>

#include "kernel/base/text.hpp"

using namespace hermes;

TEST_CASE("control characters are shown, not sent to the terminal") {
  CHECK(printable("a\x1b[31mred\nb\tc\x7f") == "a\\x1b[31mred\\nb\\tc\\x7f");
  CHECK(printable("caf\xc3\xa9 \xe6\x97\xa5") == "caf\xc3\xa9 \xe6\x97\xa5");
  CHECK(printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(printable("\xc2\x9b") == "\\u009b");
  CHECK(printable_lines("a\n\tb\r") == "a\n\tb\\r");
  CHECK(printable("evil\xe2\x80\xaetxt") == "evil\\u202etxt");
}

TEST_CASE("what shows nothing is shown, what some scripts need stays") {
  CHECK(printable("a\xe2\x80\x8b\xef\xbb\xbfz") == "a\\u200b\\ufeffz");
  CHECK(printable("tag\xf3\xa0\x81\x81") == "tag\\ue0041");
  const std::string joined = "\xe2\x80\x8c \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80";
  CHECK(printable(joined) == joined);
  // A name may keep what it always could.
  CHECK(is_plain("a\xe2\x80\x8bz"));
  CHECK_FALSE(is_plain("a\nb"));
  CHECK_FALSE(is_plain("a\xc2\x9b"));
  CHECK_FALSE(is_plain("a\xff"));
}

TEST_CASE("JSON is the same value when what a terminal would obey is escaped in it") {
  CHECK(printable_json("{\n  \"a\": \"caf\xc3\xa9\"\n}") == "{\n  \"a\": \"caf\xc3\xa9\"\n}");
  CHECK(printable_json("\"\x7f\xc2\x9b\xe2\x80\xae\"") == R"("\u007f\u009b\u202e")");
  CHECK(printable_json("\"\xf3\xa0\x81\x81\"") == R"("\udb40\udc41")");
}

TEST_CASE("UTF-8 is checked as RFC 3629 says") {
  CHECK(is_utf8("plain"));
  CHECK(is_utf8("\xf0\x9f\x98\x80"));
  CHECK_FALSE(is_utf8("\xc0\xaf"));          // overlong
  CHECK_FALSE(is_utf8("\xed\xa0\x80"));      // surrogate
  CHECK_FALSE(is_utf8("\xf4\x90\x80\x80"));  // past U+10FFFF
  CHECK_FALSE(is_utf8("\xe6\x97"));          // cut short
}

TEST_CASE("clipping never cuts a character") {
  CHECK(clip("a\xc3\xa9z", 2) == "a");
  CHECK(clip("a\xc3\xa9z", 3) == "a\xc3\xa9");
  CHECK(clip("abc", 9) == "abc");
}

TEST_CASE("wide characters take two columns") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("\xe6\x97\xa5\xe6\x9c\xac") == 4);
  CHECK(display_width("e\xcc\x81") == 1);
}

TEST_CASE("text from outside is bounded and valid") {
  CHECK(check_text("title", "fine", 10));
  const auto longer = check_text("body", std::string(11, 'x'), 10);
  REQUIRE_FALSE(longer);
  CHECK(longer.error().message == "body is 11 bytes long, the limit is 10");
  CHECK_FALSE(check_text("title", "a\xff", 10));
  CHECK_FALSE(check_text("title", std::string_view("a\0b", 3), 10));
}

TEST_CASE("lists are split at the separator, trimmed, blanks dropped") {
  CHECK(split_list(" a, b,,c ", ',') == std::vector<std::string>{"a", "b", "c"});
  CHECK(split_list("", ',').empty());
}

TEST_CASE("what was perhaps meant is said in one way, and a count with its noun") {
  CHECK(did_you_mean("shel", {"shell", "writer"}) == ", did you mean shell?");
  CHECK(did_you_mean("staet", {"start", "state", "x"}) == ", did you mean start or state?");
  CHECK(did_you_mean("zzzzzz", {"shell"}).empty());
  CHECK(counted(1, "file") == "1 file");
  CHECK(counted(0, "file") == "0 files");
  CHECK(counted(2, "file") == "2 files");
}

TEST_CASE("text is broken at blanks and cut at columns") {
  using Lines = std::vector<std::string>;
  CHECK(wrap("", 10) == Lines{""});
  CHECK(wrap("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrap("日本 語", 5) == Lines{"日本", "語"});
  CHECK(wrap("a muchtoolongword b", 5) == Lines{"a", "muchtoolongword", "b"});
  CHECK(clip_columns("abc", 3) == "abc");
  CHECK(clip_columns("abcd", 3) == "ab…");
  CHECK(clip_columns("日本語", 5) == "日本…");
  CHECK(clip_columns("日本語", 4) == "日…");
  CHECK(clip_columns("abc", 0).empty());
  CHECK(help_row("--x", "does it", 8, 40) == "  --x   does it\n");
  CHECK(help_row("--longer", "does it", 8, 40) == "  --longer\n        does it\n");
}
