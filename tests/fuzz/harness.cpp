#include "fuzz/harness.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

#include "kernel/base/text.hpp"

namespace hermes::fuzz {

namespace {

constexpr std::size_t k_longest_message = 6000;  // a path of PATH_MAX bytes may be in it
constexpr std::size_t k_shown = 500;
constexpr char k_stretch = '\x0e';
constexpr std::size_t k_stretched = 1000;
constexpr std::size_t k_longest_word = 128 * 1024;  // MAX_ARG_STRLEN of Linux

}  // namespace

void require(bool holds, std::string_view rule, std::string_view what) {
  if (!holds) {
    fmt::print(stderr, "broken rule: {}\n  by ({} bytes): {}\n", rule, what.size(),
               printable(clip(what, k_shown)));
    std::abort();
  }
}

void require_told(std::string_view message) {
  require(!message.empty(), "a mistake has a message");
  require(message.size() <= k_longest_message, "a message is no echo of its input", message);
  require(printable_lines(message) == message, "a message has no control characters", message);
}

void require_told(const Error& error) {
  require_told(error.message);
  if (!error.hint.empty()) {
    require_told(error.hint);
  }
}

void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to) {
  constexpr int k_tries = 10;
  std::error_code problem;
  for (int i = 0; i < k_tries; ++i) {
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, problem);
    if (!problem) {
      return;
    }
    std::filesystem::remove_all(to);
  }
  require(false, "a directory can be copied", problem.message());
}

std::vector<std::string> words_of(std::string_view input) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : input) {
    if (c == '\0') {
      words.push_back(std::move(word));
      word.clear();
    } else if (c == k_stretch && !word.empty()) {
      word.append(word.size() < k_longest_word - k_stretched ? k_stretched : 0, word.back());
    } else {
      word += c;
    }
  }
  if (!word.empty()) {
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace hermes::fuzz
