#include "scenario/scenario.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "scenario/transcript.hpp"

using namespace hermes;
using namespace hermes::test;

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> transcripts() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(HERMES_SCENARIO_DIR)) {
    if (entry.path().extension() == ".txt" && entry.path().stem() != "CMakeLists") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string answer(Scenario& scenario, const Block& block) {
  std::string printed;
  for (const std::string& command : block.commands()) {
    printed += scenario.run(command);
  }
  return printed;
}

void check(const fs::path& path) {
  const std::string text = read_file(path);
  auto blocks = read_transcript(text);
  REQUIRE(blocks);
  const bool rewrite = std::getenv("HERMES_REWRITE") != nullptr;
  Scenario scenario;
  std::size_t answered = 0;
  for (Block& block : *blocks) {
    if (block.is_prose) {
      continue;
    }
    ++answered;
    const std::string printed = answer(scenario, block);
    INFO(path.filename().string() << ", block at line " << block.line << ": "
                                  << block.commands().back());
    CHECK(printed.find("error in `") == std::string::npos);
    if (rewrite) {
      block.answer = printed;
    } else {
      CHECK(printed == block.answer);
    }
  }
  CHECK(answered > 0);
  if (rewrite && write_transcript(*blocks) != text) {
    std::ofstream(path) << write_transcript(*blocks);
    WARN("rewritten: " << path.filename().string());
  }
}

}  // namespace

TEST_CASE("plan decides as the transcripts say") {
  const auto files = transcripts();
  REQUIRE(files.size() >= 10);
  for (const fs::path& path : files) {
    DYNAMIC_SECTION(path.stem().string()) { check(path); }
  }
}

TEST_CASE("a transcript is read and written back as it was") {
  const std::string text =
      "# prose\n# and more of it\n\nboard a\n----\n\n# said of the next line\ntick "
      "5s\nplan\n----\nnext: nothing\n";
  const auto blocks = read_transcript(text);
  REQUIRE(blocks);
  REQUIRE(blocks->size() == 3);
  CHECK((*blocks)[0].is_prose);
  CHECK((*blocks)[1].answer.empty());
  CHECK((*blocks)[2].line == 7);
  CHECK((*blocks)[2].commands() == std::vector<std::string>{"tick 5s", "plan"});
  CHECK((*blocks)[2].answer == "next: nothing\n");
  CHECK(write_transcript(*blocks) == text);
  CHECK_FALSE(read_transcript("tick 5s\nplan\n\nnext: nothing\n"));
  CHECK_FALSE(read_transcript("# nothing asked\n----\nnext: nothing\n"));
}

TEST_CASE("what a transcript mistypes is answered with an error") {
  const auto first_line = [](const std::string& line) { return Scenario{}.run(line); };
  CHECK(first_line("plam") == "error in `plam`: no such command\n");
  CHECK(first_line("drain onn") == "error in `drain onn`: drain is on or off\n");
  CHECK(first_line("candidate t_1 priorty=5") ==
        "error in `candidate t_1 priorty=5`: 'candidate' does not take 'priorty='\n");
  CHECK(first_line("exit 1 code=0") == "error in `exit 1 code=0`: no run 1 on board a\n");
  CHECK(first_line("tick 5x").find("malformed duration '5x'") != std::string::npos);
  CHECK(first_line("limits start_rate=x") ==
        "error in `limits start_rate=x`: 'x' is not a number\n");
  CHECK(first_line("run 1 stop=now").find("'now' is none of reclaim") != std::string::npos);
  CHECK(write_length(Millis{3'600'000 * 36 + 90'500}) == "1d12h1m30s500ms");
}
