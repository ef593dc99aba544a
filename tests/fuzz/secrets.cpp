// Masking on any bytes.
#include "kernel/base/secrets.hpp"

#include <algorithm>

#include "fuzz/harness.hpp"
#include "kernel/base/text.hpp"

using namespace hermes;
using fuzz::require;

namespace {

constexpr std::string_view k_stars = "***";

// What stands between the stars stands in the text too, in the same order: masking takes away, and
// adds nothing but stars (and line breaks around those of a key on lines of its own).
bool only_takes_away(std::string_view text, std::string_view masked) {
  while (!masked.empty()) {
    const std::size_t end = std::min(masked.find(k_stars), masked.size());
    std::string_view part = masked.substr(0, end);
    // An end that is kept may have stars of its own.
    part.remove_prefix(std::min(part.find_first_not_of("*\n"), part.size()));
    part = part.substr(0, part.find_last_not_of("*\n") + 1);
    const std::size_t at = text.find(part);
    if (at == std::string_view::npos) {
      return false;
    }
    text.remove_prefix(at + part.size());
    masked.remove_prefix(std::min(end + k_stars.size(), masked.size()));
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::string once = mask_secrets(text);
  require(only_takes_away(text, once), "masking adds nothing but stars", text);
  require(!is_utf8(text) || is_utf8(once), "masking leaves UTF-8 as UTF-8", text);

  std::string value(text);
  std::erase_if(value, [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; });
  const std::string line = mask_secrets("token=\"v" + value + "\"");  // no $X and no <x>
  require(mask_secrets(line) == line, "a value that is masked stays as it is", line);
  require(masked_value(masked_value(text)) == masked_value(text), "a masked value stays", text);
  is_secret_name(text);
  return 0;
}
