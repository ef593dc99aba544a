// config.toml.
#include "kernel/home/config.hpp"

#include <fmt/core.h>

#include "fuzz/harness.hpp"
#include "kernel/base/files.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using fuzz::require;

namespace {

// The values that apply, as a file. "[planner] env" is written as one line as well.
std::string written(const std::vector<home::Effective>& values) {
  std::string text;
  for (const home::Effective& value : values) {
    text += value.value.empty() ? "" : fmt::format("{} = {}\n", value.key, value.value);
  }
  return text;
}

Result<std::string> rewritten(const home::Home& home, std::string_view text) {
  TRY(write_file_atomically(home.config(), text));
  TRY_ASSIGN(const auto values, home::effective_config(home));
  return written(values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempDir dir;
  const home::Home home{dir.path()};
  const std::string_view text = fuzz::text_of(data, size);
  const auto config = home::parse_config(text, "config.toml");
  fuzz::require_told(config);
  if (!config) {
    return 0;
  }
  const auto once = rewritten(home, text);
  require(once.has_value(), "what is read from text is read from a file", text);
  const auto twice = rewritten(home, *once);
  fuzz::require_told(twice);
  require(twice == once, "settings that are shown are read as the same", *once);
  return 0;
}
