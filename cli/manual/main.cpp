// hermes-manual: writes the manual from the table of verbs. Part of the build, not installed.
#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <vector>

#include "cli/manual/page.hpp"
#include "kernel/base/files.hpp"
#include "verbs/scripts.hpp"

namespace hermes::manual {

namespace {

Result<void> write(const fs::path& path, std::string_view text) {
  if (const auto old = read_file(path, text.size()); old && *old == text) {
    return {};
  }
  return write_file_atomically(path, text, 0644);
}

Result<void> write_pages(const fs::path& dir, const std::string& date) {
  TRY(make_directory(dir, 0755));
  for (const Page& page : all_pages()) {
    TRY(write(dir / fmt::format("{}.{}", page.name, page.number),
              roff(page, HERMES_VERSION, date)));
  }
  return {};
}

Result<void> write_scripts(const fs::path& dir) {
  TRY(make_directory(dir, 0755));
  TRY(write(dir / "hermes.bash", verbs::bash_completion()));
  TRY(write(dir / "_hermes", verbs::zsh_completion()));
  return write(dir / "hermes.fish", verbs::fish_completion());
}

int run(const std::vector<std::string>& words) {
  Result<void> done;
  if (words.size() == 3 && words[0] == "--pages") {
    done = write_pages(words[1], words[2]);
  } else if (words.size() == 2 && words[0] == "--scripts") {
    done = write_scripts(words[1]);
  } else if (words.size() == 1 && words[0] == "--markdown") {
    fmt::print("{}", markdown(all_pages()));
  } else {
    fmt::print(stderr,
               "usage: hermes-manual --pages DIR DATE | --scripts DIR | --markdown\n"
               "Writes the manual pages, or the completion scripts; prints the reference.\n");
    return 2;
  }
  if (!done) {
    fmt::print(stderr, "hermes-manual: {}\n", one_line(done.error()));
    return 1;
  }
  return 0;
}

}  // namespace

}  // namespace hermes::manual

int main(int argc, char* argv[]) {
  try {
    return hermes::manual::run({argv + 1, argv + argc});
  } catch (const std::exception& problem) {
    fmt::print(stderr, "hermes-manual: unexpected: {}\n", problem.what());
    return 1;
  }
}
