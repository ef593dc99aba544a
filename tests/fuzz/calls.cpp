// Whole calls of `hermes` on a home of their own, one after the other: words that end in NUL, a
// call that ends with the word ";". NAME=value before the words of a call sets a variable of the
// environment, and "<" with what follows it is its standard input.
#include "fuzz/harness.hpp"
#include "fuzz/home.hpp"

using namespace hermes;

namespace {

constexpr std::size_t k_most_calls = 12;

// Whether the word is one of these.
bool sets_the_scene(fuzz::ThrowAwayHome& home, const std::string& word) {
  if (word.starts_with('<')) {
    home.host.input = word.substr(1);
    return true;
  }
  const auto equals = word.find('=');
  if (!word.starts_with("HERMES_KANBAN_") || equals == std::string::npos) {
    return false;
  }
  home.environment.variables[word.substr(0, equals)] = word.substr(equals + 1);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::ThrowAwayHome home;
  std::vector<std::vector<std::string>> calls(1);
  for (std::string& word : fuzz::words_of(fuzz::text_of(data, size))) {
    if (word == ";") {
      calls.emplace_back();
    } else {
      calls.back().push_back(std::move(word));
    }
  }
  if (calls.size() > k_most_calls) {
    return -1;
  }
  home.renew();
  for (std::vector<std::string>& words : calls) {
    while (!words.empty() && sets_the_scene(home, words.front())) {
      words.erase(words.begin());
    }
    home.call(words);
  }
  home.require_sound();
  return 0;
}
