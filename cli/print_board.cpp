#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "cli/print.hpp"
#include "cli/text.hpp"
#include "kernel/base/duration.hpp"
#include "kernel/model/words.hpp"

namespace hermes::cli {

namespace {

constexpr std::size_t k_kind_columns =
    std::ranges::max(k_words<EventKind>, {}, &std::string_view::size).size();

}  // namespace

std::string print_stats(const verbs::Answer& answer, const Style& style) {
  const Json& value = answer.value;
  std::string out = "By status:\n";
  for (const std::string_view status : k_words<Status>) {
    if (value["by_status"].contains(status)) {
      out += fmt::format("  {} {}\n", pad(status, 9),
                         value["by_status"][std::string(status)].get<std::int64_t>());
    }
  }
  out += value["by_status"].empty() ? "  (no tasks)\n" : "";
  if (!value["by_assignee"].empty()) {
    out += "By assignee:\n";
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, counts] : value["by_assignee"].items()) {
      rows.push_back({"  " + shown(Json(name)), counts_text(counts)});
    }
    out += table(rows, style.columns);
  }
  if (!value["oldest_ready_age_seconds"].is_null()) {
    out += fmt::format("Oldest ready task age: {}s\n",
                       value["oldest_ready_age_seconds"].get<std::int64_t>());
  }
  return out;
}

std::string print_assignees(const verbs::Answer& answer, const Style&) {
  std::vector<std::vector<std::string>> rows{{"NAME", "ON DISK", "COUNTS"}};
  for (const Json& one : answer.value) {
    rows.push_back({shown(one["name"]), one["on_disk"] == true ? "yes" : "no",
                    one["counts"].empty() ? "(idle)" : counts_text(one["counts"])});
  }
  return answer.value.empty() ? "(no profiles, and nobody is assigned)\n" : table(rows);
}

std::string print_swarm(const verbs::Answer& answer, const Style&) {
  const Json& made = answer.value;
  std::string workers;
  for (const Json& id : made["worker_ids"]) {
    workers += (workers.empty() ? "" : ", ") + shown(id);
  }
  return fmt::format("Swarm root: {}{}\nWorkers: {}\nVerifier: {}\nSynthesizer: {}\n",
                     shown(made["root_id"]), made["existing"] == true ? " [existing]" : "", workers,
                     shown(made["verifier_id"]), shown(made["synthesizer_id"]));
}

std::string print_why(const verbs::Answer& answer, const Style&) {
  const Json& value = answer.value;
  std::string out = fmt::format("{} is {}\n", shown(value["task_id"]), shown(value["status"]));
  for (const Json& hold : value["holds"]) {
    const std::string until =
        hold["until"].is_null() ? "" : fmt::format(" (until {})", minute(hold["until"]));
    out += fmt::format("  {}{}\n", shown(hold["text"]), until);
  }
  if (value["holds"].empty()) {
    out += "  nothing holds it: the dispatcher starts it with its next pass\n";
  }
  return out;
}

std::string stream_header(const Json& facts) {
  return fmt::format("Watching {}board {} (Ctrl-C ends it)\n",
                     facts.contains("task_id") ? shown(facts["task_id"]) + " on " : "",
                     shown(facts["board"]));
}

std::string stream_line(const Json& item, Instant now) {
  const std::string payload = payload_text(item["payload"]);
  return fmt::format("[{}] {} {} (@{}){}{}\n", second(item["created_at_ms"], now.ms),
                     shown(item["task_id"]), pad(shown(item["kind"]), k_kind_columns),
                     shown(item["assignee"]), payload.empty() ? "" : " ", payload);
}

}  // namespace hermes::cli
