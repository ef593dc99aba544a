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

}  // namespace

TEST_CASE("no text of ours names a verb that does not exist") {
  const std::regex command("(`|^    |\\n    )hermes( kanban)? ([a-z][a-z-]*)");
  int named = 0;
  for (const fs::path& path : our_texts()) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    const std::string all = text.str();
    for (std::sregex_iterator found(all.begin(), all.end(), command), end; found != end; ++found) {
      const std::string group = (*found)[2].length() > 0 ? "kanban" : "";
      const std::string name = (*found)[3];
      if (group.empty() && name == "kanban") {
        continue;  // the group itself
      }
      CAPTURE(path.string(), found->str());
      CHECK(find_verb(group, name) != nullptr);
      ++named;
    }
  }
  CHECK(named > 40);
}

}  // namespace hermes::verbs::test
