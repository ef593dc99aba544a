// Values of the service's environment, and the program's path, as they stand in its unit.
#include <algorithm>

#include "fuzz/harness.hpp"
#include "kernel/base/text.hpp"
#include "systemd/unit.hpp"

using namespace hermes;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string plain = systemd::unit_text({"/bin/d", {{"A", "b"}}}).value();
  const std::string_view input = fuzz::text_of(data, size);
  const std::vector<std::string> words = fuzz::words_of(input);
  systemd::UnitValues values{"/bin/d", {{"A", "b"}}};
  if (!words.empty()) {
    values.environment[0].second = words[0];
  }
  if (words.size() > 1) {
    values.environment[0].first = words[1];
  }
  if (words.size() > 2) {
    values.dispatcher = words[2];
  }
  const auto text = systemd::unit_text(values);
  fuzz::require_told(text);
  if (!text) {
    return 0;
  }
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte == 0x7f;
  };
  require(is_utf8(*text) && std::ranges::none_of(*text, is_control), "a unit is plain text", *text);
  require(std::ranges::count(*text, '\n') == std::ranges::count(plain, '\n'),
          "a value cannot add a line to the unit", *text);
  return 0;
}
