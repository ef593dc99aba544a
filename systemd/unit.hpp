#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernel/base/error.hpp"

namespace hermes::systemd {

// The name under which a user's systemd knows the dispatcher.
inline constexpr const char* k_unit_name = "hermes-dispatcher.service";

struct UnitValues {
  std::string dispatcher;  // the program's absolute path
  // Variables of the service, in this order: name and value.
  std::vector<std::pair<std::string, std::string>> environment;
};

// The text of the unit: the template with these values in it, escaped so that systemd reads back
// exactly what was given (systemd.syntax(7), "Quoting"; systemd.service(5), "Command lines").
//
// Error: invalid, where systemd has no spelling for a value. The path of a program must be
// absolute, normal UTF-8 and contain neither quotes nor backslashes nor control characters; a
// variable's name is made of ASCII letters, digits and _, and its value is UTF-8 without control
// characters other than tab and line feed.
Result<std::string> unit_text(const UnitValues& values);

}  // namespace hermes::systemd
