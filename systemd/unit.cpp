#include "systemd/unit.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"
#include "systemd/unit_template.hpp"

namespace hermes::systemd {

namespace {

constexpr std::string_view k_dispatcher_mark = "@dispatcher@";
constexpr std::string_view k_environment_mark = "@environment@\n";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// systemd refuses these in a program's path whichever way they are escaped.
Result<void> check_program(const std::string& path) {
  const auto refused = [](char c) { return is_control(c) || c == '"' || c == '\'' || c == '\\'; };
  if (!path.starts_with('/') || path.ends_with('/') || !is_utf8(path) ||
      std::any_of(path.begin(), path.end(), refused)) {
    return fail(ErrorCode::invalid,
                fmt::format("systemd cannot start a program at '{}': the path must be absolute and "
                            "without quotes, backslashes and control characters",
                            printable(clip(path, 200))),
                "install Hermes elsewhere");
  }
  return {};
}

Result<void> check_variable(const std::string& name, const std::string& value) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9') ||
      !std::all_of(name.begin(), name.end(), is_name_character)) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' cannot be a variable of a service", printable(clip(name, 200))),
                "use ASCII letters, digits and _");
  }
  const auto refused = [](char c) { return is_control(c) && c != '\t' && c != '\n'; };
  if (!is_utf8(value) || std::any_of(value.begin(), value.end(), refused)) {
    return fail(ErrorCode::invalid,
                fmt::format("systemd cannot set {} to '{}': a value must be UTF-8 without control "
                            "characters other than tab and line feed",
                            clip(name, 200), printable(clip(value, 200))),
                "choose another value");
  }
  return {};
}

// One word of a setting. Quotes keep white space; % would begin a specifier. $ stays as it is:
// Environment= does not expand it, and the ':' in front of the program keeps ExecStart= from it.
std::string quoted(std::string_view text) {
  std::string word = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        word += '\\';
        word += c;
        break;
      case '%':
        word += "%%";
        break;
      case '\n':
        word += "\\n";
        break;
      case '\t':
        word += "\\t";
        break;
      default:
        word += c;
    }
  }
  return word + '"';
}

}  // namespace

Result<std::string> unit_text(const UnitValues& values) {
  TRY(check_program(values.dispatcher));
  std::string environment;
  for (const auto& [name, value] : values.environment) {
    TRY(check_variable(name, value));
    environment += fmt::format("Environment={}\n", quoted(name + "=" + value));
  }
  // Found before anything is put in: a value may look like a mark.
  std::string text(unit_template());
  const auto dispatcher_at = text.find(k_dispatcher_mark);
  const auto environment_at = text.find(k_environment_mark);  // after the other, so it goes first
  text.replace(environment_at, k_environment_mark.size(), environment);
  text.replace(dispatcher_at, k_dispatcher_mark.size(), quoted(values.dispatcher));
  return text;
}

}  // namespace hermes::systemd
