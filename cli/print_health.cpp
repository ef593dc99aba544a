#include <fmt/core.h>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/duration.hpp"

namespace hermes::cli {

namespace {

std::string_view marker_of(const Json& severity) {
  return severity == "critical" ? "!!!" : severity == "error" ? "!!" : "⚠";
}

std::string data_text(const Json& data) {
  std::string out;
  for (const auto& [key, value] : data.items()) {
    const std::string text = value.is_string() ? shown(value, "") : value.dump();
    out += text.empty() ? "" : fmt::format("{}{}={}", out.empty() ? "" : " | ", key, text);
  }
  return out;
}

std::string one_diagnostic(const Json& one, std::string_view indent) {
  std::string out = fmt::format("{}{} [{}] {}: {}\n", indent, marker_of(one["severity"]),
                                shown(one["severity"]), shown(one["kind"]), shown(one["title"]));
  const std::string data = data_text(one["data"]);
  out += data.empty() ? "" : fmt::format("{}   data: {}\n", indent, data);
  for (const Json& action : one["actions"]) {
    if (action["suggested"] == true) {
      out += fmt::format("{}   → {}: {}\n", indent, shown(action["label"]),
                         shown(action["payload"]["command"]));
    }
  }
  return out;
}

std::string target_text(const Json& row) {
  const std::string thread = shown(row["thread_id"], "");
  return fmt::format("{}:{}{}{}", shown(row["platform"]), shown(row["chat_id"]),
                     thread.empty() ? "" : ":", thread);
}

std::string subscribed_to(const Json& row) { return shown(row["task_id"], "the whole board"); }

std::string size_text(const Json& bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes.get<std::int64_t>()) / 1048576);
}

std::string field(std::string_view name, const std::string& value) {
  return fmt::format("  {} {}\n", pad(fmt::format("{}:", name), 13), value);
}

std::string length_text(const Json& ms) { return format_duration(Millis{ms.get<std::int64_t>()}); }

std::string process_fields(const Json& process) {
  std::string out = field("process", fmt::format("PID {} ({}), {}, for {}", process["pid"].dump(),
                                                 shown(process["command"]), shown(process["state"]),
                                                 length_text(process["age_ms"])));
  out += field("uses",
               fmt::format("{} CPU, {} memory, {} thread(s), {} open file(s)",
                           length_text(process["cpu_ms"]), size_text(process["rss_bytes"]),
                           process["threads"].dump(),
                           process["open_files"].is_null() ? "?" : process["open_files"].dump()));
  out += field("descendants", process["descendants"].dump());
  out += field("works in", shown(process["cwd"], "(not to be seen)"));
  if (process.contains("argv")) {
    std::string words;
    for (const Json& word : process["argv"]) {
      words += (words.empty() ? "" : " ") + shown(word);
    }
    out += field("arguments", words);
  }
  return out;
}

std::string end_fields(const Json& run, std::int64_t now_ms) {
  if (run["ended_at_ms"].is_null()) {
    return "";
  }
  std::string out = field(
      "ended", fmt::format("{}, {}", second(run["ended_at_ms"], now_ms), shown(run["outcome"])));
  if (!run["exit_kind"].is_null()) {
    out += field("exit", fmt::format("{} {}", shown(run["exit_kind"]),
                                     run["exit_code"].is_null() ? "" : run["exit_code"].dump()));
  }
  out += run["gone_at_ms"].is_null() ? field("process", "not known to have gone yet") : "";
  out += run["cpu_ms"].is_null() ? "" : field("used", length_text(run["cpu_ms"]) + " CPU");
  out += run["error"].is_null() ? "" : field("error", shown(run["error"]));
  return out;
}

std::string limit_fields(const Json& limits) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (!limits["max_runtime_ms"].is_null()) {
    add("runtime " + length_text(limits["max_runtime_ms"]));
  }
  if (limits["memory_bytes"] != 0) {
    add("memory " + size_text(limits["memory_bytes"]));
  }
  if (limits["cpu_seconds"] != 0) {
    add(fmt::format("CPU {} s", limits["cpu_seconds"].dump()));
  }
  if (limits["tree_memory_bytes"] != 0) {
    add("memory of the tree " + size_text(limits["tree_memory_bytes"]));
  }
  if (limits["tree_cpu_percent"] != 0) {
    add(fmt::format("CPU of the tree {} %", limits["tree_cpu_percent"].dump()));
  }
  return field("limits", out.empty() ? "none of its own" : out);
}

}  // namespace

