#include "kernel/home/board_settings.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include "kernel/base/fd.hpp"
#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/settings.hpp"
#include "kernel/model/limits.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_icon_bytes = 64;
constexpr std::size_t k_color_bytes = 64;

// People are shown these on one line.
KeyRule line_key(std::string_view key, std::string& target, std::size_t most) {
  return {
      key, [&target, most](const Setting& setting) -> Result<void> {
        TRY_ASSIGN(std::string text, as_text(setting, most));
        if (!is_plain(text)) {
          return std::unexpected(refuse(setting, "must be one line without control characters"));
        }
        target = std::move(text);
        return {};
      }};
}

KeyRule workdir_key(std::string& target) {
  return {"default_workdir", [&target](const Setting& setting) -> Result<void> {
            TRY_ASSIGN(std::string text, as_text(setting, k_path_bytes));
            if (!text.empty() && !fs::path(text).is_absolute()) {
              return std::unexpected(
                  refuse(setting, fmt::format("'{}' is not an absolute path", printable(text)),
                         "give the whole path, or \"\" for none"));
            }
            target = std::move(text);
            return {};
          }};
}

Result<BoardSettings> parse(std::string_view text, const std::string& file_name) {
  TRY_ASSIGN(const Setting file, parse_settings(text, file_name));
  BoardSettings settings;
  TRY(read_table(file, {line_key("name", settings.name, k_title_bytes),
                        line_key("description", settings.description, k_text_bytes),
                        line_key("icon", settings.icon, k_icon_bytes),
                        line_key("color", settings.color, k_color_bytes),
                        workdir_key(settings.default_workdir)}));
  return settings;
}

}  // namespace

Result<BoardSettings> load_board_settings(const BoardPaths& board) {
  auto text = read_file(board.settings(), k_settings_bytes);
  if (!text && text.error().code == ErrorCode::not_found) {
    return BoardSettings{};
  }
  TRY(text);
  return parse(*text, board.settings().string());
}

Result<std::string> board_settings_text(const BoardSettings& settings,
                                        const std::string& file_name) {
  std::string text = fmt::format(
      "# What people see of this board; every line may be changed.\n"
      "name = {}\n"
      "description = {}\n"
      "icon = {}\n"
      "color = {}\n"
      "# Where workspaces `dir` and `worktree` without a path of their own work; an absolute "
      "path.\n"
      "default_workdir = {}\n",
      toml_text(settings.name), toml_text(settings.description), toml_text(settings.icon),
      toml_text(settings.color), toml_text(settings.default_workdir));
  TRY(parse(text, file_name));
  return text;
}

Result<void> save_board_settings(const BoardPaths& board, const BoardSettings& settings) {
  TRY_ASSIGN(const std::string text, board_settings_text(settings, board.settings().string()));
  return write_file_atomically(board.settings(), text);
}

namespace {

constexpr Millis k_lock_patience{10'000};
constexpr Millis k_lock_step{10};

// Whoever changes the settings holds their directory: the file itself is replaced.
Result<Fd> lock_settings(const BoardPaths& board) {
  Fd dir(::open(board.dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) {
    return std::unexpected(system_error("open", board.dir, errno));
  }
  for (Millis waited{0}; ::flock(dir.get(), LOCK_EX | LOCK_NB) != 0; waited += k_lock_step) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return std::unexpected(system_error("lock", board.dir, errno));
    }
    if (waited >= k_lock_patience) {
      return fail(
          ErrorCode::busy,
          fmt::format("the settings of board {} are being changed by another command", board.slug),
          "try again");
    }
    std::this_thread::sleep_for(k_lock_step);
  }
  return dir;
}

std::string_view key_of(std::string BoardSettings::*setting) {
  constexpr std::array<std::pair<std::string_view, std::string BoardSettings::*>, 5> k_keys{
      {{"name", &BoardSettings::name},
       {"description", &BoardSettings::description},
       {"icon", &BoardSettings::icon},
       {"color", &BoardSettings::color},
       {"default_workdir", &BoardSettings::default_workdir}}};
  return std::ranges::find(k_keys, setting, &decltype(k_keys)::value_type::second)->first;
}

std::string with_line(std::string_view text, std::string_view key, const std::string& value) {
  const std::string line = fmt::format("{} = {}\n", key, toml_text(value));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view here = trim(text.substr(at, end - at));
    if (here.starts_with(key) && trim(here.substr(key.size())).starts_with('=')) {
      return std::string(text.substr(0, at)) + line + std::string(text.substr(end));
    }
    at = end;
  }
  return line + std::string(text);
}

}  // namespace

Result<void> change_board_setting(const BoardPaths& board, std::string BoardSettings::*setting,
                                  const std::string& value) {
  TRY_ASSIGN(const Fd lock, lock_settings(board));
  const std::string file = board.settings().string();
  auto text = read_file(board.settings(), k_settings_bytes);
  if (!text && text.error().code != ErrorCode::not_found) {
    return std::unexpected(text.error());
  }
  TRY_ASSIGN(BoardSettings wanted, parse(text.value_or(""), file));
  wanted.*setting = value;
  TRY(board_settings_text(wanted, file));  // the rule of the value, before the shape of the file
  const std::string changed = with_line(text.value_or(""), key_of(setting), value);
  const auto settings = parse(changed, file);
  if (!settings || *settings != wanted) {
    return fail(ErrorCode::invalid,
                fmt::format("{} says {} in a way that cannot be changed line by line",
                            printable(file), key_of(setting)),
                "change it in the file");
  }
  return write_file_atomically(board.settings(), changed);
}

}  // namespace hermes::home
