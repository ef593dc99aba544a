// Masking on any bytes.
#include "kernel/base/secrets.hpp"

#include "fuzz/harness.hpp"
#include "kernel/base/text.hpp"

using namespace hermes;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::string once = mask_secrets(text);
  require(mask_secrets(once) == once, "masked twice is masked once", text);
  require(!is_utf8(text) || is_utf8(once), "masking leaves UTF-8 as UTF-8", text);
  require(once.size() <= text.size() + 3 * (text.size() / 4 + 1), "masking makes nothing long",
          text);
  masked_value(text);
  is_secret_name(text);
  return 0;
}