std::string diagnostics_block(const Json& diagnostics, std::string_view indent) {
  std::string out;
  for (const Json& one : diagnostics) {
    out += one_diagnostic(one, indent);
  }
  return out;
}

std::string print_diagnostics(const verbs::Answer& answer, const Style&) {
  std::size_t found = 0;
  std::string out;
  for (const Json& row : answer.value) {
    if (row["diagnostics"].empty()) {
      continue;
    }
    found += row["diagnostics"].size();
    out += row["task_id"].is_null()
               ? fmt::format("\n{}\n", shown(row["title"]))
               : fmt::format("\n{}  {}  @{}  {}\n", shown(row["task_id"]), shown(row["status"]),
                             shown(row["assignee"]), shown(row["title"]));
    out += diagnostics_block(row["diagnostics"], "  ");
  }
  return found == 0 ? "No active diagnostics\n"
                    : fmt::format("{} active diagnostic{}\n{}", found, found == 1 ? "" : "s", out);
}

std::string print_subscribed(const verbs::Answer& answer, const Style&) {
  return fmt::format("Subscribed {} to {}{}\n", target_text(answer.value),
                     subscribed_to(answer.value),
                     answer.value["existing"] == true ? " [existing]" : "");
}

std::string print_unsubscribed(const verbs::Answer& answer, const Style&) {
  return fmt::format("Unsubscribed {} from {}\n", target_text(answer.value),
                     subscribed_to(answer.value));
}

std::string print_subscriptions(const verbs::Answer& answer, const Style& style) {
  if (answer.value.empty()) {
    return "(no subscriptions)\n";
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& row : answer.value) {
    std::string more =
        row["notifier_profile"].is_null() ? "" : "owner=" + shown(row["notifier_profile"]);
    more += row["pending"] == 0
                ? ""
                : fmt::format("{}{} pending", more.empty() ? "" : "  ", row["pending"].dump());
    more += row["ended_at_ms"].is_null() ? "" : "  (its task is over)";
    rows.push_back({"  " + shown(row["task_id"], "(board)"), target_text(row),
                    fmt::format("(since event {})", row["last_event_id"].dump()), more});
  }
  return table(rows, style.columns);
}

std::string print_inspected(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  const Json& run = value["run"];
  const std::int64_t now_ms = answer.people.value("now_ms", std::int64_t{0});
  std::string out = fmt::format("Run {} of {}: {}\n", run["id"].dump(), shown(value["task_id"]),
                                shown(value["title"]));
  out += field("attempt", fmt::format("{} by {}, started {}", run["attempt"].dump(),
                                      shown(run["profile"]), second(run["started_at_ms"], now_ms)));
  const bool open = run["ended_at_ms"].is_null();
  if (!value["process"].is_null()) {
    out += process_fields(value["process"]);
  } else if (open) {
    out += field("process", run["holder"] == "external" ? "claimed by hand: none of ours"
                            : value["here"] == false    ? "on another machine, or before a restart"
                            : value["supervisor"].is_null() ? "none is to be seen"
                                                            : "being started");
  }
  if (!value["supervisor"].is_null()) {
    out += field("supervisor", fmt::format("PID {}", value["supervisor"]["pid"].dump()));
  }
  if (!value["lease"].is_null()) {
    out += field("lease", fmt::format("until {}, held by {}",
                                      second(value["lease"]["expires_at_ms"], now_ms),
                                      shown(value["lease"]["holder"])));
  }
  if (!run["heartbeat_at_ms"].is_null()) {
    out += field("heartbeat",
                 fmt::format("{}{}{}", second(run["heartbeat_at_ms"], now_ms),
                             run["heartbeat_note"].is_null() ? "" : ": ",
                             run["heartbeat_note"].is_null() ? "" : shown(run["heartbeat_note"])));
  }
  if (!run["stop_kind"].is_null()) {
    out += field("stopping", fmt::format("{} by {}", shown(run["stop_kind"]),
                                         shown(run["stop_by"], "somebody")));
  }
  return out + limit_fields(value["limits"]) + end_fields(run, now_ms);
}

}  // namespace hermes::cli
