// The manual pages and docs/cli.md beside what the programs themselves say.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "cli/run_hermes.hpp"
#include "kernel/base/text.hpp"
#include "verbs/table.hpp"

namespace hermes::test {

namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
    found.insert((*at)[1]);
  }
  return found;
}

// What stands where flags are listed: `--body TEXT` at the beginning of a line of help.
std::set<std::string> flags_in(const std::string& rows) {
  static const std::regex k_flag("(?:^|[ ,])(--?[a-z][a-z-]*)");
  return matches(rows, k_flag);
}

std::set<std::string> flags_of_help(const std::string& help) {
  std::set<std::string> flags;
  for (const std::string& line : lines_of(help)) {
    if (line.starts_with("  -")) {
      flags.merge(flags_in(line.substr(2, line.find("  ", 2) - 2)));
    }
  }
  return flags;
}

// Roff as the reader sees it.
std::string plain(std::string text) {
  for (const auto& [escape, character] :
       std::vector<std::pair<std::string, std::string>>{{"\\fB", ""},
                                                        {"\\fR", ""},
                                                        {"\\-", "-"},
                                                        {"\\(aq", "'"},
                                                        {"\\(dq", "\""},
                                                        {"\\(ti", "~"},
                                                        {"\\(ga", "`"}}) {
    for (auto at = text.find(escape); at != std::string::npos; at = text.find(escape, at)) {
      text.replace(at, escape.size(), character);
      at += character.size();
    }
  }
  return text;
}

// Verb ("hermes kanban create") to the flags that a reference lists below its heading.
using Reference = std::map<std::string, std::set<std::string>>;

std::string verb_of_heading(std::string heading) {
  static const std::regex k_words("^hermes( [a-z][a-z_-]*)+");
  std::smatch found;
  REQUIRE(std::regex_search(heading, found, k_words));
  std::string words = found[0];
  // "hermes completion bash|zsh|fish": the value is no word of the verb.
  if (heading.size() > words.size() && heading[words.size()] == '|') {
    words.resize(words.rfind(' '));
  }
  return words;
}

Reference markdown_reference() {
  Reference out;
  std::string verb;
  for (const std::string& line : lines_of(contents(HERMES_SOURCE "/docs/cli.md"))) {
    if (line.starts_with("#### `")) {
      verb = verb_of_heading(line.substr(6));
      out[verb];
    } else if (line.starts_with("#")) {
      verb.clear();
    } else if (!verb.empty() && line.starts_with("* `-")) {
      out[verb].merge(flags_in(line.substr(3, line.find('`', 3) - 3)));
    }
  }
  return out;
}

Reference page_reference() {
  Reference out;
  for (const std::string page : {"hermes.1", "hermes-kanban.1"}) {
    std::string verb;
    bool term = false;
    for (const std::string& raw : lines_of(contents(fs::path(HERMES_PAGES) / page))) {
      const std::string line = plain(raw);
      if (line.starts_with(".SS ")) {
        verb = verb_of_heading(line.substr(4));
        out[verb];
      } else if (line.starts_with(".SH")) {
        verb.clear();
      } else if (term && !verb.empty() && line.starts_with("-")) {
        out[verb].merge(flags_in(line));
      }
      term = line == ".TP";
    }
  }
  return out;
}

// The verbs that --help lists, and what the --help of each lists. The flags of every verb are
// described once in a reference.
Reference help_reference(const Hermes& hermes) {
  static const std::set<std::string> k_common{"--board", "--json", "-h", "--help"};
  Reference out;
  for (const verbs::Group& group : verbs::all_groups()) {
    std::vector<std::string> words;
    std::istringstream in{std::string(group.name)};
    for (std::string word; in >> word;) {
      words.push_back(word);
    }
    words.emplace_back("--help");
    const std::string help = hermes.run(words).out;
    const auto from = help.find("\nverbs:\n");
    REQUIRE(from != std::string::npos);
    const std::string rows = help.substr(from + 8, help.find("\n\n", from + 8) - from - 8);
    for (const std::string& line : lines_of(rows)) {
      if (line.starts_with("   ") || line.find(" ... ") != std::string::npos) {
        continue;  // wrapped, or a group inside this one
      }
      std::vector<std::string> verb = words;
      verb.insert(verb.end() - 1, line.substr(2, line.find(' ', 2) - 2));
      std::string name = "hermes";
      for (std::size_t i = 0; i + 1 < verb.size(); ++i) {
        name += " " + verb[i];
      }
      for (const std::string& flag : flags_of_help(hermes.run(verb).out)) {
        if (!k_common.contains(flag)) {
          out[name].insert(flag);
        }
      }
      out[name];
    }
  }
  return out;
}

}  // namespace

