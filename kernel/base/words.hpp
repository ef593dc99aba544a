#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hermes {

// An enum that is stored and printed as words specialises this with its table, in the order of the
// enumerators:
//   template <> inline constexpr auto k_words<Colour> = std::to_array<std::string_view>({"red",
//   "green"});
template <class E>
inline constexpr std::array<std::string_view, 0> k_words{};

template <class E>
constexpr std::string_view to_word(E value) {
  return k_words<E>[static_cast<std::size_t>(value)];
}

template <class E>
constexpr std::optional<E> from_word(std::string_view word) {
  for (std::size_t i = 0; i < k_words<E>.size(); ++i) {
    if (k_words<E>[i] == word) {
      return static_cast<E>(i);
    }
  }
  return std::nullopt;
}

// "a, b, c": the legal words, for messages.
template <class E>
std::string word_list() {
  std::string out;
  for (const std::string_view word : k_words<E>) {
    out += out.empty() ? "" : ", ";
    out += word;
  }
  return out;
}

}  // namespace hermes
