#include "kernel/home/env_file.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/command.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_env_file_bytes = 64 * 1024;
constexpr std::size_t k_most_lines = 1000;

std::unexpected<Error> refuse(const std::string& place, std::string_view rule, std::string hint) {
  return fail(ErrorCode::invalid, fmt::format("{}: {}", place, rule), std::move(hint));
}

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                      value.back() == value.front();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

Result<void> check_private(int fd, const std::string& place) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) {
    return refuse(place, "cannot be looked at", "");
  }
  if (facts.st_uid != ::geteuid()) {
    return refuse(place, "belongs to another user, so it is not read",
                  "it must belong to the user whose dispatcher starts the workers");
  }
  if ((facts.st_mode & 077U) != 0) {
    return refuse(place,
                  fmt::format("can be used by others (mode {:04o}), so it is not read",
                              facts.st_mode & 07777U),
                  fmt::format("chmod 600 {}", place));
  }
  return {};
}

}  // namespace

fs::path env_file_of(const Home& home, const Profile& profile) {
  return home.profile(profile.name).parent_path() / profile.env_file;
}

Result<std::map<std::string, std::string>> parse_env_file(std::string_view text,
                                                          const std::string& file_name) {
  std::map<std::string, std::string> variables;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const std::string place = fmt::format("{}:{}", file_name, number);
    if (number > k_most_lines) {
      return refuse(place, fmt::format("there are more than {} lines", k_most_lines),
                    "a worker needs fewer");
    }
    const std::string_view line = trim(whole);
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::size_t equals = line.find('=');
    const std::string name(equals == std::string_view::npos ? "" : trim(line.substr(0, equals)));
    if (const auto problem = problem_of_variable(name); problem || name.empty()) {
      return refuse(place, name.empty() ? "is not NAME=VALUE" : *problem,
                    "each line is NAME=VALUE, blank, or begins with '#'");
    }
    const std::string_view value = unquoted(trim(line.substr(equals + 1)));
    if (value.find('\0') != std::string_view::npos) {
      return refuse(place, "holds a NUL byte", "a variable is a text");
    }
    variables[name] = std::string(value);
  }
  return variables;
}

Result<std::map<std::string, std::string>> load_env_file(const Home& home, const Profile& profile) {
  if (profile.env_file.empty()) {
    return std::map<std::string, std::string>{};
  }
  const fs::path path = env_file_of(home, profile);
  const std::string place = printable(path.string());
  auto file = open_regular(path);
  if (!file) {
    return refuse(place, "the env_file of the profile cannot be read: " + file.error().message,
                  "write it, or take env_file out of the profile");
  }
  TRY(check_private(file->get(), place));
  const auto text = read_open_file(*file, path, k_env_file_bytes);
  if (!text) {
    return text.error().code == ErrorCode::invalid
               ? refuse(place, fmt::format("is longer than {} bytes", k_env_file_bytes),
                        "it is for a few variables")
               : std::unexpected(text.error());
  }
  return parse_env_file(*text, place);
}

}  // namespace hermes::home
