// What our own texts tell people to type.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "verbs/table.hpp"

namespace hermes::verbs::test {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> our_texts() {
  const fs::path root = HERMES_SOURCE_DIR;
  std::vector<fs::path> files{root / "README.md"};
  for (const char* room : {"docs", "kernel", "verbs", "cli", "daemon"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      if (const auto type = entry.path().extension(); type == ".md" || type == ".cpp") {
        files.push_back(entry.path());
      }
    }
  }
  return files;
}

// Groups, then perhaps a verb; what follows a verb are its arguments.
bool is_known(const std::string& words) {
  std::istringstream rest(words);
  std::string group;
  for (std::string word; rest >> word;) {
    const std::string inner = group.empty() ? word : group + " " + word;
    if (find_group(inner) == nullptr) {
      return find_verb(group, word) != nullptr;
    }
    group = inner;
  }
  return true;
}

}  // namespace

TEST_CASE("no text of ours names a verb that does not exist") {
  const std::regex command("(`|^    |\\n    )hermes((?: [a-z][a-z-]*)+)");
  int named = 0;
  for (const fs::path& path : our_texts()) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    const std::string all = text.str();
    for (std::sregex_iterator found(all.begin(), all.end(), command), end; found != end; ++found) {
      CAPTURE(path.string(), found->str());
      CHECK(is_known((*found)[2].str()));
      ++named;
    }
  }
  CHECK(named > 40);
}

}  // namespace hermes::verbs::test
