// write_unit FILE DISPATCHER [NAME=VALUE...]: writes the unit there. Not installed: the build
// installs the unit with it, and the tests make theirs.
#include <fmt/core.h>

#include <cstdio>

#include "kernel/base/files.hpp"
#include "systemd/unit.hpp"

namespace {

hermes::Result<void> write(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) {
    return hermes::fail(hermes::ErrorCode::usage, "write_unit needs FILE and DISPATCHER");
  }
  hermes::systemd::UnitValues values{.dispatcher = arguments[1]};
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const auto equals = arguments[i].find('=');
    if (equals == std::string::npos) {
      return hermes::fail(hermes::ErrorCode::usage, "not NAME=VALUE: " + arguments[i]);
    }
    values.environment.emplace_back(arguments[i].substr(0, equals),
                                    arguments[i].substr(equals + 1));
  }
  TRY_ASSIGN(const std::string text, hermes::systemd::unit_text(values));
  return hermes::write_file_atomically(arguments[0], text, 0644);
}

}  // namespace

int main(int argc, char* argv[]) {
  const auto written = write({argv + 1, argv + argc});
  if (!written) {
    fmt::print(stderr, "write_unit: {}\n", hermes::one_line(written.error()));
    return hermes::traits(written.error().code).exit_status;
  }
  return 0;
}
