#include "scenario/command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <stdexcept>

#include "kernel/base/duration.hpp"

namespace hermes::test {

namespace {

std::int64_t read_number(std::string_view text) {
  std::int64_t number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (const auto [at, problem] = std::from_chars(begin, end, number);
      problem != std::errc{} || at != end) {
    throw std::invalid_argument(fmt::format("'{}' is not a number", text));
  }
  return number;
}

}  // namespace

Millis read_length(std::string_view text) {
  const bool back = text.starts_with('-');
  const auto length = parse_duration(text.substr(back ? 1 : 0));
  if (!length) {
    throw std::invalid_argument(length.error().message);
  }
  return back ? -*length : *length;
}

std::string write_length(Millis length) {
  struct Unit {
    std::string_view name;
    std::int64_t ms;
  };
  constexpr std::array<Unit, 5> k_units{
      {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
  std::int64_t left = length.count();
  std::string text;
  for (const Unit& unit : k_units) {
    if (const std::int64_t n = left / unit.ms; n != 0) {
      text += fmt::format("{}{}", n, unit.name);
      left %= unit.ms;
    }
  }
  return text.empty() ? "0s" : text;
}

Command::Command(std::string_view line) {
  std::istringstream in{std::string(line)};
  in >> name_;
  std::string word;
  while (in >> word) {
    if (const auto split = word.find('='); split == std::string::npos) {
      words_.push_back(word);
    } else if (!values_.emplace(word.substr(0, split), word.substr(split + 1)).second) {
      throw std::invalid_argument(fmt::format("'{}' is said twice", word.substr(0, split)));
    }
  }
}

std::string Command::take_word() {
  if (words_.empty()) {
    throw std::invalid_argument(fmt::format("'{}' needs another word", name_));
  }
  std::string word = words_.front();
  words_.erase(words_.begin());
  return word;
}

std::int64_t Command::take_number() { return read_number(take_word()); }

Millis Command::take_length() { return read_length(take_word()); }

bool Command::take_flag(std::string_view flag) {
  const auto found = std::ranges::find(words_, flag);
  if (found == words_.end()) {
    return false;
  }
  words_.erase(found);
  return true;
}

std::string Command::take(const std::string& key, const std::string& otherwise) {
  const auto found = values_.extract(key);
  return found ? found.mapped() : otherwise;
}

std::int64_t Command::take_number(const std::string& key, std::int64_t otherwise) {
  const auto found = values_.extract(key);
  return found ? read_number(found.mapped()) : otherwise;
}

Millis Command::take_length(const std::string& key, Millis otherwise) {
  const auto found = values_.extract(key);
  return found ? read_length(found.mapped()) : otherwise;
}

void Command::check_all_taken() const {
  if (!words_.empty()) {
    throw std::invalid_argument(fmt::format("'{}' does not take '{}'", name_, words_.front()));
  }
  if (!values_.empty()) {
    throw std::invalid_argument(
        fmt::format("'{}' does not take '{}='", name_, values_.begin()->first));
  }
}

}  // namespace hermes::test
