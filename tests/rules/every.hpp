#pragma once

#include <optional>
#include <vector>

#include "kernel/base/words.hpp"

namespace hermes::test {

// Every value of a closed list, so that a table test leaves none out.
template <class E>
std::vector<E> every() {
  std::vector<E> all;
  for (std::size_t i = 0; i < k_words<E>.size(); ++i) {
    all.push_back(static_cast<E>(i));
  }
  return all;
}

// The same, and nothing.
template <class E>
std::vector<std::optional<E>> every_or_none() {
  std::vector<std::optional<E>> all{std::nullopt};
  for (const E value : every<E>()) {
    all.emplace_back(value);
  }
  return all;
}

template <class E>
std::string_view word_or_none(std::optional<E> value) {
  return value ? to_word(*value) : "none";
}

}  // namespace hermes::test
