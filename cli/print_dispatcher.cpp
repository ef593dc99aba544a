#include <fmt/core.h>

#include "cli/print.hpp"
#include "cli/text.hpp"

namespace hermes::cli {

namespace {

std::string who(const Json& value) {
  std::string out = value["pid"].is_number() ? fmt::format("PID {}", value["pid"].get<int>()) : "";
  out += value["since"].is_null()
             ? ""
             : fmt::format("{}since {}", out.empty() ? "" : ", ", minute(value["since"]));
  out += value["managed_by"] == "systemd" ? ", a service of systemd" : ", outside of systemd";
  return out;
}

std::string service_line(const Json& service, const Json& home) {
  if (service["manager"] == false) {
    return "  service:  no systemd user manager answers here\n";
  }
  if (service["installed"] == false) {
    return "  service:  not installed (`hermes dispatcher install`)\n";
  }
  std::string line = fmt::format("  service:  {}, {}", shown(service["state"]),
                                 service["enabled"] == true ? "enabled" : "not enabled");
  line += service["lingering"].is_null() ? ""
          : service["lingering"] == true ? ", lingering"
                                         : ", ends at logout (loginctl enable-linger)";
  line += service["home"] == home ? "" : fmt::format("; it serves {}", shown(service["home"]));
  // What it said last, when it is not there any more to be asked.
  const bool told = service["text"].is_string() && service["state"].is_string() &&
                    !service["state"].get_ref<const std::string&>().starts_with("active");
  return line + "\n" + (told ? fmt::format("            {}\n", shown(service["text"])) : "");
}

std::string running_lines(const Json& board) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& task : board["running"]) {
    rows.push_back({"    ●", shown(task["task_id"]), shown(task["profile"]),
                    task["by_hand"] == true ? "by hand"
                    : task["pid"].is_number()
                        ? fmt::format("PID {}", task["pid"].get<std::int64_t>())
                        : "-",
                    "since " + minute(task["started_at"]), shown_start(task["title"], 80)});
  }
  return table(rows);
}

std::string waiting_lines(const Json& board) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& task : board["waiting"]) {
    std::string why;
    for (const Json& hold : task["holds"]) {
      const std::string until =
          hold["until"].is_null() ? "" : fmt::format(" (until {})", minute(hold["until"]));
      why += (why.empty() ? "" : "; ") + shown(hold["text"]) + until;
    }
    rows.push_back({task["status"] == "review" ? "    ◎" : "    ▶", shown(task["task_id"]),
                    shown(task["profile"]), why.empty() ? "starts with the next pass" : why});
  }
  return table(rows);
}

// How many there are beyond those that are shown.
std::string rest_line(const Json& board, const std::vector<std::string>& states,
                      std::size_t shown_count) {
  std::int64_t all = 0;
  for (const std::string& state : states) {
    all += board["counts"].value(state, std::int64_t{0});
  }
  const auto more = all - static_cast<std::int64_t>(shown_count);
  return more > 0 ? fmt::format("    and {} more (hermes kanban --board {} list --status {})\n",
                                more, shown(board["slug"]), states.front())
                  : "";
}

std::string board_lines(const Json& board) {
  if (!board["error"].is_null()) {
    return fmt::format("\nBoard {} cannot be read: {}\n", shown(board["slug"]),
                       shown(board["error"]));
  }
  std::string out = fmt::format("\nBoard {}: {}\n", shown(board["slug"]),
                                board["counts"].empty() ? "(empty)" : counts_text(board["counts"]));
  out += board["trouble"].is_null()
             ? ""
             : fmt::format("  the dispatcher cannot serve it: {}\n", shown(board["trouble"]));
  if (!board["last_end"].is_null()) {
    out += fmt::format("  the last dispatcher to end here ended {}: {}\n",
                       minute(board["last_end"]["at"]), shown(board["last_end"]["reason"]));
  }
  if (!board["running"].empty()) {
    out += "  running:\n" + running_lines(board) +
           rest_line(board, {"running"}, board["running"].size());
  }
  if (!board["waiting"].empty()) {
    out += "  waiting:\n" + waiting_lines(board) +
           rest_line(board, {"ready", "review"}, board["waiting"].size());
  }
  return out;
}

}  // namespace

std::string print_dispatcher_status(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  std::string out = value["running"] == true
                        ? fmt::format("The dispatcher runs: {}\n", who(value))
                        : std::string(
                              "The dispatcher does not run: nothing is started "
                              "(`hermes dispatcher start`)\n");
  out += fmt::format("  home:     {}\n", shown(value["home"]));
  out += service_line(value["service"], value["home"]);
  out += value["log"].is_null() ? "" : fmt::format("  log:      {}\n", shown(value["log"]));
  out += value["starts_held"].is_null()
             ? ""
             : fmt::format("  starts are held for a moment: {}\n", shown(value["starts_held"]));
  if (!value["settings_error"].is_null()) {
    out += fmt::format("  settings: {}, because {}\n",
                       value["running"] == true ? "it keeps its old values" : "it cannot start",
                       shown(value["settings_error"]));
  }
  for (const Json& board : value["boards"]) {
    out += board_lines(board);
  }
  return out;
}

std::string print_dispatcher_started(const verbs::Answer& answer, const Style&) {
  return fmt::format(
      "{}: {}\n",
      answer.value["already"] == true ? "The dispatcher runs already" : "Started the dispatcher",
      who(answer.value));
}

std::string print_dispatcher_stopped(const verbs::Answer& answer, const Style&) {
  if (answer.value["already"] == true) {
    return "The dispatcher was not running\n";
  }
  const auto workers = answer.value["live_workers"].get<std::int64_t>();
  return workers == 0 ? "Stopped the dispatcher\n"
                      : fmt::format("Stopped the dispatcher; {} worker{} on\n", workers,
                                    workers == 1 ? " goes" : "s go");
}

std::string print_dispatcher_installed(const verbs::Answer& answer, const Style&) {
  std::string out = fmt::format("{} {}\n", answer.value["changed"] == true ? "Wrote" : "Unchanged:",
                                shown(answer.value["unit"]));
  if (answer.value["enabled"] == true) {
    out += answer.value["ours"] == true
               ? "Workers get the PATH of this shell; install again when it has changed.\n"
               : "Workers get the PATH of the systemd user manager; `systemctl --user edit "
                 "hermes-dispatcher` sets another one.\n";
    out += "Enabled: it starts when you log in.";
    out += answer.value["running"] == true ? "\n" : " Start it now: hermes dispatcher start\n";
  }
  return out;
}

std::string print_dispatcher_uninstalled(const verbs::Answer& answer, const Style&) {
  return fmt::format("{}{}\n", answer.value["stopped"] == true ? "Stopped the service. " : "",
                     answer.value["removed"] == true
                         ? fmt::format("Removed {}", shown(answer.value["unit"]))
                         : "There was no unit of ours to remove");
}

}  // namespace hermes::cli
