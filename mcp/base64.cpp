#include "mcp/base64.hpp"

#include <fmt/core.h>

#include <array>
#include <cstdint>

#include "kernel/base/text.hpp"

namespace hermes::mcp {

namespace {

constexpr std::string_view k_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t k_none = 0xff;

constexpr std::array<std::uint8_t, 256> k_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(k_none);
  for (std::size_t i = 0; i < k_alphabet.size(); ++i) {
    values[static_cast<unsigned char>(k_alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

std::uint8_t value_of(char digit) { return k_values[static_cast<unsigned char>(digit)]; }

std::unexpected<Error> refuse(std::string_view what, std::string_view rule) {
  return fail(ErrorCode::usage, fmt::format("{} is not base64: {}", what, rule),
              "give the standard alphabet with padding (RFC 4648, section 4), on one line");
}

}  // namespace

Result<std::string> decode_base64(std::string_view what, std::string_view text, std::size_t most) {
  if (text.size() % 4 != 0) {
    return refuse(what, fmt::format("its {} characters are no multiple of 4", text.size()));
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::size_t bytes = text.size() / 4 * 3 - padding;
  if (bytes > most) {
    return fail(ErrorCode::invalid,
                fmt::format("{} holds {} bytes, and at most {} are kept", what, bytes, most),
                "keep the file elsewhere and say where it is");
  }
  const std::string_view digits = text.substr(0, text.size() - padding);
  std::string out;
  out.reserve(bytes);
  std::uint32_t bits = 0;
  int held = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::uint8_t value = value_of(digits[i]);
    if (value == k_none) {
      return refuse(what, fmt::format("'{}' at position {}", printable(digits.substr(i, 1)), i));
    }
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>((bits >> held) & 0xff));
    }
  }
  if ((bits & ((1U << held) - 1)) != 0) {
    return refuse(what, "the bits that its padding leaves over are not zero");
  }
  return out;
}

}  // namespace hermes::mcp
