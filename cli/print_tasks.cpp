#include <fmt/core.h>

#include <algorithm>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/text.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_events_shown = 20;
constexpr std::size_t k_comments_shown = 20;
constexpr std::size_t k_runs_shown = 10;
constexpr std::size_t k_line_bytes = 160;

struct Icon {
  std::string_view status;
  std::string_view icon;
  std::string_view colour;  // SGR parameter of ECMA-48
};
constexpr Icon k_icons[] = {
    {"todo", "◻", ""},        {"ready", "▶", "32"},   {"running", "●", "34"},
    {"scheduled", "⏱", "36"}, {"blocked", "⊘", "31"}, {"done", "✓", "32"},
    {"archived", "—", "2"},   {"triage", "◇", "35"},  {"review", "◎", "33"},
};

const Icon& icon_of(const std::string& status) {
  static constexpr Icon k_unknown{"", "?", ""};
  const auto* found = std::ranges::find(k_icons, std::string_view(status), &Icon::status);
  return found == std::end(k_icons) ? k_unknown : *found;
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

std::string wake_field(const Json& task) {
  if (task["status"] != "scheduled") {
    return "";
  }
  return field("wakes", task["wake_at_ms"].is_null()
                            ? "when it is unblocked"
                            : minute(task["wake_at_ms"].get<std::int64_t>() / 1000));
}

std::string goal_field(const Json& task) {
  if (task["goal_mode"] != true) {
    return "";
  }
  return field("goal", task["goal_max_turns"].is_null()
                           ? "yes"
                           : fmt::format("at most {} turns", task["goal_max_turns"].dump()));
}

std::string planning_field(const Json& planning) {
  if (planning.is_null()) {
    return "";
  }
  if (!planning["asked_at"].is_null()) {
    return field("planning", fmt::format("{}, asked {}", shown(planning["kind"]),
                                         minute(planning["asked_at"])));
  }
  return field("planning", fmt::format("{} failed, {} in a row, asked again from {} on: {}",
                                       shown(planning["kind"]), planning["failures"].dump(),
                                       minute(planning["next_at"]), shown(planning["last_error"])));
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
  out += task["lane"] == "review" && task["status"] != "done" && task["status"] != "archived"
             ? field("lane", "review")
             : "";
  out += wake_field(task);
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
  out += goal_field(task);
  out += limit_field(task, people) + failure_fields(task);
  out += planning_field(whole["planning"]);
  out += field("created",
               fmt::format("{} by {}", minute(task["created_at"]), shown(task["created_by"])));
  if (!whole["diagnostics"].empty()) {
    out += "  diagnostics:\n" + diagnostics_block(whole["diagnostics"], "    ");
  }
  out += task["started_at"].is_null() ? "" : field("started", minute(task["started_at"]));
  out += task["completed_at"].is_null() ? "" : field("completed", minute(task["completed_at"]));
  return out + ids_field("parents", whole["parents"]) + ids_field("children", whole["children"]);
}

std::vector<std::vector<std::string>> task_rows(const Json& tasks, const Style& style) {
  const bool tenants =
      std::ranges::any_of(tasks, [](const Json& task) { return !task["tenant"].is_null(); });
  std::vector<std::vector<std::string>> rows;
  for (const Json& task : tasks) {
    const std::string status = shown(task["status"]);
    const Icon& icon = icon_of(status);
    std::vector<std::string>& row = rows.emplace_back();
    row = {coloured(icon.icon, icon.colour, style) + " " + shown(task["id"]),
           coloured(status, icon.colour, style), shown(task["assignee"])};
    if (tenants) {
      row.push_back(shown(task["tenant"]));
    }
    row.push_back(shown(task["title"]));
  }
  return rows;
}

std::string section(std::string_view title, const std::string& content) {
  return content.empty() ? "" : fmt::format("\n{}:\n{}", title, content);
}

// Of a long list only the end is shown; this says where the rest is. `from` becomes the first
// shown.
std::string earlier(const Json& items, std::size_t most, const std::string& command,
                    std::size_t& from) {
  from = items.size() > most ? items.size() - most : 0;
  return from == 0 ? "" : fmt::format("  … {} earlier: `hermes kanban {}`\n", from, command);
}

// Further lines stand deeper than any heading of ours, so that no comment can look like two.
std::string comments_of(const Json& comments, const std::string& id) {
  std::size_t i = 0;
  std::string out = earlier(comments, k_comments_shown, "show " + id + " --json", i);
  for (; i < comments.size(); ++i) {
    const Json& comment = comments[i];
    const std::string lines = indented(shown_lines(comment["body"]), "      ");
    out += fmt::format("  [{}] {}: {}", minute(comment["created_at"]), shown(comment["author"]),
                       lines.substr(std::min<std::size_t>(lines.size(), 6)));
  }
  return out;
}

std::string events_of(const Json& events, const std::string& id, std::int64_t now_ms) {
  std::size_t i = 0;
  std::string out = earlier(events, k_events_shown, "tail " + id, i);
  for (; i < events.size(); ++i) {
    const Json& event = events[i];
    const std::string run =
        event["run_id"].is_null() ? "" : fmt::format("[run {}] ", event["run_id"].dump());
    const std::string payload = payload_text(event["payload"]);
    out += fmt::format("  [{}] {}{}{}{}\n", second(event["created_at_ms"], now_ms), run,
                       shown(event["kind"]), payload.empty() ? "" : " ", payload);
  }
  return out;
}

std::string runs_of(const Json& runs, const std::string& id, std::int64_t now_ms) {
  std::size_t i = 0;
  std::string out = earlier(runs, k_runs_shown, "runs " + id, i);
  for (; i < runs.size(); ++i) {
    const Json& run = runs[i];
    const bool active = run["ended_at_ms"].is_null();
    const std::int64_t end_ms = active ? now_ms : run["ended_at_ms"].get<std::int64_t>();
    const std::int64_t elapsed =
        std::max<std::int64_t>(0, (end_ms - run["started_at_ms"].get<std::int64_t>()) / 1000);
    out += fmt::format("  #{} {} @{}  {}  {}\n", pad(run["id"].dump(), 3),
                       pad(shown(run["status"]), 12), shown(run["profile"]),
                       active ? "active" : fmt::format("{}s", elapsed),
                       second(run["started_at_ms"], now_ms));
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
  if (answer.people.contains("watched")) {
    return "";
  }
  const std::string out = header_of(answer.people);
  return answer.value.empty() ? out + "(no matching tasks)\n"
                              : out + table(task_rows(answer.value, style), style.columns);
}

std::string screen_text(const Json& picture, const Style& style, std::size_t rows,
                        std::size_t columns, Instant now) {
  constexpr std::size_t k_frame = 3;  // counts, a blank line, the footer
  const std::string counts = counts_text(picture["counts"]);
  const std::string filter = shown(picture["filter"]);
  std::vector<std::string> lines{clip_columns(fmt::format("{}  {}", shown(picture["board"]),
                                                          counts.empty() ? "no tasks" : counts),
                                              columns),
                                 ""};
  const std::size_t room = rows > k_frame ? rows - k_frame : 0;
  std::vector<std::string> tasks = table_lines(task_rows(picture["tasks"], style), columns);
  if (tasks.empty()) {
    tasks.emplace_back("(no matching tasks)");
  }
  const bool more = tasks.size() > room;
  tasks.resize(std::min(tasks.size(), room));
  lines.insert(lines.end(), tasks.begin(), tasks.end());
  lines.resize(std::max(lines.size(), rows > 0 ? rows - 1 : 0));
  const std::string footer =
      fmt::format("{}{}{}  Ctrl-C ends", second(Json(now.ms), now.ms),
                  filter.empty() ? "" : "  " + filter, more ? "  … more than fit" : "");
  lines.push_back(coloured(clip_columns(footer, columns), "2", style));
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[K";
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
  if (!whole["attachments"].empty()) {
    out += section(counted("Attachments", whole["attachments"]),
                   indented(attachment_lines(whole["attachments"]), "  "));
  }
  const std::string id = shown(task["id"]);
  const auto now_ms = answer.people.value("now_ms", std::int64_t{0});
  out += section(counted("Comments", whole["comments"]), comments_of(whole["comments"], id));
  out += section(counted("Events", whole["events"]), events_of(whole["events"], id, now_ms));
  out += section(counted("Runs", whole["runs"]), runs_of(whole["runs"], id, now_ms));
  return out;
}

}  // namespace hermes::cli
