#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "kernel/base/instant.hpp"
#include "kernel/base/words.hpp"

namespace hermes::db {

// What may be bound to a parameter. Text is borrowed until the statement has been stepped.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

template <class T>
Value to_value(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return to_word(value);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::is_same_v<T, Instant>) {
    return value.ms;
  } else if constexpr (std::is_same_v<T, Millis>) {
    return static_cast<std::int64_t>(value.count());
  } else if constexpr (std::is_same_v<T, std::nullptr_t> || std::is_same_v<T, std::nullopt_t>) {
    return nullptr;
  } else {
    return std::string_view(value);
  }
}

template <class T>
Value to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : Value(nullptr);
}

}  // namespace hermes::db
