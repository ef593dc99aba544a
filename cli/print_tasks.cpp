#include <fmt/core.h>

#include <algorithm>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_status_columns = 9;     // "scheduled"
constexpr std::size_t k_assignee_columns = 20;  // a longer name widens the column
constexpr std::size_t k_events_shown = 20;
constexpr std::size_t k_line_bytes = 160;

struct Icon {
  std::string_view status;
  std::string_view icon;
  std::string_view colour;  // SGR parameter of ECMA-48
};
constexpr Icon k_icons[] = {
    {"todo", "◻", "0"},       {"ready", "▶", "32"},   {"running", "●", "34"},
    {"scheduled", "⏱", "36"}, {"blocked", "⊘", "31"}, {"done", "✓", "32"},
    {"archived", "—", "2"},   {"triage", "◇", "35"},  {"review", "◎", "33"},
};

std::string icon_of(const std::string& status, const Style& style) {
  const auto* found = std::ranges::find(k_icons, std::string_view(status), &Icon::status);
  if (found == std::end(k_icons)) {
    return "?";
  }
  return style.colour ? fmt::format("\x1b[{}m{}\x1b[0m", found->colour, found->icon)
                      : std::string(found->icon);
}

std::string header_of(const Json& people) {
  const auto boards = people.value("boards", 1);
  if (boards <= 1) {
    return "";
  }
  return fmt::format("Board: {} ({} other board{} — choose with --board)\n\n",
                     shown(people["board"]), boards - 1, boards == 2 ? "" : "s");
}

std::string field(std::string_view name, const std::string& value) {
  return fmt::format("  {} {}\n", pad(fmt::format("{}:", name), 12), value);
}

std::string optional_field(std::string_view name, const Json& value) {
  return value.is_null() ? "" : field(name, shown(value));
}

std::string ids_field(std::string_view name, const Json& ids) {
  std::string line;
  for (const Json& id : ids) {
    line += (line.empty() ? "" : ", ") + shown(id);
  }
  return line.empty() ? "" : field(name, line);
}

std::string limit_field(const Json& task, const Json& people) {
  const bool own = !task["max_retries"].is_null();
  return field("max-retries", fmt::format("{} ({})",
                                          own ? task["max_retries"].get<std::int64_t>()
                                              : people.value("failure_limit", std::int64_t{0}),
                                          own ? "task" : "config or default"));
}

std::string failure_fields(const Json& task) {
  std::string out;
  if (task["status"] == "blocked") {
    out += field("blocked by",
                 shown(task["block_source"]) +
                     (task["block_kind"].is_null() ? "" : ", " + shown(task["block_kind"])));
    out += optional_field("reason", task["block_reason"]);
  }
  if (task["failures"].get<std::int64_t>() > 0) {
    out += field("failures", fmt::format("{} in a row", task["failures"].get<std::int64_t>()));
    out += optional_field("last", task["last_failure"]);
  }
  return out;
}

std::string head_of(const Json& whole, const Json& people) {
  const Json& task = whole["task"];
  std::string workspace = shown(task["workspace_kind"]);
  workspace += task["workspace_path"].is_null() ? "" : " @ " + shown(task["workspace_path"]);
  std::string skills;
  for (const Json& skill : task["skills"]) {
    skills += (skills.empty() ? "" : ", ") + shown(skill);
  }
  std::string out = fmt::format("Task {}: {}\n", shown(task["id"]), shown(task["title"]));
  out += field("status", shown(task["status"]));
  out += field("assignee", shown(task["assignee"]));
  out += optional_field("tenant", task["tenant"]);
  out += task["priority"] == 0 ? "" : field("priority", task["priority"].dump());
  out += field("workspace", workspace);
  out += optional_field("workflow", task["workflow_template_id"]) +
         optional_field("step", task["current_step_key"]) +
         optional_field("branch", task["branch_name"]);
  out += skills.empty() ? "" : field("skills", skills);
  out += optional_field("provider", task["provider_override"]) +
         optional_field("model", task["model_override"]);
  out += limit_field(task, people) + failure_fields(task);
  out += field("created",
               fmt::format("{} by {}", minute(task["created_at"]), shown(task["created_by"])));
  out += task["started_at"].is_null() ? "" : field("started", minute(task["started_at"]));
  out += task["completed_at"].is_null() ? "" : field("completed", minute(task["completed_at"]));
  return out + ids_field("parents", whole["parents"]) + ids_field("children", whole["children"]);
}

