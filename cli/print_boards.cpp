#include <fmt/core.h>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/duration.hpp"

namespace hermes::cli {

namespace {

std::string line(std::string_view name, const std::string& value) {
  return value.empty() ? "" : fmt::format("  {} {}\n", pad(fmt::format("{}:", name), 13), value);
}

std::string number(const Json& value) {
  return value.is_number_integer() ? std::to_string(value.get<std::int64_t>()) : "";
}

std::string words(const Json& texts) {
  std::string out;
  for (const Json& text : texts) {
    const std::string word = shown(text);
    const bool plain =
        !word.empty() && word.find_first_of(" \t\"'\\$|&;<>(){}*?") == std::string::npos;
    out += (out.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return out;
}

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
  out += line("name", shown(board["name"]));
  out += line("description", shown(board["description"]));
  out += line("icon", shown(board["icon"]));
  out += line("color", shown(board["color"]));
  out += line("workdir", shown(board["default_workdir"], ""));
  out += line("database", shown(board["db_path"]));
  out += line("created", minute(board["created_at"]));
  out += line("tasks", fmt::format("{} {}", number(board["total"]),
                                   board["counts"].empty()
                                       ? ""
                                       : fmt::format("({})", counts_text(board["counts"]))));
  out += line("chosen by", shown(board["source"], ""));
  out += line("current", board["is_current"] == true ? "yes" : "no");
  out += line("error", shown(board["error"], ""));
  out += line("settings", shown(board["settings_error"], ""));
  return out;
}

std::string print_board_switched(const verbs::Answer& answer, const Style&) {
  return fmt::format("The current board is {}\n", shown(answer.value["slug"]));
}

namespace {

// "on default until 2026-11-20 18:40: 3 of its tasks failed alike …".
std::string pauses_text(const Json& pauses) {
  std::string out;
  for (const Json& pause : pauses) {
    const std::string end = pause["probe_run_id"].is_null() ? "until " + minute(pause["until"])
                                                            : "and being tried with one task";
    out += fmt::format("{}on {} {}: {}", out.empty() ? "" : "; ", shown(pause["board"]), end,
                       shown(pause["reason"]));
  }
  return out;
}

}  // namespace

std::string print_profiles(const verbs::Answer& answer, const Style& style) {
  if (answer.value.empty()) {
    return "There are no profiles yet: `hermes init` writes one, `hermes profile create` others\n";
  }
  std::vector<std::vector<std::string>> rows{
      {"NAME", "VERDICT", "RUNNING", "WAITING", "DESCRIPTION"}};
  for (const Json& profile : answer.value) {
    const std::string most = number(profile["max_in_progress"]);
    rows.push_back({shown(profile["name"]), shown(profile["verdict"]),
                    number(profile["running"]) + (most.empty() ? "" : "/" + most),
                    number(profile["waiting"]),
                    !profile["error"].is_null()  ? "! " + shown(profile["error"])
                    : !profile["paused"].empty() ? "PAUSED " + pauses_text(profile["paused"])
                                                 : shown(profile["description"])});
  }
  return table(rows, style.columns);
}

std::string print_profile(const verbs::Answer& answer, const Style&) {
  const Json& profile = answer.value;
  std::string out = fmt::format("Profile {}\n", shown(profile["name"]));
  out += line("description", shown(profile["description"]));
  out += line("file", shown(profile["file"]));
  out += line("command", words(profile["command"]));
  out += line("verdict", shown(profile["verdict"]));
  out += line("max workers", number(profile["max_in_progress"]));
  out += line("max runtime", profile["max_runtime_ms"].is_null()
                                 ? ""
                                 : format_duration(Millis{profile["max_runtime_ms"]}));
  out += line("passes", words(profile["env_pass"]));
  for (const auto& [name, value] : profile["env"].items()) {
    out += line("sets", fmt::format("{}={}", shown(Json(name)), shown(value)));
  }
  out += line("nice", profile["nice"] == 0 ? "" : number(profile["nice"]));
  out += line("memory",
              profile["memory_bytes"] == 0 ? "" : number(profile["memory_bytes"]) + " bytes");
  out += line("cpu", profile["cpu_seconds"] == 0 ? "" : number(profile["cpu_seconds"]) + " s");
  out += line("running", number(profile["running"]));
  out += line("waiting", number(profile["waiting"]));
  out += line("paused", pauses_text(profile["paused"]));
  out += line("error", shown(profile["error"], ""));
  return out;
}

std::string print_profile_created(const verbs::Answer& answer, const Style&) {
  return fmt::format("Created profile {}: {}\nA running dispatcher knows it at once.\n",
                     shown(answer.value["name"]), shown(answer.value["file"]));
}

std::string print_profile_deleted(const verbs::Answer& answer, const Style&) {
  return fmt::format("Deleted profile {}\n", shown(answer.value["name"]));
}

std::string print_profile_resumed(const verbs::Answer& answer, const Style&) {
  std::string boards;
  for (const Json& board : answer.value["resumed"]) {
    boards += (boards.empty() ? "" : ", ") + shown(board);
  }
  const std::string name = shown(answer.value["name"]);
  return boards.empty() ? fmt::format("Profile {} was not paused\n", name)
                        : fmt::format("Resumed profile {} on {}\n", name, boards);
}

std::string print_config(const verbs::Answer& answer, const Style& style) {
  const Json& value = answer.value;
  std::vector<std::vector<std::string>> rows{
      {"home", shown(value["home"]), shown(value["home_source"])},
      {"board", shown(value["board"]), shown(value["board_source"])}};
  for (const Json& one : value["settings"]) {
    rows.push_back(
        {shown(one["key"]), shown(one["value"], "(none)"),
         one["line"].is_null() ? "default" : fmt::format("config.toml:{}", number(one["line"]))});
  }
  return table(rows, style.columns) +
         fmt::format("\nSettings are read from {}\n", shown(value["file"]));
}

}  // namespace hermes::cli
