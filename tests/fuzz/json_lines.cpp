// A list of tasks as JSON Lines.
#include "fuzz/board.hpp"
#include "fuzz/harness.hpp"

using namespace hermes;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::ThrowAwayBoard ground;
  const std::string_view text = fuzz::text_of(data, size);
  const auto read = [&] { return board::read_json_lines(text, ground.now()); };
  const auto imported = read();
  fuzz::require_told(imported);
  if (imported) {
    ground.renew();
    ground.require_imported(read);
  }
  return 0;
}
