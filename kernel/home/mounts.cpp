#include "kernel/home/mounts.hpp"

#include <charconv>
#include <fstream>
#include <string>
#include <system_error>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace fs = std::filesystem;

namespace {

// /proc/self/mountinfo writes blanks and the like as \\040 (proc(5)).
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(&text[i + 1], &text[i] + 4, code, 8).ptr == &text[i] + 4) {
      out += static_cast<char>(code);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

Result<bool> has_mount(const fs::path& dir) {
  std::error_code problem;
  const std::string real = fs::canonical(dir, problem).string();
  if (problem) {
    return std::unexpected(system_error("look for mounts in", dir, problem.value()));
  }
  std::ifstream mounts("/proc/self/mountinfo");
  if (!mounts) {
    return fail(ErrorCode::unavailable, "cannot read /proc/self/mountinfo, which names the mounts",
                "is /proc mounted?");
  }
  bool found = false;
  for (std::string line; std::getline(mounts, line);) {
    const auto words = split_list(line, ' ');
    const std::string point = words.size() > 4 ? unescaped(words[4]) : "";
    found = found || point == real || point.starts_with(real == "/" ? real : real + "/");
  }
  return found;
}

}  // namespace hermes::home
