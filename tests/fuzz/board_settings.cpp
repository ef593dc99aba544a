// board.toml, which is changed line by line: whatever the file looks like, one setting changes or
// nothing does. The first byte says which.
#include "kernel/home/board_settings.hpp"

#include <array>

#include "fuzz/harness.hpp"
#include "kernel/base/files.hpp"
#include "kernel/home/settings.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using fuzz::require;

namespace {

constexpr std::array k_settings = {&home::BoardSettings::name, &home::BoardSettings::description,
                                   &home::BoardSettings::icon, &home::BoardSettings::color,
                                   &home::BoardSettings::default_workdir};

void change(const home::BoardPaths& board, std::string home::BoardSettings::*setting,
            const std::string& value) {
  const auto file_before = read_file(board.settings(), home::k_settings_bytes);
  const auto before = home::load_board_settings(board);
  fuzz::require_told(before);
  const auto changed = home::change_board_setting(board, setting, value);
  fuzz::require_told(changed);
  const auto after = home::load_board_settings(board);
  if (!changed) {
    require(read_file(board.settings(), home::k_settings_bytes) == file_before,
            "what is refused changes nothing", *file_before);
    return;
  }
  home::BoardSettings wanted = before.value();
  wanted.*setting = value;
  require(after && *after == wanted, "one setting changes and no other", *file_before);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempDir dir;
  const home::BoardPaths board{"b", dir.path()};
  if (size == 0) {
    return 0;
  }
  const std::string_view text = fuzz::text_of(data, size).substr(1);
  const auto setting = k_settings.at(data[0] % k_settings.size());
  require(write_file_atomically(board.settings(), text).has_value(), "the file can be written");
  change(board, setting, "/a new \"value\"");
  change(board, setting, std::string(text.substr(0, text.find('\n'))));
  return 0;
}
