#pragma once

#include <filesystem>
#include <string>

namespace hermes::test {

// What `git -C dir ARGUMENTS` prints, without the newline at its end; the test fails when git does.
// `arguments` are words for the shell.
std::string git(const std::filesystem::path& dir, const std::string& arguments);

// The same, for a git that may fail.
bool git_succeeds(const std::filesystem::path& dir, const std::string& arguments);

// A repository at `dir`, on branch main, with one commit that holds the file `readme` ("first").
void make_repository(const std::filesystem::path& dir);

// Commits a file with this text in the tree at `dir`.
void commit_file(const std::filesystem::path& dir, const std::string& name,
                 const std::string& text);

}  // namespace hermes::test