TEST_CASE("docs/cli.md is what hermes-manual prints", "[cli]") {
  const Hermes hermes(false);
  const Ran ran = hermes.run_program({HERMES_MANUAL, "--markdown"});
  REQUIRE(ran.status == 0);
  INFO("write it anew: cmake --build --preset dev --target update_cli_reference");
  const bool same = ran.out == contents(HERMES_SOURCE "/docs/cli.md");
  CHECK(same);
}

TEST_CASE("every verb and flag of --help is in the reference and the manual, and no other",
          "[cli]") {
  const Hermes hermes(false);
  const Reference help = help_reference(hermes);
  CHECK(help.size() > 30);
  CHECK(help.at("hermes kanban create").contains("--max-runtime"));
  CHECK(markdown_reference() == help);
  CHECK(page_reference() == help);
}

TEST_CASE("the dispatcher's page lists the flags and exit statuses of its --help", "[cli]") {
  const Hermes hermes(false);
  const Ran ran = hermes.run_program(
      {(fs::path(HERMES_BINARY).parent_path().parent_path() / "daemon" / "hermes-dispatcher")
           .string(),
       "--help"});
  REQUIRE(ran.status == 0);
  const std::string page = contents(fs::path(HERMES_PAGES) / "hermes-dispatcher.8");
  std::set<std::string> listed;
  std::set<std::string> statuses;
  bool term = false;
  for (const std::string& raw : lines_of(page)) {
    const std::string line = plain(raw);
    if (term && line.starts_with("-")) {
      listed.merge(flags_in(line));
    } else if (term && !line.empty() && std::isdigit(static_cast<unsigned char>(line[0])) != 0) {
      statuses.insert(line);
    }
    term = line == ".TP";
  }
  CHECK(listed == flags_of_help(ran.out));
  CHECK(listed.contains("--failure-limit"));
  CHECK(statuses == matches(ran.out, std::regex("\n  ([0-9]+) ")));
}

TEST_CASE("every variable of ours that the sources name is in the manual", "[cli]") {
  std::set<std::string> named;
  for (const std::string room : {"kernel", "verbs", "cli", "daemon"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(HERMES_SOURCE) / room)) {
      if (entry.path().extension() == ".cpp") {
        named.merge(matches(contents(entry.path()), std::regex("\"(HERMES_[A-Z_]*[A-Z])\"")));
      }
    }
  }
  CHECK(named.size() > 8);
  const std::string page = contents(fs::path(HERMES_PAGES) / "hermes.1");
  for (const std::string& name : named) {
    CAPTURE(name);
    CHECK(page.find(name) != std::string::npos);
  }
}

TEST_CASE("help WORDS is the page of --help, as JSON the schema", "[cli]") {
  const Hermes hermes(false);
  CHECK(hermes.run({"help"}).out == hermes.run({"--help"}).out);
  CHECK(hermes.run({"help", "kanban"}).out == hermes.run({"kanban", "--help"}).out);
  CHECK(hermes.run({"help", "kanban", "boards", "new"}).out ==
        hermes.run({"kanban", "boards", "create", "--help"}).out);
  CHECK(hermes.run({"help", "kanban", "create", "--json"}).out.find("\"max-runtime\"") !=
        std::string::npos);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"help", "nothing"}, {"help", "kanban", "list", "more"}}) {
    const Ran ran = hermes.run(words);
    CHECK(ran.status == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err.find("no help on") != std::string::npos);
  }
}

TEST_CASE("no line of help is longer than 100 columns, and hidden verbs are in none", "[cli]") {
  const Hermes hermes(false);
  std::vector<std::vector<std::string>> pages{{"--help"}};
  for (const verbs::Verb& verb : verbs::all_verbs()) {
    std::istringstream in{std::string(verb.group) + " " + std::string(verb.name)};
    pages.emplace_back();
    for (std::string word; in >> word;) {
      pages.back().push_back(word);
    }
    pages.back().emplace_back("--help");
  }
  for (const std::vector<std::string>& words : pages) {
    const Ran ran = hermes.run(words);
    for (const std::string& line : lines_of(ran.out)) {
      INFO(line);
      CHECK((display_width(line) <= 100 || line.starts_with("usage: ")));
    }
    CHECK((words.size() != 1 || ran.out.find("__complete") == std::string::npos));
  }
}

}  // namespace hermes::test