std::string section(std::string_view title, const std::string& content) {
  return content.empty() ? "" : fmt::format("\n{}:\n{}", title, content);
}

// Further lines stand deeper than any heading of ours, so that no comment can look like two.
std::string comments_of(const Json& comments) {
  std::string out;
  for (const Json& comment : comments) {
    const std::string lines = indented(shown_lines(comment["body"]), "      ");
    out += fmt::format("  [{}] {}: {}", minute(comment["created_at"]), shown(comment["author"]),
                       lines.substr(std::min<std::size_t>(lines.size(), 6)));
  }
  return out;
}

std::string events_of(const Json& events) {
  std::string out;
  const std::size_t first = events.size() > k_events_shown ? events.size() - k_events_shown : 0;
  for (std::size_t i = first; i < events.size(); ++i) {
    const Json& event = events[i];
    const std::string run =
        event["run_id"].is_null() ? "" : fmt::format("[run {}] ", event["run_id"].dump());
    out += fmt::format("  [{}] {}{} {}\n", minute(event["created_at"]), run, shown(event["kind"]),
                       payload_text(event["payload"]));
  }
  return out;
}

std::string runs_of(const Json& runs, std::int64_t now_ms) {
  std::string out;
  for (const Json& run : runs) {
    const bool active = run["ended_at_ms"].is_null();
    const std::int64_t end_ms = active ? now_ms : run["ended_at_ms"].get<std::int64_t>();
    const std::int64_t elapsed =
        std::max<std::int64_t>(0, (end_ms - run["started_at_ms"].get<std::int64_t>()) / 1000);
    out += fmt::format("  #{} {} @{}  {}  {}\n", pad(run["id"].dump(), 3),
                       pad(shown(run["status"]), 12), shown(run["profile"]),
                       active ? "active" : fmt::format("{}s", elapsed), minute(run["started_at"]));
    const std::string summary = shown_start(run["summary"], k_line_bytes);
    const std::string error = shown_start(run["error"], k_line_bytes);
    out += summary.empty() ? "" : fmt::format("        → {}\n", summary);
    out += error.empty() ? "" : fmt::format("        ! {}\n", error);
  }
  return out;
}

std::string counted(std::string_view title, const Json& items) {
  return fmt::format("{} ({})", title, items.size());
}

}  // namespace

std::string print_created(const verbs::Answer& answer, const Style&) {
  const Json& task = answer.value;
  return fmt::format("Created {}  ({}, assignee={}){}\n", shown(task["id"]), shown(task["status"]),
                     shown(task["assignee"]), task["existing"] == true ? " [existing]" : "");
}

std::string print_list(const verbs::Answer& answer, const Style& style) {
  std::string out = header_of(answer.people);
  if (answer.value.empty()) {
    return out + "(no matching tasks)\n";
  }
  std::size_t columns = k_assignee_columns;
  for (const Json& task : answer.value) {
    columns = std::max(columns, display_width(shown(task["assignee"])));
  }
  for (const Json& task : answer.value) {
    const std::string status = shown(task["status"]);
    const std::string tenant =
        task["tenant"].is_null() ? "" : fmt::format(" [{}]", shown(task["tenant"]));
    out += fmt::format("{} {}  {}  {}{}  {}\n", icon_of(status, style), shown(task["id"]),
                       pad(status, k_status_columns), pad(shown(task["assignee"]), columns), tenant,
                       shown(task["title"]));
  }
  return out;
}

std::string print_show(const verbs::Answer& answer, const Style&) {
  const Json& whole = answer.value;
  const Json& task = whole["task"];
  std::string out = head_of(whole, answer.people);
  out += section("Body", indented(shown_lines(task["body"]), "  "));
  out += task["result"].is_null()
             ? section("Latest summary", indented(shown_lines(whole["latest_summary"]), "  "))
             : section("Result", indented(shown_lines(task["result"]), "  "));
  out += section(counted("Comments", whole["comments"]), comments_of(whole["comments"]));
  out += section(counted("Events", whole["events"]), events_of(whole["events"]));
  out += section(counted("Runs", whole["runs"]),
                 runs_of(whole["runs"], answer.people.value("now_ms", std::int64_t{0})));
  return out;
}

}  // namespace hermes::cli
