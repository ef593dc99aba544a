#include <fmt/core.h>

#include "cli/print.hpp"
#include "cli/text.hpp"

namespace hermes::cli {

namespace {

std::string counts_or_empty(const Json& board) {
  return board["counts"].empty() ? "(empty)" : counts_text(board["counts"]);
}

}  // namespace

std::string print_boards(const verbs::Answer& answer, const Style& style) {
  if (answer.value.empty()) {
    return fmt::format("There is no board in {} yet: `hermes init` makes the first one\n",
                       shown(answer.people["home"]));
  }
  std::vector<std::vector<std::string>> rows{{"", "SLUG", "NAME", "COUNTS"}};
  for (const Json& board : answer.value) {
    const std::string counts = board["error"].is_null()
                                   ? counts_or_empty(board)
                                   : "cannot be read: " + shown(board["error"]);
    rows.push_back({board["is_current"] == true ? "●"
                    : board["archived"] == true ? "—"
                                                : "",
                    shown(board["slug"]), shown(board["name"]), counts});
  }
  std::string out = table(rows, style.columns);
  if (!answer.people["current"].is_null()) {
    out += fmt::format("\nCurrent board: {} (from {})\n", shown(answer.people["current"]),
                       shown(answer.people["source"]));
  }
  return out;
}

std::string print_board_created(const verbs::Answer& answer, const Style&) {
  return fmt::format("{} board {}: {}\n{}",
                     answer.value["created"] == true ? "Created" : "There was already a",
                     shown(answer.value["slug"]), shown(answer.value["db_path"]),
                     answer.value["is_current"] == true ? "It is the current board.\n" : "");
}

std::string print_board(const verbs::Answer& answer, const Style&) {
  const Json& board = answer.value;
  std::string out = fmt::format("Board {}\n", shown(board["slug"]));
  out += fact_line("name", shown(board["name"]));
  out += fact_line("description", shown(board["description"]));
  out += fact_line("icon", shown(board["icon"]));
  out += fact_line("color", shown(board["color"]));
  out += fact_line("workdir", shown(board["default_workdir"], ""));
  out += fact_line("database", shown(board["db_path"]));
  out += fact_line("created", minute(board["created_at"]));
  out += fact_line("tasks", fmt::format("{} {}", number_text(board["total"]),
                                        board["counts"].empty()
                                            ? ""
                                            : fmt::format("({})", counts_text(board["counts"]))));
  out += fact_line("chosen by", shown(board["source"], ""));
  out += fact_line("current", board["is_current"] == true ? "yes" : "no");
  out += fact_line("error", shown(board["error"], ""));
  out += fact_line("settings", shown(board["settings_error"], ""));
  return out;
}

std::string print_board_switched(const verbs::Answer& answer, const Style&) {
  return fmt::format("The current board is {}\n", shown(answer.value["slug"]));
}

std::string print_config(const verbs::Answer& answer, const Style& style) {
  const Json& value = answer.value;
  std::vector<std::vector<std::string>> rows{
      {"home", shown(value["home"]), shown(value["home_source"])},
      {"board", shown(value["board"]), shown(value["board_source"])}};
  for (const Json& one : value["settings"]) {
    rows.push_back({shown(one["key"]), shown(one["value"], "(none)"),
                    one["line"].is_null()
                        ? "default"
                        : fmt::format("config.toml:{}", number_text(one["line"]))});
  }
  return table(rows, style.columns) +
         fmt::format("\nSettings are read from {}\n", shown(value["file"]));
}

}  // namespace hermes::cli
