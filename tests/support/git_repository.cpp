#include "support/git_repository.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

namespace hermes::test {

namespace {

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

// No configuration of who runs the tests has a say.
std::pair<int, std::string> run_git(const std::filesystem::path& dir,
                                    const std::string& arguments) {
  const std::string command =
      "env -i PATH=/usr/bin:/bin HOME=/nonexistent LC_ALL=C GIT_CONFIG_NOSYSTEM=1 git -C " +
      quoted(dir.string()) + " -c user.name=T -c user.email=t@example.org " + arguments + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> bytes{};
  for (std::size_t got = 0; (got = std::fread(bytes.data(), 1, bytes.size(), pipe)) > 0;) {
    out.append(bytes.data(), got);
  }
  const int status = ::pclose(pipe);
  if (out.ends_with('\n')) {
    out.pop_back();
  }
  return {status, out};
}

}  // namespace

std::string git(const std::filesystem::path& dir, const std::string& arguments) {
  const auto [status, out] = run_git(dir, arguments);
  INFO("git " << arguments << ": " << out);
  REQUIRE(status == 0);
  return out;
}

bool git_succeeds(const std::filesystem::path& dir, const std::string& arguments) {
  return run_git(dir, arguments).first == 0;
}

void commit_file(const std::filesystem::path& dir, const std::string& name,
                 const std::string& text) {
  std::filesystem::create_directories((dir / name).parent_path());
  std::ofstream(dir / name) << text;
  git(dir, "add -- " + quoted(name));
  git(dir, "commit -q -m " + quoted("add " + name));
}

void make_repository(const std::filesystem::path& dir) {
  std::filesystem::create_directories(dir);
  git(dir, "init -q -b main");
  commit_file(dir, "readme", "first");
}

}  // namespace hermes::test
