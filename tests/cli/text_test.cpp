#include "cli/text.hpp"

#include <catch2/catch.hpp>

namespace hermes::cli {

namespace {

struct Row {
  std::string json;
  std::string text;
};

}  // namespace

TEST_CASE("payloads of events are read as words", "[cli]") {
  const std::vector<Row> rows{
      {"null", ""},
      {"{}", ""},
      {R"({"from": "ready", "to": "running"})", "ready → running"},
      {R"({"n": 7, "from": "ready", "to": "done"})", "ready → done n=7"},
      {R"({"to": "ann"})", "to=ann"},
      {R"({"a": null, "b": [], "c": {}, "d": ""})", "d=\"\""},
      {R"({"reason": "no disk", "by": "ann"})", "reason=\"no disk\" by=ann"},
      {R"({"ids": ["t_1", "t 2"], "deep": {"x": [1]}, "yes": true})",
       "ids=t_1,\"t 2\" deep={\"x\":[1]} yes=true"},
      {R"({"text": "a\u001b[31m\n\"b\""})", R"(text="a\u001b[31m\n\"b\"")"},
      {R"({"text": "x=y"})", "text=\"x=y\""},
  };
  for (const Row& row : rows) {
    INFO(row.json);
    CHECK(payload_text(Json::parse(row.json)) == row.text);
  }
  const std::string text = payload_text({{"text", std::string(1000, 'x')}});
  CHECK(text.size() < 420);
  CHECK(text.ends_with(" …"));
}

TEST_CASE("people are not shown what a lease is made of", "[cli]") {
  CHECK(payload_text({{"from", "ready"},
                      {"to", "running"},
                      {"lock", "machine/boot/12/34"},
                      {"expires", 1'700'000'000},
                      {"run_id", 7}}) == "ready → running run_id=7");
}

TEST_CASE("a table is cut to the terminal, its last column first", "[cli]") {
  const std::vector<std::vector<std::string>> rows{{"1", "short", "日本語日本語日本語"},
                                                   {"22", "s", "x"}};
  CHECK(table(rows) == "1   short  日本語日本語日本語\n22  s      x\n");
  CHECK(table(rows, 24) == "1   short  日本語日本語…\n22  s      x\n");
  CHECK(table(rows, 29) == table(rows));
  const std::vector<std::vector<std::string>> wide{{std::string(60, 'a'), std::string(60, 'b')}};
  CHECK(table(wide, 50) == std::string(31, 'a') + "…  " + std::string(15, 'b') + "…\n");
  CHECK(table({}, 20).empty());
}

TEST_CASE("colours take no columns", "[cli]") {
  const Style style{.colour = true};
  CHECK(table({{coloured("a", "31", style), "x"}, {"bcd", "y"}}) ==
        "\x1b[31ma\x1b[0m    x\nbcd  y\n");
  CHECK(coloured("a", "31", {}) == "a");
}

TEST_CASE("times say their date unless it is today", "[cli]") {
  const std::int64_t noon = 1'700'000'000'000;
  CHECK(second(Json(noon), noon).size() == 8);
  CHECK(second(Json(noon), noon + 3 * 86'400'000LL).size() == 19);
  CHECK(second(Json(), noon) == "-");
}

}  // namespace hermes::cli
