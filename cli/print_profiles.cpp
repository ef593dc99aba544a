#include <fmt/core.h>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/duration.hpp"

namespace hermes::cli {

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

// "2026-11-20 18:40 crashed".
std::string failure_text(const Json& failure) {
  return failure.is_null() ? "-"
                           : fmt::format("{} {}", minute(failure["at"]), shown(failure["outcome"]));
}

}  // namespace

std::string print_profiles(const verbs::Answer& answer, const Style& style) {
  if (answer.value.empty()) {
    return "There are no profiles yet: `hermes init` writes one, `hermes profile create` others\n";
  }
  std::vector<std::vector<std::string>> rows{
      {"NAME", "VERDICT", "RUNNING", "WAITING", "LAST FAILURE", "DESCRIPTION"}};
  for (const Json& profile : answer.value) {
    const std::string most = number_text(profile["cap"]);
    rows.push_back({shown(profile["name"]), shown(profile["verdict"]),
                    number_text(profile["running"]) + (most.empty() ? "" : "/" + most),
                    number_text(profile["waiting"]), failure_text(profile["last_failure"]),
                    !profile["error"].is_null()  ? "! " + shown(profile["error"])
                    : !profile["paused"].empty() ? "PAUSED " + pauses_text(profile["paused"])
                                                 : shown(profile["description"])});
  }
  return table(rows, style.columns);
}

std::string print_profile(const verbs::Answer& answer, const Style&) {
  const Json& profile = answer.value;
  std::string out = fmt::format("Profile {}\n", shown(profile["name"]));
  out += fact_line("description", shown(profile["description"]));
  out += fact_line("file", shown(profile["file"]));
  out += fact_line("command", words_text(profile["command"]));
  out += fact_line("verdict", shown(profile["verdict"]));
  out += fact_line("max workers", number_text(profile["max_in_progress"]));
  out += fact_line("max runtime", profile["max_runtime_ms"].is_null()
                                      ? ""
                                      : format_duration(Millis{profile["max_runtime_ms"]}));
  out += fact_line("passes", words_text(profile["env_pass"]));
  for (const auto& [name, value] : profile["env"].items()) {
    out += fact_line("sets", fmt::format("{}={}", shown(Json(name)), shown(value)));
  }
  out += fact_line("env file", shown(profile["env_file"], ""));
  out += fact_line("nice", profile["nice"] == 0 ? "" : number_text(profile["nice"]));
  out += fact_line("memory", profile["memory_bytes"] == 0
                                 ? ""
                                 : number_text(profile["memory_bytes"]) + " bytes");
  out += fact_line("cpu",
                   profile["cpu_seconds"] == 0 ? "" : number_text(profile["cpu_seconds"]) + " s");
  out += fact_line("io", shown(profile["io"]) == "-" ? "" : shown(profile["io"]));
  out += fact_line("tree memory", profile["tree_memory_bytes"] == 0
                                      ? ""
                                      : number_text(profile["tree_memory_bytes"]) + " bytes");
  out += fact_line("tree cpu", profile["tree_cpu_percent"] == 0
                                   ? ""
                                   : number_text(profile["tree_cpu_percent"]) + " %");
  out += fact_line("running", number_text(profile["running"]));
  out += fact_line("waiting", number_text(profile["waiting"]));
  out += fact_line("paused", pauses_text(profile["paused"]));
  if (const Json& failure = profile["last_failure"]; !failure.is_null()) {
    out += fact_line("last failure",
                     fmt::format("{} on {}, {}: {}", failure_text(failure), shown(failure["board"]),
                                 shown(failure["task_id"]), shown(failure["error"])));
  }
  out += fact_line("error", shown(profile["error"], ""));
  return out;
}

std::string print_profile_edited(const verbs::Answer& answer, const Style&) {
  return fmt::format("{} profile {}: {}\n",
                     answer.value["changed"] == true ? "Changed" : "Nothing changed in",
                     shown(answer.value["name"]), shown(answer.value["file"]));
}

std::string print_profile_renamed(const verbs::Answer& answer, const Style&) {
  std::int64_t tasks = 0;
  for (const auto& [board, changed] : answer.value["tasks"].items()) {
    tasks += changed.get<std::int64_t>();
  }
  return fmt::format("Renamed profile {} to {}, with {} open {}\n", shown(answer.value["previous"]),
                     shown(answer.value["name"]), tasks, tasks == 1 ? "task" : "tasks");
}

std::string print_profile_exported(const verbs::Answer& answer, const Style&) {
  return answer.value["file"].is_null()
             ? shown_lines(answer.value["text"])
             : fmt::format("Wrote profile {} to {}\n", shown(answer.value["name"]),
                           shown(answer.value["file"]));
}

std::string print_profile_checked(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  std::string out = fmt::format("Profile {}\n", shown(value["name"]));
  out += fact_line("program", shown(value["program"], "not found"));
  out += fact_line("version", shown(value["version"], ""));
  out += "  arguments:\n";
  for (const Json& argument : value["argv"]) {
    out += indented(shown_lines(argument), "    | ");
  }
  out += "  environment:\n";
  for (const Json& variable : value["environment"]) {
    out += fmt::format("    {}={}  ({})\n", shown(variable["name"]), shown(variable["value"], ""),
                       shown(variable["source"]));
  }
  for (const Json& note : value["notes"]) {
    out += fmt::format("  note: {}\n", shown(note));
  }
  for (const Json& problem : value["problems"]) {
    out += fmt::format("  WRONG: {}\n", shown(problem));
  }
  return out + (value["ok"] == true ? "it can work\n" : "it cannot work\n");
}

std::string print_goal(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  if (value["reached"] == true) {
    return fmt::format("The goal is reached after turn {}\n", number_text(value["turns"]));
  }
  return fmt::format("Ended after turn {}; the task is {}\n", number_text(value["turns"]),
                     shown(value["status"], "no longer ours"));
}

std::string print_profile_templates(const verbs::Answer& answer, const Style& style) {
  std::vector<std::vector<std::string>> rows{{"TEMPLATE", "VERDICT", "DESCRIPTION"}};
  for (const Json& one : answer.value) {
    rows.push_back({shown(one["name"]), shown(one["verdict"]), shown(one["description"])});
  }
  return table(rows, style.columns) + "Use one: hermes profile create NAME --template TEMPLATE\n";
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

}  // namespace hermes::cli
