#include "systemd/unit.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace hermes;
using hermes::systemd::unit_text;

namespace {

// The lines that begin with `key`=, without it.
std::vector<std::string> settings(const std::string& text, const std::string& key) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + "=")) {
      found.push_back(line.substr(key.size() + 1));
    }
  }
  return found;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("the unit names the program and has no line that is not its own") {
  const auto text = unit_text({.dispatcher = "/opt/hermes/bin/hermes-dispatcher"});
  REQUIRE(text);
  CHECK(settings(*text, "ExecStart") == Lines{":\"/opt/hermes/bin/hermes-dispatcher\""});
  CHECK(settings(*text, "Environment").empty());
  CHECK(settings(*text, "KillMode") == Lines{"process"});
  CHECK(text->find("@dispatcher@") == std::string::npos);
  CHECK(text->find("@environment@") == std::string::npos);
  CHECK(text->ends_with("WantedBy=default.target\n"));
}

TEST_CASE("values of the unit are escaped as systemd reads them") {
  const auto text = unit_text({.dispatcher = "/opt/100% $HOME/bin/hermes-dispatcher",
                               .environment = {{"HERMES_HOME", "/srv/a \"b\" 'c' \\d %h $X"},
                                               {"LINES", "one\ntwo\tthree"},
                                               {"EMPTY", ""}}});
  REQUIRE(text);
  CHECK(settings(*text, "ExecStart") == Lines{":\"/opt/100%% $HOME/bin/hermes-dispatcher\""});
  CHECK(settings(*text, "Environment") == Lines{"\"HERMES_HOME=/srv/a \\\"b\\\" 'c' \\\\d %%h $X\"",
                                                "\"LINES=one\\ntwo\\tthree\"", "\"EMPTY=\""});
}

TEST_CASE("a value that looks like a mark of the template stays a value") {
  const auto text = unit_text({.dispatcher = "/opt/@environment@/@dispatcher@",
                               .environment = {{"A", "@dispatcher@"}, {"B", "@environment@"}}});
  REQUIRE(text);
  CHECK(settings(*text, "ExecStart") == Lines{":\"/opt/@environment@/@dispatcher@\""});
  CHECK(settings(*text, "Environment") == Lines{"\"A=@dispatcher@\"", "\"B=@environment@\""});
}

TEST_CASE("what systemd cannot spell is refused by name") {
  for (const std::string path : {"bin/hermes-dispatcher", "", "/opt/a\"b", "/opt/a'b", "/opt/a\\b",
                                 "/opt/a\nb", "/opt/a\xff", "/opt/"}) {
    CAPTURE(path);
    const auto text = unit_text({.dispatcher = path});
    REQUIRE_FALSE(text);
    CHECK(text.error().code == ErrorCode::invalid);
    CHECK_FALSE(text.error().hint.empty());
  }
  for (const std::string name : {"", "1A", "A B", "A=B", "Ä"}) {
    CAPTURE(name);
    CHECK_FALSE(unit_text({.dispatcher = "/bin/x", .environment = {{name, "value"}}}));
  }
  for (const std::string value : {"\x01", "a\rb", "\x7f", "\xc3"}) {
    CAPTURE(value);
    const auto text = unit_text({.dispatcher = "/bin/x", .environment = {{"NAME", value}}});
    REQUIRE_FALSE(text);
    CHECK(text.error().message.find("NAME") != std::string::npos);
  }
  const std::string long_text = std::string(100'000, 'x') + "\x01";
  const auto long_value =
      unit_text({.dispatcher = "/bin/x", .environment = {{std::string(100'000, 'A'), long_text}}});
  REQUIRE_FALSE(long_value);
  CHECK(long_value.error().message.size() < 1000);
}
