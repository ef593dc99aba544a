#include "kernel/home/paths.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_longest_name = 64;

bool is_name(std::string_view text, std::string_view extra) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= k_longest_name && plain(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return plain(c) || extra.find(c) != std::string_view::npos; });
}

}  // namespace

fs::path BoardPaths::log(const std::string& task_id, std::int64_t attempt) const {
  return logs() / fmt::format("{}.{}.log", task_id, attempt);
}

fs::path BoardPaths::older_log(const std::string& task_id, std::int64_t attempt) const {
  return logs() / fmt::format("{}.{}.log.1", task_id, attempt);
}

fs::path Home::record(const std::string& slug, std::int64_t run_id) const {
  return records(slug) / std::to_string(run_id);
}

fs::path Home::context_file(const std::string& slug, std::int64_t run_id) const {
  return records(slug) / fmt::format("{}.context", run_id);
}

Result<Home> find_home(std::string_view hermes_home, std::string_view user_home) {
  const std::string_view chosen = trim(hermes_home);
  if (chosen.empty()) {
    if (user_home.empty()) {
      return fail(ErrorCode::usage, "neither HERMES_HOME nor HOME is set",
                  "set HERMES_HOME to an absolute directory");
    }
    return Home{(fs::path(user_home) / ".hermes").lexically_normal()};
  }
  fs::path dir = fs::path(chosen).lexically_normal();
  if (!dir.is_absolute()) {
    return fail(
        ErrorCode::usage,
        fmt::format("HERMES_HOME is not an absolute path: '{}'", printable(clip(chosen, 200))),
        "give the whole path, for example $HOME/.hermes");
  }
  if (!dir.has_filename()) {
    dir = dir.parent_path();  // "/x/" → "/x": the same home is always spelt the same
  }
  return Home{dir};
}

Result<std::string> parse_slug(std::string_view text) {
  std::string slug = to_lower(trim(text));
  if (!is_name(slug, "_-")) {
    return fail(
        ErrorCode::usage, fmt::format("malformed board name '{}'", printable(clip(text, 100))),
        "a board name has 1 to 64 characters a-z, 0-9, _ and -, and begins with a letter or digit");
  }
  return slug;
}

Result<std::string> parse_profile_name(std::string_view text) {
  std::string name = to_lower(trim(text));
  if (!is_name(name, "._-")) {
    return fail(ErrorCode::usage,
                fmt::format("malformed profile name '{}'", printable(clip(text, 100))),
                "a profile name has 1 to 64 characters a-z, 0-9, '.', _ and -, and begins with a "
                "letter or digit");
  }
  if (name == "none") {
    return fail(ErrorCode::usage, "a profile cannot be called 'none'",
                "it is the word for nobody: `hermes kanban assign ID none`");
  }
  return name;
}

}  // namespace hermes::home
