#include "kernel/base/ids.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace hermes {

namespace {

constexpr std::size_t k_id_digits = 8;

bool all_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string new_task_id(Random& random) {
  return fmt::format("t_{:08x}", random.next() & 0xffffffffU);
}

bool is_task_id(std::string_view text) {
  return text.size() == 2 + k_id_digits && text.starts_with("t_") && all_hex(text.substr(2));
}

bool is_task_id_prefix(std::string_view text) {
  const bool prefixed = text.starts_with("t_");
  const std::string_view digits = prefixed ? text.substr(2) : text;
  return digits.size() <= k_id_digits && (prefixed || !digits.empty()) && all_hex(digits);
}

std::string new_run_token(Random& random) {
  return fmt::format("{:016x}{:016x}", random.next(), random.next());
}

bool is_same_token(std::string_view known, std::string_view shown) {
  if (known.empty() || known.size() != shown.size()) {
    return false;
  }
  unsigned difference = 0;
  for (std::size_t i = 0; i < known.size(); ++i) {
    difference |= static_cast<unsigned char>(known[i]) ^ static_cast<unsigned char>(shown[i]);
  }
  return difference == 0;
}

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace hermes
