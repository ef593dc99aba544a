#include "kernel/home/board_settings.hpp"

#include <fmt/core.h>

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
        if (printable(text) != text) {
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

}  // namespace hermes::home
