#include "mcp/base64.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace hermes::mcp {

namespace {

std::string encoded(const std::string& bytes) {
  static const std::string alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
    };
    const unsigned bits = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
    out += alphabet[bits >> 18];
    out += alphabet[(bits >> 12) & 63];
    out += i + 1 < bytes.size() ? alphabet[(bits >> 6) & 63] : '=';
    out += i + 2 < bytes.size() ? alphabet[bits & 63] : '=';
  }
  return out;
}

}  // namespace

TEST_CASE("base64 of every length and every byte is read back", "[mcp]") {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    const auto read = decode_base64("x", encoded(bytes), 1000);
    REQUIRE(read);
    REQUIRE(*read == bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
  // RFC 4648, section 10.
  CHECK(decode_base64("x", "Zm9vYmE=", 100).value() == "fooba");
  CHECK(decode_base64("x", "", 100).value().empty());
}

TEST_CASE("what is not strict base64 is refused with the place and the rule", "[mcp]") {
  for (const std::string text : {"Zg", "Zg=", "Z===", "====", "Zm9v\n", "Zm9v Zm9v", "Zm-_", "Zm9=",
                                 "Zh==", "=m9v", "Zg==Zg==", "Zm9v====", "Zm\x00v", "\xc3\xa9m9"}) {
    INFO(text);
    const auto read = decode_base64("content_base64", text, 100);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::usage);
    CHECK(read.error().message.find("content_base64") != std::string::npos);
    CHECK(!read.error().hint.empty());
  }
}

TEST_CASE("base64 of more than is kept is refused before it is decoded", "[mcp]") {
  CHECK(decode_base64("x", encoded(std::string(100, 'a')), 100));
  const auto read = decode_base64("x", encoded(std::string(101, 'a')), 100);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::invalid);
}

}  // namespace hermes::mcp
